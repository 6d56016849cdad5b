package corsrpc

import (
	"github.com/corsrpc/corsrpc-go/internal/origin"
)

// explainable reports whether pages of an origin belong to the developers of the service, so that
// they may learn why they are refused. These are loopback pages, and pages whose origin a rule of
// the policy names or matches by a pattern that pages of unrelated owners do not have. An origin
// source does not make its origins explainable.
func (p *Plan) explainable(raw string) bool { return p.ownerOf(&requestOrigin{raw: raw}) != "" }

// ownerOf returns what makes an origin explainable: the origin itself if a rule names it, or else a
// pattern that matches it, or else loopbackOwner. It is empty if the origin is not explainable.
// Clients can invent any number of origins, but not of owners.
func (p *Plan) ownerOf(from *requestOrigin) string {
	parsed := from.parts()
	if parsed.IsZero() {
		return ""
	}
	if pattern := p.namedPattern(from); pattern != "" || !parsed.IsLoopback() {
		return pattern
	}
	return loopbackOwner
}

// loopbackOwner is the owner of loopback origins that no rule names or matches. It is not a pattern.
const loopbackOwner = "loopback"

// namedPattern returns the pattern that makes an origin explainable; the origin itself if a rule
// names it. It is empty if there is none.
func (p *Plan) namedPattern(from *requestOrigin) (pattern string) {
	for _, set := range p.namedOrigins() {
		if set == from.notIn {
			continue
		}
		if found, ok := set.Owner(from.raw, from.parts()); ok && (pattern == "" || found == from.raw) {
			pattern = found
		}
	}
	return pattern
}

// Bounds of mergedSets.
const (
	maxMerged   = 1000 // the number of patterns from which on a set is large
	maxUnmerged = 8    // the number of large sets that are not merged
)

// mergedSets returns sets that match together what the given sets match. It leaves a few large sets
// as they are and merges the others, so that a policy with thousands of rules takes few lookups.
func mergedSets(sets []*origin.Set) (merged []*origin.Set) {
	if len(sets) == 1 {
		return sets
	}
	var patterns []origin.Pattern
	seen := map[string]bool{} // a profile adds the same origins to many rules
	for _, set := range sets {
		if set.Len() > maxMerged && len(merged) < maxUnmerged {
			merged = append(merged, set)
			continue
		}
		for _, text := range set.Patterns().All {
			if seen[text] {
				continue
			}
			seen[text] = true
			pattern, _ := origin.ParsePattern(text)
			patterns = append(patterns, pattern)
		}
	}
	return append(merged, origin.NewSet(patterns))
}
