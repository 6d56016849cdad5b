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

// ErrNoFile is the error of Watch if there is nothing to watch: Load did not make the layer, and
// the layer has no origin sources.
var ErrNoFile = errors.New("corsrpc: the layer was not made by Load and has no origin sources: there is nothing to watch")

// ErrWatching is the error of Watch if another call of Watch is running for the layer.
var ErrWatching = errors.New("corsrpc: Watch is already running for this layer: call Watch only once")

// Watch follows the policy file and the origin sources until the context ends, and then returns
// nil. Call it once for each layer, in a goroutine of its own.
//
// When the file changes, Watch checks the new policy and puts it in force in one step, as Reload
// does. An invalid policy, and one that grants more than the guard of WithGuard, changes nothing
// and is reported once. Watch follows files that are
// replaced by a rename or through a symbolic link, as in a Kubernetes ConfigMap, and waits for a
// file that was removed to come back. It also polls the file every 2 s, for file systems that do
// not report changes. Watch reads a file when it has not changed for 50 ms; to be sure that it
// never reads half a policy, replace the file by a rename. If a source that only the new policy
// names fails, Watch reports that once and tries the policy again after 2 s, then after twice the
// last pause, up to 30 s.
//
// Watch loads each source that the policy names: at the start, unless it is loaded already, and
// then after each period (SourceEvery, SourceMaxAge) and each notification (OriginNotifier). After
// a failure it tries again after 100 ms, then after twice the last pause, up to 30 s.
//
// Watch returns [ErrNoFile] if there is neither a file nor a source to watch, and [ErrWatching] if
// another call is running.
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

// Pauses between attempts after a failure. A pause doubles after each failure, up to maxPause.
const (
	firstPause = 100 * time.Millisecond
	firstRetry = 2 * time.Second // for a policy one of whose sources failed
	maxPause   = 30 * time.Second
)

// longer returns the pause that follows a pause after another failure.
func longer(pause time.Duration) time.Duration { return min(2*pause, maxPause) }

// policyFile is the file that Load read, with the state of Watch. Only Watch modifies it.
type policyFile struct {
	*filewatch.File
	name   string
	config fileConfig

	waiting *Plan         // the plan that is retried, because one of its sources failed; nil if there is none
	pause   time.Duration // the pause before the retry
	retryAt time.Time     // the time of the retry; zero if there is none
}

// followFile does the work of Watch for the policy file.
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

// reloadFile puts new content of the file in force. It cancels a pending retry.
func (l *Layer) reloadFile(ctx context.Context, text []byte) {
	f := l.file
	f.scheduleRetry(nil, 0)
	plan, err := compileFile(f.name, text, f.config)
	if err == nil {
		err = l.reload(ctx, plan)
		if err != nil && retryMaySucceed(err) {
			f.scheduleRetry(plan, firstRetry)
		}
	}
	l.reportFileReload(ctx, err)
}

// retryMaySucceed reports whether the same plan may be put in force later, although it could not be
// with this error. It never is if the layer lacks one of its sources, or if it grants more than the guard.
func retryMaySucceed(err error) bool {
	var wider *GuardError
	return !errors.Is(err, ErrUnknownSource) && !errors.As(err, &wider)
}

// scheduleRetry retries a plan after a pause because one of its sources failed; a nil plan
// cancels it.
func (f *policyFile) scheduleRetry(plan *Plan, pause time.Duration) {
	f.waiting, f.pause, f.retryAt = plan, pause, time.Time{}
	if plan != nil {
		f.retryAt = time.Now().Add(pause)
	}
}

// retryFile tries again to put the waiting plan in force. It reports success only: the failure was
// reported before.
func (l *Layer) retryFile(ctx context.Context) {
	f := l.file
	if err := l.reload(ctx, f.waiting); err != nil {
		f.scheduleRetry(f.waiting, longer(f.pause))
		return
	}
	f.scheduleRetry(nil, 0)
	l.reportFileReload(ctx, nil)
}

// reportFileReload reports a reload, unless Watch ends, which makes reloads fail.
func (l *Layer) reportFileReload(ctx context.Context, err error) {
	if ctx.Err() == nil {
		l.reportReload(ctx, err)
	}
}

// followSource does the work of Watch for one source: while a policy names the source, it loads it
// at the start, after each period and after each notification. It returns when the context ends.
func (l *Layer) followSource(ctx context.Context, s *source) {
	select {
	case <-s.wake: // drop a wake-up from before: the first step looks at the current plan
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
		if ctx.Err() != nil { // select chooses at random among cases that are ready
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
				return // the load failed because Watch ends
			}
			l.reportSource(ctx, s, report)
			wait = state.loaded(report.Err)
		}
		if wait > 0 {
			timer.Reset(wait)
		}
	}
}

// followState decides when Watch loads a source. It is a state machine without side effects.
type followState struct {
	period time.Duration // the source is loaded again after this time; 0 for never
	named  bool          // whether the plan in force named the source at the last step
	pause  time.Duration // the pause after the next failure
}

// followStep is what followSource does in one step.
type followStep struct {
	begins, ends bool          // begin or end listening to the notifications of the source
	load         bool          // load the source
	wait         time.Duration // if load is false: the time until the next step; 0 to wait for a wake-up
}

// next returns the step to take when a timer or a wake-up has ended the wait: named is whether the
// plan in force or its shadow names the source now, and set is its set in force, or nil.
func (f *followState) next(now time.Time, named bool, set *sourceSet) (step followStep) {
	step.begins, step.ends = named && !f.named, f.named && !named
	f.named = named
	if step.begins {
		f.pause = firstPause
	}
	switch {
	case !named: // Reload wakes followSource for a plan that names it
	case !step.begins || set == nil:
		step.load = true
	case f.period > 0: // SourceWait or Reload has loaded it
		step.wait = max(0, set.loaded.Add(f.period).Sub(now))
		step.load = step.wait == 0
	}
	return step
}

// loaded returns how long to wait after the source was loaded or failed; 0 to wait for a wake-up.
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

// startListening listens to the notifications of a source until stop is called. stop returns when
// the last call of Notify has returned, so calls of Notify do not overlap.
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

// listen wakes up followSource after each notification. It does so after an error too, since a
// notification may have been missed.
func (l *Layer) listen(ctx context.Context, s *source, n OriginNotifier) {
	pause, connected := firstPause, false
	for ctx.Err() == nil {
		start := time.Now()
		err := notify(ctx, n)
		if ctx.Err() != nil {
			return
		}
		s.wakeUp()
		// A connection that breaks as soon as it is made must not cause a fast loop of loads.
		// So the pause starts over only after the second success in a row, or after a long wait.
		if err == nil && connected || time.Since(start) > maxPause {
			pause = firstPause
		}
		if connected = err == nil; connected {
			continue
		}
		report := SourceReport{Name: s.name, Err: fmt.Errorf("corsrpc: origin source %q: waiting for a notification: %w", s.name, err)}
		report.describe(l.Plan().sets[s.name])
		l.reportSource(ctx, s, report)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = longer(pause)
	}
}

// notify calls Notify and returns a panic as an error, since it would end the server.
func notify(ctx context.Context, n OriginNotifier) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic in Notify: %v", r)
		}
	}()
	return n.Notify(ctx)
}
