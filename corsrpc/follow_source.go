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
	case <-s.notices: // of before: the plan is looked at now
	default:
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	stop := func() {}
	defer func() { stop() }()
	pause, following := firstPause, false
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-s.notices:
		}
		timer.Stop()
		plan, began := l.Plan(), false
		if named := slices.Contains(l.sourceNames(plan), s.name); named != following {
			following, began, pause = named, named, firstPause
			stop()
			if named {
				stop = l.listening(ctx, s)
			}
		}
		next, now := s.period(), time.Now()
		switch set := plan.sets[s.name]; {
		case !following: // Reload tells of a policy that names it
			continue
		case began && set != nil && next == 0: // SourceWait or Reload has asked it
		case began && set != nil && now.Before(set.loaded.Add(next)):
			next = set.loaded.Add(next).Sub(now)
		case l.Refresh(ctx, s.name) != nil: // reported there
			if next == 0 || next > pause {
				next = pause
			}
			pause = min(2*pause, maxPause)
		default:
			pause = firstPause
		}
		if next > 0 {
			timer.Reset(next)
		}
	}
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
		s.notice()
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
		pause = min(2*pause, maxPause)
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
