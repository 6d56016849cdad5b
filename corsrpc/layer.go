package corsrpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"

	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// Layer carries a plan out around HTTP handlers. It is safe for concurrent
// use; one layer may wrap any number of handlers. Load and New make layers: the zero value
// has no plan, Wrap of it panics, and its other methods return an error or a zero value.
type Layer struct {
	plan      livePlan
	sources   map[string]*source // by name
	file      *policyFile        // nil where Load did not make the layer
	observers observers
	log       *eventLog // nil where nothing is logged

	reloading chan struct{} // holds one item from the first source that reload asks to the swap; taken before plan.mu

	watching atomic.Bool // whether Watch runs
	replaced atomic.Bool // whether a handler's own CORS headers were reported
	hinted   atomic.Bool // whether a missing path prefix was
}

// New returns a layer for a plan. The error joins an *OptionError for each option
// without a meaning and an [ErrUnknownSource] for each source that the plan names and no
// option gives; or it says why a source failed that SourceWait waits for, or why a
// LayerObserver does not take the layer.
func New(plan *Plan, opts ...LayerOption) (*Layer, error) {
	return NewContext(context.Background(), plan, opts...)
}

// NewContext is New with a context that bounds how long origin sources are waited for
// (SourceWait). Where none is, it has no effect, and it has none on the layer.
func NewContext(ctx context.Context, plan *Plan, opts ...LayerOption) (*Layer, error) {
	return newLayer(ctx, plan, newLayerConfig(opts), nil)
}

// newLayer makes a layer whole before an observer is told of it: file is the one that Load read.
func newLayer(ctx context.Context, plan *Plan, c *layerConfig, file *policyFile) (*Layer, error) {
	if plan.missing() {
		return nil, errors.Join(append(c.problems, errors.New("corsrpc: New was given no plan: pass what Compile returns"))...)
	}
	l := &Layer{reloading: make(chan struct{}, 1), observers: observersOf(c.observers), sources: c.sources, file: file, plan: livePlan{shadow: c.shadow, explain: c.explain}}
	named := l.plan.sourceNames(plan)
	if err := errors.Join(append(c.problems, l.missingSources(named))...); err != nil {
		return nil, err
	}
	if c.logger.Handler() != slog.DiscardHandler {
		l.log = newEventLog(c.logger)
		l.log.started(c.explain)
	}
	l.plan.replace(plan, nil)
	for _, name := range named {
		if err := l.awaitSource(ctx, l.sources[name]); err != nil {
			return nil, err
		}
	}
	if err := l.attach(c.observers); err != nil {
		return nil, err
	}
	return l, nil
}

// awaitSource asks a source that SourceWait is given for.
func (l *Layer) awaitSource(ctx context.Context, s *source) error {
	if s.wait == 0 || l.Plan().sets[s.name] != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.wait)
	defer cancel()
	return l.Refresh(ctx, s.name)
}

// errZeroLayer is the error of a layer that Load or New did not make.
var errZeroLayer = errors.New("corsrpc: the Layer is its zero value: make one with corsrpc.Load or corsrpc.New")

// isZero reports whether Load or New did not make the layer.
func (l *Layer) isZero() bool { return l.plan.Load() == nil }

// Plan returns the plan in force, with the sets of its origin sources.
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
//
// It panics where the layer is its zero value or there is no handler: at once, and not when
// a request comes.
func (l *Layer) Wrap(next http.Handler) http.Handler {
	if l.isZero() {
		panic(errZeroLayer.Error())
	}
	if isNil(next) {
		panic("corsrpc: Wrap was given no handler")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		plan, origins := l.plan.Load(), r.Header["Origin"]
		if len(origins) == 0 && !l.observers.want(EventDecision) && plan.shadow == nil && fromServer(r) {
			next.ServeHTTP(w, r) // whatever the plan: it passes, and its answer is left as it is
			return
		}
		request := RequestOf(r)
		var d Decision
		plan.decide(&d, &request, origins)
		d.explained = plan.explain
		l.report(r, &request, &d)
		if plan.shadow != nil {
			l.compare(r, &request, d, plan.shadow.Decide(request))
		}
		switch {
		case d.outcome == OutcomeUntouched:
			l.logMissingPrefix(r)
			next.ServeHTTP(w, r)
		case d.answered():
			answer(w, &d)
		case d.observed, d.upgrade, !d.changesResponse(), isWrapped(w):
			next.ServeHTTP(w, r)
		default:
			l.serve(w, r, &d, next)
		}
	})
}

// fromServer reports whether a request without Origin is a call that no browser
// makes: another server's, most often.
func fromServer(r *http.Request) bool {
	return r.Method == http.MethodPost && len(r.Header["Sec-Fetch-Site"]) == 0
}

// answer writes the layer's own answer.
func answer(w http.ResponseWriter, d *Decision) {
	status, body := d.reply()
	d.apply(status, d.headerWriter(w.Header()))
	w.WriteHeader(status)
	if body != "" {
		io.WriteString(w, body) // nobody is left to tell of an error
	}
}

