package corsrpc

import (
	"time"

	"github.com/corsrpc/corsrpc-go/internal/origin"
)

// sourceSet is what a source streamed. It is immutable.
type sourceSet struct {
	origins *origin.Table
	loaded  time.Time
	expires time.Time // zero for never
}

// allows reports whether the set holds the origin and is not too old.
func (s *sourceSet) allows(o string) bool {
	if s == nil {
		return false
	}
	return s.origins.Has(o) && !s.expired()
}

// expired reports whether the set is so old that it allows nobody.
func (s *sourceSet) expired() bool { return !s.expires.IsZero() && !time.Now().Before(s.expires) }

// isTenantOrigin reports whether a row is one exact origin that a policy could
// name without accepting a risk.
func isTenantOrigin(row string) bool {
	if _, ok := origin.Parse(row); !ok {
		return false // which no pattern is
	}
	_, problems := origin.ParsePattern(row)
	return len(problems) == 0
}

// WithSets returns the plan with origins for its sources, by their names, as a layer
// reads them: rows that are not exact origins count for nothing. It is for deciding without
// a layer, in tests and tools.
func (p *Plan) WithSets(origins map[string][]string) *Plan {
	sets := map[string]*sourceSet{}
	for name, rows := range origins {
		set := &sourceSet{origins: origin.NewTable()}
		for _, row := range rows {
			if isTenantOrigin(row) {
				set.origins.Add(row)
			}
		}
		sets[name] = set
	}
	bound := *p
	bound.sets = sets
	return &bound
}
