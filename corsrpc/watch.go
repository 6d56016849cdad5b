package corsrpc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/filewatch"
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

// policyFile is the file that Load read, and how it is read again. Only Watch changes it.
type policyFile struct {
	*filewatch.File
	name   string
	config fileConfig

	waiting *Plan         // of the content, where a source that it names failed; nil for none
	pause   time.Duration // before it is tried again
	retryAt time.Time     // when it is; zero for never
}

// followFile is Watch for the policy file.
func (l *Layer) followFile(ctx context.Context) {
	watcher := l.file.Watch()
	defer watcher.Close()
	for {
		text, err := watcher.Next(ctx, l.file.retryAt)
		switch {
		case err == nil:
			l.reloadFile(ctx, text)
		case ctx.Err() != nil:
			return
		case errors.Is(err, filewatch.ErrUnchanged):
			l.retryFile(ctx)
		default:
			l.reportFileReload(ctx, readError(err))
		}
	}
}

// reloadFile puts the file's new content in force. It takes the place of what waited.
func (l *Layer) reloadFile(ctx context.Context, text []byte) {
	f := l.file
	f.scheduleRetry(nil, 0)
	plan, err := compileFile(f.name, text, f.config)
	if err == nil {
		err = l.reload(ctx, plan)
		if err != nil && !errors.Is(err, ErrUnknownSource) { // which no second try gives
			f.scheduleRetry(plan, firstRetry)
		}
	}
	l.reportFileReload(ctx, err)
}

// scheduleRetry retries a plan after a pause because one of its sources failed; a nil plan
// cancels it.
func (f *policyFile) scheduleRetry(plan *Plan, pause time.Duration) {
	f.waiting, f.pause, f.retryAt = plan, pause, time.Time{}
	if plan != nil {
		f.retryAt = time.Now().Add(pause)
	}
}

// retryFile puts the plan in force that waits, if its sources answer by now. That they did
// not was told.
func (l *Layer) retryFile(ctx context.Context) {
	f := l.file
	if err := l.reload(ctx, f.waiting); err != nil {
		f.scheduleRetry(f.waiting, longer(f.pause))
		return
	}
	f.scheduleRetry(nil, 0)
	l.reportFileReload(ctx, nil)
}

// reportFileReload is reportReload, but for what fails because Watch ends.
func (l *Layer) reportFileReload(ctx context.Context, err error) {
	if ctx.Err() == nil {
		l.reportReload(ctx, err)
	}
}

// followSource asks a source at the start, after each period and at each notice, as
// long as a policy names it. It never ends by itself: a layer has its sources for
// good.
func (l *Layer) followSource(ctx context.Context, s *source) {
	select {
	case <-s.wake: // of before: the plan is looked at now
	default:
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	stopListening := func() {}
	defer func() { stopListening() }()
	state := followState{period: s.period()}
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-s.wake:
		}
		if ctx.Err() != nil { // select may prefer the others
			return
		}
		timer.Stop()
		plan := l.Plan()
		step := state.next(time.Now(), slices.Contains(l.plan.sourceNames(plan), s.name), plan.sets[s.name])
		if step.begins || step.ends {
			stopListening()
			stopListening = func() {}
		}
		if step.begins {
			stopListening = l.startListening(ctx, s)
		}
		wait := step.wait
		if step.load {
			report := l.refresh(ctx, s)
			if report.Err != nil && ctx.Err() != nil {
				return // Watch ends, and the source has not failed
			}
			l.reportSource(ctx, s, report)
			wait = state.loaded(report.Err)
		}
		if wait > 0 {
			timer.Reset(wait)
		}
	}
}

// followState decides when Watch asks a source. It does nothing itself.
type followState struct {
	period time.Duration // after which the source is asked again; 0 for never
	named  bool          // by the policy in force, when it was looked at last
	pause  time.Duration // after the next failure
}

// followStep is what Watch does for a source at a moment.
type followStep struct {
	begins, ends bool          // to follow the source: to listen to its notices
	load         bool          // it for its set
	wait         time.Duration // until the next moment, where it does not ask; 0 until it is woken
}

// next returns the step at a moment when a timer or a notice has woken Watch: whether a
// policy names the source now, and which set of it is in force (nil for none).
func (f *followState) next(now time.Time, named bool, set *sourceSet) (step followStep) {
	step.begins, step.ends = named && !f.named, f.named && !named
	f.named = named
	if step.begins {
		f.pause = firstPause
	}
	switch {
	case !named: // Reload wakes it for a policy that names it
	case !step.begins || set == nil:
		step.load = true
	case f.period > 0: // SourceWait or Reload has asked it
		step.wait = max(0, set.loaded.Add(f.period).Sub(now))
		step.load = step.wait == 0
	}
	return step
}

// asked returns how long to wait after the source was asked; 0 until it is woken.
func (f *followState) loaded(err error) (wait time.Duration) {
	if err == nil {
		f.pause = firstPause
		return f.period
	}
	wait, f.pause = f.pause, longer(f.pause)
	if f.period > 0 {
		wait = min(wait, f.period)
	}
	return wait
}

// listening has the notices of a source passed on until stop is called, which waits
// for that to end: no Notify is called while another is.
func (l *Layer) startListening(ctx context.Context, s *source) (stop func()) {
	n, ok := s.from.(OriginNotifier)
	if !ok {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.listen(ctx, s, n)
	}()
	return func() {
		cancel()
		<-ended
	}
}

// listen passes on the notices of a source. After a failure to listen too, the
// source is asked: a notice may have been missed.
func (l *Layer) listen(ctx context.Context, s *source, n OriginNotifier) {
	pause, connected := firstPause, false
	for ctx.Err() == nil {
		start := time.Now()
		err := notify(ctx, n)
		if ctx.Err() != nil {
			return
		}
		s.wakeUp()
		// The first nil after a failure says no more than that it listens again: a line
		// that is cut as soon as it stands does not have the source asked in a loop.
		if err == nil && connected || time.Since(start) > maxPause {
			pause = firstPause
		}
		if connected = err == nil; connected {
			continue
		}
		report := SourceReport{Name: s.name, Err: fmt.Errorf("corsrpc: origin source %q: waiting for a notice: %w", s.name, err)}
		report.describe(l.Plan().sets[s.name])
		l.reportSource(ctx, s, report)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = longer(pause)
	}
}

// notify turns a panic into an error: it would end the server.
func notify(ctx context.Context, n OriginNotifier) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it panicked: %v", r)
		}
	}()
	return n.Notify(ctx)
}
