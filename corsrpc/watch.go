package corsrpc

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrNoFile is the error of Watch of a layer that Load did not make and that has
// no origin sources: there is nothing to watch.
var ErrNoFile = errors.New("corsrpc: the layer was not made by Load and has no origin sources: there is nothing to watch")

// ErrWatching is the error of Watch of a layer that another call of Watch follows already.
var ErrWatching = errors.New("corsrpc: Watch runs already for this layer")

// Watch follows the policy file and the origin sources until the context ends,
// and returns nil then. Run it in a goroutine of its own, once for a layer.
//
// A changed file is checked whole and put in force in one step, as Reload does; a
// bad one changes nothing and is reported, once for each content. Files that are
// replaced by a rename or by a symbolic link that leads elsewhere (a ConfigMap of
// Kubernetes) are followed, and one that vanishes is awaited. Where nothing tells
// of changes, as on some network file systems, it is looked at every 2 s. A file that is
// written in place is read when it has been left alone for 50 ms: replace files by
// a rename, so that no half of one is ever seen. A policy that names another source
// than the one before, which fails, is tried again after a pause of 2 s that doubles
// up to 30 s, and put in force when it answers; that it fails is reported once.
//
// A source is asked at the start, unless it has been, and then after its period
// and at its notices; where it fails, or cannot tell of changes, again after a pause
// of 100 ms that doubles up to 30 s.
//
// The error is [ErrNoFile] where there is nothing to watch, neither a file nor a source, and
// [ErrWatching] where Watch runs already.
func (l *Layer) Watch(ctx context.Context) error {
	if l.file == nil && len(l.sources) == 0 {
		return ErrNoFile
	}
	if !l.watching.CompareAndSwap(false, true) {
		return ErrWatching
	}
	defer l.watching.Store(false)
	var following sync.WaitGroup
	for _, s := range l.sources {
		following.Go(func() { l.followSource(ctx, s) })
	}
	if l.file != nil {
		l.followFile(ctx)
	}
	following.Wait()
	return nil
}

// The pauses after a failure.
const (
	firstPause = 100 * time.Millisecond
	firstRetry = 2 * time.Second // of a policy, one of whose sources failed
	maxPause   = 30 * time.Second
)

// longer is the pause after the next failure.
func longer(pause time.Duration) time.Duration { return min(2*pause, maxPause) }