// serve runs the handler with a writer that applies the decision when the
// response commits. What panics is not recovered, and nothing is written
// after it.
func (l *Layer) serve(w http.ResponseWriter, r *http.Request, d *Decision, next http.Handler) {
	wrapped, c := wrapWriter(w, d, l)
	next.ServeHTTP(wrapped, r)
	c.commit(http.StatusOK) // net/http commits what the handler left open
}

// report tells the log and the observers of a decision.
func (l *Layer) report(r *http.Request, request *Request, d *Decision) {
	if d.refused() {
		if l.log != nil {
			l.log.refused(r.Context(), r, d)
		}
		if l.observers.want(EventRefusal) {
			l.observers.observe(r.Context(), Event{Kind: EventRefusal, Decision: *d, Request: *request})
		}
	}
	if l.observers.want(EventDecision) {
		l.observers.observe(r.Context(), Event{Kind: EventDecision, Decision: *d, Request: *request})
	}
}

// compare reports where a candidate policy decides otherwise than the one in
// force.
func (l *Layer) compare(r *http.Request, request *Request, d, shadow Decision) {
	if d.equivalent(shadow) {
		return
	}
	if l.log != nil {
		l.log.differed(r.Context(), r, d, shadow)
	}
	if l.observers.want(EventShadow) {
		l.observers.observe(r.Context(), Event{Kind: EventShadow, Decision: d, Shadow: shadow, Request: *request})
	}
}

// logMissingPrefix logs, once for a layer, that a preflight asks for a path that
// ends in a known procedure's but is not governed: most likely the layer
// stands outside of http.StripPrefix and was not told.
func (l *Layer) logMissingPrefix(r *http.Request) {
	if l.log == nil || r.Method != http.MethodOptions || len(r.Header["Access-Control-Request-Method"]) == 0 || l.hinted.Load() {
		return
	}
	prefix, ok := l.plan.Load().missingPrefix(r.URL.Path)
	if !ok || !l.hinted.CompareAndSwap(false, true) {
		return
	}
	l.log.Write(r.Context(), slog.LevelWarn,
		"corsrpc: a preflight asks for a procedure below a path prefix that the layer was not told of, so neither is governed; logged once",
		slog.String("path", safetext.Sample(r.URL.Path)),
		slog.String("remedy", "WithPathPrefix("+strconv.Quote(safetext.Sample(prefix))+"), or mount the layer inside of http.StripPrefix"))
}

// reportReplaced logs, once for a layer, that something behind it writes CORS
// headers of its own: two sources of them break every call.
func (l *Layer) reportReplaced(e effect) {
	if l.log == nil || !l.replaced.CompareAndSwap(false, true) {
		return
	}
	l.log.Write(context.Background(), slog.LevelWarn,
		"corsrpc: replaced CORS headers that the handler or something behind it wrote; logged once",
		slog.String("target", e.knownTarget()),
		slog.String("remedy", "remove the other CORS middleware, or the headers from the handler"))
}

// CheckOrigin reports whether a WebSocket handshake, or another upgrade, may go on:
// from the server's own origin, from a program that is no browser, or from an origin
// that the rule of the path or procedure grants with credentials, since a handshake
// carries cookies whoever starts it, and CORS does not guard it. It is what an
// upgrader asks for:
//
//	upgrader := websocket.Upgrader{CheckOrigin: layer.CheckOrigin}
//
// It looks at the request's path as it is: inside of an http.StripPrefix that Wrap stands
// outside of, the policy needs rules for the paths without the prefix, too. Behind Wrap it
// holds as well where no rule governs the path. It answers the same under
// enforcement: OBSERVE, so that nothing opens by it. What it refuses is logged and
// observed as a decision of its own, beside Wrap's of the same request; what it lets go on
// is not, and a shadow policy is not asked. It is safe for concurrent use.
//
// See https://www.rfc-editor.org/rfc/rfc6455#section-10.2.
func (l *Layer) CheckOrigin(r *http.Request) bool {
	plan := l.plan.Load()
	if plan == nil { // the layer is its zero value
		return false
	}
	request := RequestOf(r)
	t := plan.find(&request)
	if t.kind == targetNone {
		t = plan.noOrigins
	}
	var d Decision
	plan.decideOn(&d, t, &request, r.Header["Origin"], true)
	if d.outcome == OutcomePass {
		return true
	}
	l.report(r, &request, &d)
	return false
}

// Wrap puts the plan around a handler as the Wrap of a layer that has it does, for tests and
// tools, but neither a log nor an observer is told of what it decides. It decides by this plan for good, and by
// the sets that the plan has: see WithSets, and Layer.Plan. It panics where the plan is nil
// or zero, or there is no handler.
func (p *Plan) Wrap(next http.Handler) http.Handler {
	if p.missing() {
		panic("corsrpc: Wrap of a Plan that Compile did not return")
	}
	alone := *p
	alone.shadow = nil
	l := &Layer{}
	l.plan.bound.Store(&alone)
	return l.Wrap(next)
}

// attach tells the layer to the observers that need it.
func (l *Layer) attach(given []Observer) error {
	for _, o := range given {
		if o, ok := o.(LayerObserver); ok {
			if err := o.Attach(l); err != nil {
				return fmt.Errorf("corsrpc: WithObserver: %w", err)
			}
		}
	}
	return nil
}
