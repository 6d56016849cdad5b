package corsrpc

import "time"

// WithLongLists has lists of more than n origins stand apart from their rules.
func WithLongLists(n int) CompileOption {
	return compileOption(func(c *compileConfig) { c.longList = n })
}

// PollEvery has Watch poll the policy's file so often.
func (l *Layer) PollEvery(d time.Duration) { l.file.PollEvery = d }

// PollOnly has Watch know of the policy's file what polling tells.
func (l *Layer) PollOnly() { l.file.PollOnly = true }

// RetriesFile reports whether Watch waits to try the content of the policy's file
// again. It is not for when Watch is at work.
func (l *Layer) RetriesFile() bool { return l.file.waiting != nil }
