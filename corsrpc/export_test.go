package corsrpc

import (
	"time"

	"github.com/fsnotify/fsnotify"
)

// WithLongLists has lists of more than n origins stand apart from their rules.
func WithLongLists(n int) CompileOption {
	return compileOption(func(c *compileConfig) { c.longList = n })
}

// LookEvery has Watch look at the policy's file so often.
func (l *Layer) LookEvery(d time.Duration) { l.file.looks = d }

// FileEvents has Watch know of the policy's file what these channels tell; nil ones
// tell nothing.
func (l *Layer) FileEvents(events chan fsnotify.Event, errors chan error) {
	l.file.watch = func(string) *folderWatcher { return &folderWatcher{events: events, errors: errors} }
}

// ReadFileBy has Watch read the policy's file by a function that is given the one
// which does.
func (l *Layer) ReadFileBy(read func(read func() ([]byte, error)) ([]byte, error)) {
	l.file.read = func(name string, most int) ([]byte, error) {
		return read(func() ([]byte, error) { return readPolicyFile(name, most) })
	}
}

// TriesFileAgain reports whether Watch waits to try the content of the policy's file
// again. It is not for when Watch is at work.
func (l *Layer) TriesFileAgain() bool { return l.file.retry != nil }
