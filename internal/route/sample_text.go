package route

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// add adds the samples that end at a position: with and without a slash at the end, and in the form of a procedure if
// the path can be that of one.
func (w *sampleWalk) add(at samplePosition, parts []samplePart) {
	n := len(parts)
	if n == 0 {
		w.addPath(nil, "/", at.ends(true), nil)
		return
	}
	names := at.trees[namesTree].endsHere() || at.trees[namesTree+firstFolded].endsHere()
	for _, slash := range [...]string{"", "/"} {
		ends := at.ends(slash == "/")
		shape := ends + " of a procedure" + slash
		plain := ends
		if names && isQualified(parts[n-2].text) && IsIdentifier(parts[n-1].text) {
			plain = shape
		}
		w.addPath(parts, slash, plain, func(int) string { return w.fresh })
		if names && (parts[n-1].text == "" || parts[n-2].text == "") {
			w.addPath(parts, slash, shape, func(i int) string {
				switch i {
				case n - 1:
					return w.method
				case n - 2:
					return w.service
				}
				return w.fresh
			})
		}
	}
}

// endsHere reports whether a pattern ends at one of the nodes.
func (b sampleBranches) endsHere() bool {
	for _, n := range b.nodes {
		if n.leaf != nil {
			return true
		}
	}
	return false
}

// ends returns a text that is the same for paths with the same result of Find, apart from the shape of a procedure. That
// depends on the patterns that match the path with and without a slash at the end.
func (at samplePosition) ends(slash bool) string {
	var b strings.Builder
	for _, branches := range at.trees {
		for _, toggled := range [...]bool{false, true} {
			l, here := branches.end(slash != toggled)
			if l != nil {
				b.WriteString(strconv.Itoa(l.match.Value))
			}
			if here {
				b.WriteByte('/') // a wildcard matches the empty text behind the slash
			}
			b.WriteByte('|')
		}
	}
	return b.String() + at.escaped
}

// end returns the pattern that matches the path, or the path with a slash, and whether its wildcard begins there.
func (b sampleBranches) end(slash bool) (l *leaf[int], here bool) {
	for _, n := range b.nodes {
		last := n
		if slash {
			last = n.literal[end.text]
		}
		switch {
		case last != nil && last.leaf != nil:
			return last.leaf, false
		case slash && n.multi != nil:
			return n.multi, true
		}
	}
	return b.multi, false
}

// addPath adds the path of some segments and a slash or nothing, unless there is a sample with the same result. The
// function fresh returns the text of a segment with an index that no pattern has.
func (w *sampleWalk) addPath(parts []samplePart, slash, result string, fresh func(i int) string) {
	key := "sample " + result
	if w.seen[key] {
		return
	}
	w.seen[key] = true
	if len(w.samples) >= maxSamples {
		w.full = true
		return
	}
	sample, length := w.path(parts, slash, fresh)
	if length > MaxPath {
		sample, length = w.path(parts, slash, func(int) string { return w.short })
	}
	if length <= MaxPath { // servers get no longer path
		w.samples = append(w.samples, sample)
	}
}

// path returns the sample of some segments and an end, and the length of the path that is sent.
func (w *sampleWalk) path(parts []samplePart, slash string, fresh func(i int) string) (s Sample, length int) {
	var decoded, written strings.Builder
	for i, part := range parts {
		if part.text == "" {
			part.text = fresh(i)
			part.written = part.text
		}
		decoded.WriteString("/" + part.text)
		written.WriteString("/" + part.written)
		s.LetterCase = s.LetterCase || part.letterCase
	}
	s.Path = decoded.String() + slash
	raw := written.String() + slash
	if raw != (&url.URL{Path: s.Path}).EscapedPath() {
		s.RawPath = raw
	}
	return s, len(raw)
}

// defaultEscape returns a segment in the default encoding of package net/url. A slash remains.
func defaultEscape(text string) string { return (&url.URL{Path: "/" + text}).EscapedPath()[1:] }

// spellings returns a segment as clients may send it: in the default encoding, if there is one, and as each pattern at
// the position writes it.
func (w *sampleWalk) spellings(at samplePosition, text string) (all []string) {
	if !strings.Contains(text, "/") {
		all = append(all, defaultEscape(text))
	}
	for i := range firstFolded {
		for _, n := range at.trees[i].nodes {
			for _, written := range w.written[n.literal[text]] {
				if !slices.Contains(all, written) {
					all = append(all, written)
				}
			}
		}
	}
	if len(all) == 0 { // it differs from each pattern in letter case
		all = append(all, strings.ReplaceAll(defaultEscape(text), "/", "%2F"))
	}
	return all
}
