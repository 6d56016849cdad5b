package route

import (
	"net/url"
	"strings"
)

// add adds the samples that end at a position: with and without a slash at the end, and in the form of a procedure if
// the path can be that of one.
func (w *sampleWalk) add(at samplePosition, parts []samplePart) {
	if len(w.samples) >= maxSamples {
		w.full = true
		return
	}
	if len(parts) == 0 {
		w.samples = append(w.samples, Sample{Path: "/"})
		return
	}
	n := len(parts)
	procedure := n > 1 && (parts[n-1].text == "" || parts[n-2].text == "") && (at[namesTree].endsHere() || at[namesTree+firstFolded].endsHere())
	for _, slash := range [...]string{"", "/"} {
		w.addPath(parts, slash, func(int) string { return w.fresh })
		if procedure {
			w.addPath(parts, slash, func(i int) string {
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

// addPath adds the path of some segments and an end. The function fresh returns the text of a segment with an index that
// no pattern has.
func (w *sampleWalk) addPath(parts []samplePart, slash string, fresh func(i int) string) {
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
		text := part.text
		if text == "" {
			text = fresh(i)
		}
		decoded.WriteString("/" + text)
		written.WriteString("/" + w.escape(text, part.letterCase))
		s.LetterCase = s.LetterCase || part.letterCase
	}
	s.Path = decoded.String() + slash
	raw := written.String() + slash
	if raw != (&url.URL{Path: s.Path}).EscapedPath() {
		s.RawPath = raw
	}
	return s, len(raw)
}

// escape returns a segment as a pattern writes it, or in the default encoding.
func (w *sampleWalk) escape(text string, letterCase bool) string {
	if written, ok := w.written[text]; ok && !letterCase && strings.Contains(written, "%") {
		return written
	}
	return strings.ReplaceAll((&url.URL{Path: "/" + text}).EscapedPath()[1:], "/", "%2F")
}
