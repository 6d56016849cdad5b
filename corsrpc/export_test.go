package corsrpc

import (
	"time"

	"github.com/corsrpc/corsrpc-go/internal/analysis"
)

// WithLongLists sets the number of origins beyond which a list is kept apart from the policy.
func WithLongLists(n int) CompileOption {
	return compileOption(func(c *compileConfig) { c.longList = n })
}

// PollEvery sets the period in which Watch polls the policy file.
func (l *Layer) PollEvery(d time.Duration) { l.file.PollEvery = d }

// PollOnly makes Watch notice changes of the policy file by polling only.
func (l *Layer) PollOnly() { l.file.PollOnly = true }

// RetriesFile reports whether Watch is going to retry the content of the policy file. Do not call it
// while Watch is working.
func (l *Layer) RetriesFile() bool { return l.file.waiting != nil }

// GuardErrorOf returns the error of a layer with a guard for the result of a comparison.
func GuardErrorOf(compared *analysis.Comparison, guard, plan *Plan) error {
	return guardError(compared, analysis.NewSentences(guard.rules, plan.rules))
}
