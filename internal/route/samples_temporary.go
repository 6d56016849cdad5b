package route

import "regexp"

// Sample is a request path, with its escaped form if that differs from the default.
type Sample struct{ Path, Escaped string }

var wildcard = regexp.MustCompile(`\{[^}]*\}`)

// Samples returns an instance of each pattern. It is replaced by a version that also has the overlaps of
// patterns.
func Samples(old, next []Pattern) (all []Sample, complete bool) {
	for _, patterns := range [][]Pattern{old, next} {
		for _, p := range patterns {
			all = append(all, Sample{Path: wildcard.ReplaceAllString(p.String(), "witness")})
		}
	}
	return all, true
}
