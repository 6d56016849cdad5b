package corsrpc

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
)

// Layer carries a plan out around HTTP handlers. It is safe for concurrent
// use; one layer may wrap any number of handlers.
type Layer struct {
	plan     atomic.Pointer[Plan]
	observer Observer
	refusals *refusalLog // nil where nothing is logged
	replaced atomic.Bool // whether a handler's own CORS headers were reported
	hinted   atomic.Bool // whether a missing path prefix was
}

// New returns a layer for a plan. The error says what the plan needs and the
// options do not give.
func New(plan *Plan, opts ...LayerOption) (*Layer, error) {
	if plan == nil {
		return nil, errors.New("corsrpc: New was given no plan: pass what Compile returns")
	}
	c := layerConfig{logger: slog.Default()}
	for _, o := range opts {
		o.applyToLayer(&c)
	}
	l := &Layer{observer: c.observer}
	if c.logger != nil {
		l.refusals = newRefusalLog(c.logger)
	}
	l.plan.Store(plan)
	return l, nil
}

// Plan returns the plan in force.
func (l *Layer) Plan() *Plan { return l.plan.Load() }

// Wrap puts the layer around a handler: one generated handler, a mux, or a
// proxy. It belongs outside of everything that answers requests, such as
// authentication and a mux with method patterns, so that preflights reach it
// and every error is readable; and inside of http.StripPrefix, or told of the
// prefix by WithPathPrefix.
//
// It does what Decide says and what Apply writes, and nothing else. A layer
// around a handler that is already behind another layer still refuses what its
// own plan refuses, and leaves the answers to the other one.
func (l *Layer) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d := l.plan.Load().Decide(RequestOf(r))
		l.report(r, d)
		switch {
		case d.outcome == OutcomeUntouched:
			l.hintAtPrefix(r)
			next.ServeHTTP(w, r)
		case d.answered():
			answer(w, d)
		case d.upgrade, !d.touchesAnswer(), isWrapped(w):
			next.ServeHTTP(w, r)
		default:
			l.serve(w, r, d, next)
		}
	})
}

// answered reports whether the layer answers itself.
func (d Decision) answered() bool {
	_, _, ok := d.Answer()
	return ok
}

// touchesAnswer reports whether Apply changes anything.
func (d Decision) touchesAnswer() bool {
	if d.outcome == OutcomeGrant {
		return true
	}
	return (d.method == http.MethodGet || d.method == http.MethodHead) && (d.vary() != "" || d.open())
}

// answer writes the layer's own answer.
func answer(w http.ResponseWriter, d Decision) {
	status, body, _ := d.Answer()
	d.Apply(status, w.Header())
	w.WriteHeader(status)
	if body != "" {
		io.WriteString(w, body) // nobody is left to tell of an error
	}
}

// serve runs the handler with a writer that applies the decision when the
// response commits. What panics is not recovered, and nothing is written
// after it.
func (l *Layer) serve(w http.ResponseWriter, r *http.Request, d Decision, next http.Handler) {
	wrapped, c := wrapWriter(w, d, l)
	next.ServeHTTP(wrapped, r)
	c.commit(http.StatusOK) // net/http commits what the handler left open
}

// report tells the log and the observer of a decision.
func (l *Layer) report(r *http.Request, d Decision) {
	if l.refusals != nil && d.isRefusal() {
		l.refusals.decision(r.Context(), r, d)
	}
	if l.observer != nil {
		l.observe(r.Context(), Event{Kind: EventDecision, Decision: d})
	}
}

// observe keeps an observer that panics from the request.
func (l *Layer) observe(ctx context.Context, e Event) {
	defer func() { _ = recover() }()
	l.observer.Observe(ctx, e)
}
