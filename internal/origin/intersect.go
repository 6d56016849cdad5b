package origin

import (
	"iter"
	"strings"
)

// Intersect returns patterns that together match the origins that both p and q match. There are none if p and q have no
// origin in common, and more than one only if both have a star within the first label.
func (p Pattern) Intersect(q Pattern) []Pattern {
	switch {
	case q.kind == kindAny, p == q:
		return nonZero(p)
	case p.kind == kindAny:
		return nonZero(q)
	case p.scheme != q.scheme:
		return nil
	case q.kind == kindInstallation:
		return []Pattern{p}
	case p.kind == kindInstallation:
		return []Pattern{q}
	case p.port == "*":
		p.port = q.port
	case q.port == "*":
		q.port = p.port
	}
	if p.port != q.port {
		return nil
	}
	if p.kind > q.kind { // exact patterns are first, and those with a star last
		p, q = q, p
	}
	switch {
	case p == q, p.kind == kindExact && p.isHostOf(q), q.kind == kindWildcard && isBelow(p.host, q.host):
		return []Pattern{p}
	case p.kind == kindWildcard && (q.kind == kindStar && q.host == p.host || isBelow(q.host, p.host)):
		return []Pattern{q}
	case p.kind == kindStar && p.host == q.host:
		return p.intersectStar(q)
	}
	return nil
}

// nonZero returns a list of a pattern, which is empty for the zero value.
func nonZero(p Pattern) []Pattern {
	if p == (Pattern{}) {
		return nil
	}
	return []Pattern{p}
}

// isHostOf reports whether the host of p is one that q matches.
func (p Pattern) isHostOf(q Pattern) bool {
	return q.kind == kindWildcard && isBelow(p.host, q.host) || q.kind == kindStar && q.matchStar(p.host)
}

// intersectStar is Intersect for two patterns with a star that differ in its label only. The labels are those with both
// prefixes and both suffixes, and in addition some in which a prefix and a suffix overlap or touch.
func (p Pattern) intersectStar(q Pattern) (both []Pattern) {
	prefix, suffix := longer(p.prefix, q.prefix), longer(p.suffix, q.suffix)
	if !strings.HasPrefix(prefix, p.prefix) || !strings.HasPrefix(prefix, q.prefix) || !strings.HasSuffix(suffix, p.suffix) || !strings.HasSuffix(suffix, q.suffix) {
		return nil
	}
	room := min(everyOrigin.room(p.host), everyOrigin.maxLabel)
	if len(prefix)+len(suffix) < room {
		star := p
		star.prefix, star.suffix = prefix, suffix
		both = append(both, star)
	}
	for label := range overlapping(p, q, room) {
		both = append(both, Pattern{kind: kindExact, scheme: p.scheme, host: label + "." + p.host, port: p.port})
	}
	return both
}

// longer returns the longer one of two texts.
func longer(a, b string) string {
	if len(b) > len(a) {
		return b
	}
	return a
}

// overlapping yields the labels of at most max bytes that the stars of two patterns match, and in which the longer prefix
// and the longer suffix overlap, or have nothing in between.
func overlapping(a, b Pattern, max int) iter.Seq[string] {
	prefix, suffix := longer(a.prefix, b.prefix), longer(a.suffix, b.suffix)
	shortest := len(longer(a.prefix+a.suffix, b.prefix+b.suffix)) + 1
	return func(yield func(string) bool) {
		for n := min(max, len(prefix)+len(suffix)); n >= shortest && n >= len(prefix) && n >= len(suffix); n-- {
			label := prefix + suffix[len(prefix)+len(suffix)-n:]
			if strings.HasSuffix(label, suffix) && !strings.HasPrefix(label, "xn--") && !yield(label) {
				return
			}
		}
	}
}
