package corsrpc

import (
	"context"
	"fmt"
	"slices"
	"time"
)

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
	hangUp := func() {}
	defer func() { hangUp() }()
	state := followState{period: s.period()}
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-s.wake:
		}
		timer.Stop()
		plan := l.Plan()
		step := state.next(time.Now(), slices.Contains(l.plan.sourceNames(plan), s.name), plan.sets[s.name])
		if step.begins || step.ends {
			hangUp()
			hangUp = func() {}
		}
		if step.begins {
			hangUp = l.listening(ctx, s)
		}
		wait := step.wait
		if step.asks {
			wait = state.asked(l.Refresh(ctx, s.name)) // which reports the error
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
	asks         bool          // it for its set
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
		step.asks = true
	case f.period > 0: // SourceWait or Reload has asked it
		step.wait = max(0, set.loaded.Add(f.period).Sub(now))
		step.asks = step.wait == 0
	}
	return step
}

// asked returns how long to wait after the source was asked; 0 until it is woken.
func (f *followState) asked(err error) (wait time.Duration) {
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
func (l *Layer) listening(ctx context.Context, s *source) (stop func()) {
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
