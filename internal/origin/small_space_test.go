package origin

import (
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
)

// smallSpaces are spaces whose origins the tests can list.
var smallSpaces = []space{
	{chars: "ab", maxLabel: 4, maxName: 6, maxPort: 3},
	{chars: "ab", maxLabel: 5, maxName: 7, maxPort: 1},
	{chars: "a", maxLabel: 5, maxName: 9, maxPort: 2},
	{chars: "xn-", maxLabel: 5, maxName: 7, maxPort: 1},
	{chars: "ab", maxLabel: 3, maxName: 5, maxPort: 1},
}

// hosts yields every name of labels of the space that a browser accepts, below a host.
func (sp *space) hosts(below string) iter.Seq[string] {
	return func(yield func(string) bool) {
		var extend func(host string) bool
		extend = func(host string) bool {
			if room := sp.room(host); room > 0 {
				for label := range sp.texts(min(room, sp.maxLabel)) {
					if invalidPunycode(label) == "" && (!yield(label+"."+host) || !extend(label+"."+host)) {
						return false
					}
				}
			}
			return true
		}
		_ = yield(below) && extend(below)
	}
}

// universe is every origin of a space with the scheme https and a host t or below.
func (sp *space) universe() (all []Parsed) {
	for host := range sp.hosts("t") {
		for port := range sp.allPorts() {
			o, ok := Parse(Pattern{scheme: "https"}.at(host, port))
			if !ok {
				panic(host + ":" + port)
			}
			all = append(all, o)
		}
	}
	return all
}

func (sp *space) allPorts() iter.Seq[string] {
	return func(yield func(string) bool) {
		for n := 0; n <= sp.maxPort; n++ {
			if port := []string{"", "1", "2", "3"}[n]; !yield(port) {
				return
			}
		}
	}
}

// randomPatterns makes patterns of a space for https and the hosts of its universe.
type randomPatterns struct {
	*rand.Rand
	space *space
}

func (r randomPatterns) text(max int) string {
	b := make([]byte, r.IntN(max+1))
	for i := range b {
		b[i] = r.space.chars[r.IntN(len(r.space.chars))]
	}
	return string(b)
}

// pattern returns a pattern that readPattern accepts.
func (r randomPatterns) pattern() Pattern {
	for {
		host := "t"
		for r.IntN(3) == 0 {
			host = r.text(2) + "." + host
		}
		port := []string{"", "", ":*", ":1", ":2", ":3"}[r.IntN(min(6, 4+r.space.maxPort-1))]
		var first string
		switch r.IntN(5) {
		case 0:
			first = "*."
		case 1, 2:
			first = r.text(2) + "*" + r.text(2) + "."
		case 3:
			first = r.text(2) + "."
		}
		p, ok := readPattern("https://" + first + host + port)
		if ok && len(p.prefix)+len(p.suffix) < r.space.maxLabel && len(strings.TrimPrefix(first, "*.")+host) <= r.space.maxName {
			return p
		}
	}
}

// set returns patterns of which several together often match all that another one does: those that differ in one place.
func (r randomPatterns) set() (patterns []Pattern) {
	for range r.IntN(4) {
		patterns = append(patterns, r.pattern())
	}
	for range r.IntN(3) {
		p := r.pattern()
		exact := p
		exact.kind, exact.prefix, exact.suffix = kindExact, "", ""
		for _, c := range r.space.chars {
			if r.IntN(12) == 0 {
				continue
			}
			q, e := p, exact
			switch c := string(c); {
			case p.kind != kindStar:
				q.host, e.host = c+"."+p.host, p.prefix+c+p.suffix+"."+p.host
			case r.IntN(8) == 0:
				q.suffix, e.host = c+p.suffix, p.prefix+c+p.suffix+"."+p.host
			default:
				q.prefix, e.host = p.prefix+c, p.prefix+c+p.suffix+"."+p.host
			}
			for _, q := range []Pattern{q, e} {
				if q, ok := readPattern(q.String()); ok && r.IntN(12) > 0 {
					patterns = append(patterns, q)
				}
			}
		}
	}
	for range r.IntN(2) {
		host := r.pattern().host
		for port := range r.space.allPorts() {
			if q, ok := readPattern(Pattern{scheme: "https"}.at(host, port)); ok {
				patterns = append(patterns, q)
			}
		}
	}
	return patterns
}

func matchesAny(patterns []Pattern, o Parsed) bool {
	return slices.ContainsFunc(patterns, func(p Pattern) bool { return p.Match(o) })
}
