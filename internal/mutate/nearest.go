package main

import (
	"cmp"
	"fmt"
	"go/scanner"
	"go/token"
	"slices"
	"strings"
)

// A word is a token of Go with its place in the text.
type word struct {
	text       string
	start, end int
	identifier bool
}

// words are the tokens of a piece of Go, comments left out.
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

// weight says how much a word tells of where it stands.
func (w word) weight() int {
	if isWord(w.text[0]) || w.text[0] == '"' || w.text[0] == '`' {
		return 3
	}
	return 1
}

// A candidate is a piece of the source that resembles a fault's text.
type candidate struct {
	place
	likeness float64 // 1 where it holds all of the fault's words
	rename   string  // identifiers that differ, as -rename takes them, where nothing else does
}

// compare puts what resembles more first, and what differs in identifiers alone.
func (c candidate) compare(other candidate) int {
	if c.likeness == other.likeness && (c.rename == "") != (other.rename == "") {
		return cmp.Compare(len(other.rename), len(c.rename))
	}
	return cmp.Compare(other.likeness, c.likeness)
}

func (c candidate) String() string {
	first, last := c.source.line(c.start), c.source.line(c.end-1)
	lines := strings.Join(strings.Split(c.source.text, "\n")[first-1:last], "\n")
	out := fmt.Sprintf("%s, %.0f %% alike:\n%s", c.place, 100*c.likeness, lines)
	if c.rename != "" {
		out += "\n(with -rename " + c.rename + ")"
	}
	return out
}

// nearest returns the places that resemble the fault's text most, at most n.
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

// alike slides a window over the file, as long as wanted, and returns the best
// ones that do not overlap. counts are the words of wanted, total their weight.
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
		likeness := float64(common) / float64(total)
		if first < 0 || likeness < 0.5 {
			continue
		}
		c := candidate{place: place{s, all[first].start, all[i].end}, likeness: likeness}
		if likeness > 0.7 { // below, other code of the same form
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

// renames returns what turns the identifiers of wanted into those of have,
// where nothing else differs.
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
