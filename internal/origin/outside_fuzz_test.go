package origin

import (
	"slices"
	"strings"
	"testing"
)

// comparison is the input of FuzzOutside, which a text has in its lines: a pattern and a set of others.
func comparison(text string) (first Pattern, others []Pattern, texts []string) {
	lines := strings.SplitN(text, "\n", 10)
	first, _ = ParsePattern(lines[0])
	for _, line := range lines[1:] {
		if p, _ := ParsePattern(line); p != (Pattern{}) {
			others, texts = append(others, p), append(texts, line)
		}
	}
	return first, others, texts
}

// FuzzOutside: a witness is an origin that the pattern matches and the set does not, by the model of patterns. If there is
// none, no origin is one. The same holds for the origins that they have in common.
func FuzzOutside(f *testing.F) {
	for _, seed := range [][2]string{
		{"https://pr-*.example.com\nhttps://*-a.example.com\nhttps://pr-1*.example.com:*", "https://pr-2.example.com"},
		{"https://*.example.com:*\nhttps://*.com:8443\nhttps://a*.example.com", "https://b.example.com:8443"},
		{"https://a.example.com:*\nhttps://a.example.com\nhttps://*.example.com:*", "https://a.example.com:1"},
		{"https://x*.example.com\nhttps://*n--a.example.com", "https://xn--a.example.com"},
		{"*\nnull\nfile://\nmoz-extension://*\nhttps://*.example", "https://witness.example"},
		{"moz-extension://*\nmoz-extension://a\nnull", "moz-extension://b"},
		{"http://*.localhost:*\nhttp://a*.localhost", "http://a.localhost:80"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, text, raw string) {
		p, others, texts := comparison(text)
		if p == (Pattern{}) {
			return
		}
		matched := func(raw string) bool {
			return slices.ContainsFunc(texts, func(text string) bool { return modelMatch(text, raw) })
		}
		o, _ := Parse(raw)
		sent := modelValid(raw) && (!isWeb(o.Scheme) || invalidPunycode(o.Host) == "")
		s := NewSet(others)
		witness, verdict := s.Outside(p)
		switch {
		case verdict == Missed && (!modelValid(witness) || !modelMatch(p.String(), witness) || matched(witness)):
			t.Errorf("%s outside %q: %q", p, texts, witness)
		case verdict == Covered && sent && modelMatch(p.String(), raw) && !matched(raw):
			t.Errorf("%s outside %q: covered, but not %q", p, texts, raw)
		case verdict == Undecided:
			t.Errorf("%s outside %q is undecided", p, texts)
		}
		common, overlap := Common(s, NewSet([]Pattern{p}))
		switch {
		case overlap == Overlapping && (!modelValid(common) || !modelMatch(p.String(), common) || !matched(common)):
			t.Errorf("%s and %q: %q", p, texts, common)
		case overlap == Disjoint && sent && modelMatch(p.String(), raw) && matched(raw):
			t.Errorf("%s and %q: disjoint, but for %q", p, texts, raw)
		case overlap == OverlapUndecided:
			t.Errorf("%s and %q are undecided", p, texts)
		}
	})
}
