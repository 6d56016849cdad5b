package corsrpc

import (
	"fmt"
	"strconv"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// SourceOption configures how a layer loads an origin source and keeps its set.
type SourceOption interface{ applyToSource(*source) }

type sourceOption func(*source)

func (o sourceOption) applyToSource(s *source) { o(s) }

// durationOption returns an option that sets a positive duration.
func durationOption(name string, d time.Duration, set func(*source)) SourceOption {
	return sourceOption(func(s *source) {
		if d <= 0 {
			s.fail(name, d.String()+" is not a positive duration: leave the option out to use its default")
			return
		}
		set(s)
	})
}

// SourceMaxAge sets the maximum age of a source's set. An older set allows no origin; a set gets as
// old only if the source keeps failing, since Watch loads it again after half of the maximum age
// (or after SourceEvery, if that is shorter). The layer logs an expired set once, and reports it in
// SourceReport.Expired. Changes of the wall clock have no effect on ages. Zero or less is an error
// of New or Load. Default: no maximum, and the last set that was loaded stays.
func SourceMaxAge(d time.Duration) SourceOption {
	return durationOption("SourceMaxAge", d, func(s *source) { s.maxAge = d })
}

// SourceEvery sets the period after which Watch loads the source again. Zero or less is an error of
// New or Load. Default: no period, and Watch loads the source after notifications (OriginNotifier)
// and as SourceMaxAge needs.
func SourceEvery(d time.Duration) SourceOption {
	return durationOption("SourceEvery", d, func(s *source) { s.every = d })
}

// SourceWait makes Load and New wait until the source is loaded, for at most d and no longer than
// the context of LoadContext or NewContext. If it is not loaded by then, they fail. Zero or less is
// an error of New or Load. Default: they do not wait, and the source allows no origin until Watch
// or Refresh has loaded it.
func SourceWait(d time.Duration) SourceOption {
	return durationOption("SourceWait", d, func(s *source) { s.wait = d })
}

// SourceTimeout sets the maximum time for loading the source. The context of Origins ends then, and
// the previous set stays. Zero or less is an error of New or Load. Default: one minute.
func SourceTimeout(d time.Duration) SourceOption {
	return durationOption("SourceTimeout", d, func(s *source) { s.timeout = d })
}

// SourceMaxOrigins sets the maximum number of origins in the set, which bounds the memory that a
// wrong query can take. A source that streams more fails, and its previous set stays. Zero or less
// is an error of New or Load. Default: 4,000,000.
func SourceMaxOrigins(n int) SourceOption {
	return sourceOption(func(s *source) {
		if n <= 0 {
			s.fail("SourceMaxOrigins", strconv.Itoa(n)+" is not a positive number: leave the option out to use its default")
			return
		}
		s.maxOrigins = n
	})
}

// WithOriginSource gives the layer an origin source, under the name that rules have in
// allow_origins_from. The name consists of letters, digits, - and _. The layer neither loads nor
// listens to a source until a plan that names it is put in force. A nil source, an invalid name and
// a name that is given twice are errors of New or Load.
func WithOriginSource(name string, from OriginSource, opts ...SourceOption) LayerOption {
	return layerOption(func(c *layerConfig) {
		s := &source{name: name, from: from, timeout: time.Minute, maxOrigins: 4_000_000, sem: make(chan struct{}, 1), wake: make(chan struct{}, 1)}
		switch {
		case !rules.IsSourceName(name):
			s.fail("WithOriginSource", "the name is not valid: it has to consist of letters, digits, - and _, as in allow_origins_from")
		case c.sources[name] != nil:
			s.fail("WithOriginSource", "the name is given twice: use each name once")
		}
		if isNil(from) {
			s.fail("WithOriginSource", "the source is nil: pass a source, or leave the option out")
		}
		for _, o := range opts {
			if o == nil {
				s.fail("SourceOption", "the option is nil: leave it out")
				continue
			}
			o.applyToSource(s)
		}
		c.problems = append(c.problems, s.problems...)
		c.sources[name] = s
	})
}

// fail records an invalid value of an option.
func (s *source) fail(option, reason string) {
	s.problems = append(s.problems, &OptionError{option, fmt.Sprintf("origin source %q: %s", s.name, reason)})
}
