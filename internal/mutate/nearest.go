package main

import (
	"cmp"
	"fmt"
	"go/scanner"
	"go/token"
	"slices"
	"strings"
)

// A word is a Go token with its start and end offset in the text.
type word struct {
	text       string
	start, end int
	identifier bool
}

// words returns the tokens of a piece of Go, without comments.
func words(text string) []word {
	var all []word
	set := token.NewFileSet()
	file := set.AddFile("", -1, len(text))
	var s scanner.Scanner
	s.Init(file, []byte(text), func(token.Position, string) {}, 0) // a piece may begin or end within a string
	for {
		at, kind, literal := s.Scan()
		switch {
		case kind == token.EOF:
			return all
		case kind == token.SEMICOLON && literal == "\n":
			continue
		case literal == "":
			literal = kind.String()
		}
		start := file.Offset(at)
		all = append(all, word{literal, start, start + len(literal), kind == token.IDENT})
	}
}

// weight returns how much a word contributes to the similarity of two places.
func (w word) weight() int {
	if isWord(w.text[0]) || w.text[0] == '"' || w.text[0] == '`' {
		return 3
	}
	return 1
}

// A candidate is a piece of the source that is similar to a fault's text.
type candidate struct {
	place
	similarity float64 // 1 if it has all words of the fault
	rename     string  // the value for -rename, if only identifiers differ
}

// compare sorts candidates by decreasing similarity; those that differ only in identifiers are
// first.
func (c candidate) compare(other candidate) int {
	if c.similarity == other.similarity && (c.rename == "") != (other.rename == "") {
		return cmp.Compare(len(other.rename), len(c.rename))
	}
	return cmp.Compare(other.similarity, c.similarity)
}

func (c candidate) String() string {
	first, last := c.source.line(c.start), c.source.line(c.end-1)
	lines := strings.Join(strings.Split(c.source.text, "\n")[first-1:last], "\n")
	out := fmt.Sprintf("%s, %.0f %% alike:\n%s", c.place, 100*c.similarity, lines)
	if c.rename != "" {
		out += "\n(with -rename " + c.rename + ")"
	}
	return out
}

// nearest returns at most n places that are most similar to the fault's text.
func (f fault) nearest(sources []*source, n int) []candidate {
	wanted := words(f.old)
	if len(wanted) == 0 {
		return nil
	}
	total, missing := 0, map[string]int{}
	for _, w := range wanted {
		total += w.weight()
		missing[w.text]++
	}
	var best []candidate
	for _, s := range sources {
		best = append(best, s.alike(wanted, missing, total)...)
	}
	slices.SortStableFunc(best, candidate.compare)
	return best[:min(n, len(best))]
}

// alike slides a window with the length of wanted over the file, and returns the most similar
// windows that do not overlap. counts has the words of wanted, and total is their weight.
func (s *source) alike(wanted []word, counts map[string]int, total int) []candidate {
	all := s.words()
	size := min(len(wanted), len(all))
	inWindow := map[string]int{}
	common, last := 0, -len(wanted)
	var found []candidate
	for i := range all {
		if w := all[i]; counts[w.text] > 0 {
			if inWindow[w.text]++; inWindow[w.text] <= counts[w.text] {
				common += w.weight()
			}
		}
		first := i - size + 1
		if first > 0 {
			if w := all[first-1]; counts[w.text] > 0 {
				if inWindow[w.text]--; inWindow[w.text] < counts[w.text] {
					common -= w.weight()
				}
			}
		}
		similarity := float64(common) / float64(total)
		if first < 0 || similarity < 0.5 {
			continue
		}
		c := candidate{place: place{s, all[first].start, all[i].end}, similarity: similarity}
		if similarity > 0.7 { // a smaller similarity only means the same form
			c.rename = renames(wanted, all[first:i+1])
		}
		switch {
		case first >= last+size:
			found, last = append(found, c), first
		case c.compare(found[len(found)-1]) < 0:
			found[len(found)-1], last = c, first
		}
	}
	return found
}

// renames returns the value for -rename that changes wanted into have, or "" if they differ in
// more than identifiers.
func renames(wanted, have []word) string {
	if len(wanted) != len(have) {
		return ""
	}
	renamed := map[string]string{}
	var all []string
	for i, w := range wanted {
		before, seen := renamed[w.text]
		switch {
		case seen && before != have[i].text:
			return ""
		case seen:
		case w.text != have[i].text && !(w.identifier && have[i].identifier):
			return ""
		case w.text != have[i].text:
			all = append(all, w.text+"="+have[i].text)
		}
		renamed[w.text] = have[i].text
	}
	return strings.Join(all, ",")
}
