package corsrpc

import (
	"fmt"
	"strconv"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// SourceOption changes how a layer keeps the origins of a source.
type SourceOption interface{ applyToSource(*source) }

type sourceOption func(*source)

func (o sourceOption) applyToSource(s *source) { o(s) }

// durationOption is an option that sets a duration, which has to be positive.
func durationOption(name string, d time.Duration, set func(*source)) SourceOption {
	return sourceOption(func(s *source) {
		if d <= 0 {
			s.fail(name, d.String()+" is not a positive duration; leave the option out for its default")
			return
		}
		set(s)
	})
}

// SourceMaxAge sets the age of a set beyond which it allows nobody: a source
// that has failed for so long. So that the set of a source that answers never grows
// so old, Watch asks for it again after half of that, where SourceEvery is none or
// longer. That a set is too old is logged once, and reported (SourceReport.Expired).
// Ages are measured by the monotonic clock, so that a wall clock that is set changes
// nothing. Zero or less is an error of New or Load. Default: none, and the last good
// set stays.
func SourceMaxAge(d time.Duration) SourceOption {
	return durationOption("SourceMaxAge", d, func(s *source) { s.maxAge = d })
}

// SourceEvery sets the period after which Watch asks the source again. Zero or less is an
// error of New or Load. Default: none, and only notices, SourceMaxAge and Refresh do.
func SourceEvery(d time.Duration) SourceOption {
	return durationOption("SourceEvery", d, func(s *source) { s.every = d })
}

// SourceWait has Load and New wait for the first set, no longer than d nor than the context
// of LoadContext or NewContext, and fail without one. Zero or less is an error of New or Load.
// Default: they do not wait, and the source allows nobody until Watch or Refresh has asked it.
func SourceWait(d time.Duration) SourceOption {
	return durationOption("SourceWait", d, func(s *source) { s.wait = d })
}

// SourceTimeout sets how long the source may take to stream its set: its context
// ends then, and the set that was there stays. Zero or less is an error of New or Load.
// Default: a minute.
func SourceTimeout(d time.Duration) SourceOption {
	return durationOption("SourceTimeout", d, func(s *source) { s.timeout = d })
}

// SourceMaxOrigins sets how many origins a set may have: a source that streams
// more has failed, so that a wrong query does not fill the memory. Zero or less is an error
// of New or Load. Default: 4,000,000.
func SourceMaxOrigins(n int) SourceOption {
	return sourceOption(func(s *source) {
		if n <= 0 {
			s.fail("SourceMaxOrigins", strconv.Itoa(n)+" is not a positive number; leave the option out for its default")
			return
		}
		s.maxOrigins = n
	})
}

// WithOriginSource gives the source that rules name in allow_origins_from: a name of
// letters, digits, - and _. A source that no rule names is neither asked nor listened to,
// until a policy with such a rule is put in force. A nil source, a name that no rule can
// have, and a name that is given twice are errors of New or Load.
func WithOriginSource(name string, from OriginSource, opts ...SourceOption) LayerOption {
	return layerOption(func(c *layerConfig) {
		s := &source{name: name, from: from, timeout: time.Minute, maxOrigins: 4_000_000, sem: make(chan struct{}, 1), wake: make(chan struct{}, 1)}
		switch {
		case !rules.IsSourceName(name):
			s.fail("WithOriginSource", "the name has to consist of letters, digits, - and _, as in allow_origins_from")
		case c.sources[name] != nil:
			s.fail("WithOriginSource", "the name is given twice")
		}
		if isNil(from) {
			s.fail("WithOriginSource", "the source is nil")
		}
		for _, o := range opts {
			if o == nil {
				s.fail("SourceOption", "the option is nil")
				continue
			}
			o.applyToSource(s)
		}
		c.problems = append(c.problems, s.problems...)
		c.sources[name] = s
	})
}

// fail records a value that an option of the source cannot have.
func (s *source) fail(option, reason string) {
	s.problems = append(s.problems, &OptionError{option, fmt.Sprintf("origin source %q: %s", s.name, reason)})
}
