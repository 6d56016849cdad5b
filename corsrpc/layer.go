package corsrpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
)

// Layer is a middleware that enforces a plan for HTTP handlers. One layer may wrap any number of
// handlers. It is safe for concurrent use. Load and New make layers. The zero value has no plan:
// its Wrap panics, and its other methods return an error or a zero value.
type Layer struct {
	plan      livePlan
	sources   map[string]*source // by name
	file      *policyFile        // nil unless Load made the layer
	observers observers
	guard     *Plan             // the plan of WithGuard; nil if there is none
	log       *eventLog         // nil if the logger discards everything
	readable  *readableRefusals // nil unless WithExplain is given

	ungoverned *ungovernedRequests // nil if neither the log nor an observer wants it
	awaited    *awaitedCalls       // likewise

	reloading chan struct{} // a semaphore: holds one item while reload loads sources and replaces the plan; taken before plan.mu

	watching atomic.Bool // whether Watch runs
	replaced atomic.Bool // whether reportReplaced has logged
	writers  writerReports

	writerKinds writerKinds

	found atomic.Pointer[findings] // the findings that logFindings logged last; nil before
}

// New returns a layer for a plan. The error joins an *OptionError for each invalid option and a
// *PolicyError that matches [ErrUnknownSource] and lists each source that the plan names and no
// option gives, with its place in the policy. New fails with a *GuardError if the plan grants more than
// the guard of WithGuard. New also fails if a source with SourceWait does not load in time, or if a
// LayerObserver refuses the layer.
func New(plan *Plan, opts ...LayerOption) (*Layer, error) {
	return NewContext(context.Background(), plan, opts...)
}

// NewContext is New with a context that bounds how long New waits for origin sources
// (SourceWait). The context has no other effect, and none on the returned layer.
func NewContext(ctx context.Context, plan *Plan, opts ...LayerOption) (*Layer, error) {
	return newLayer(ctx, plan, newLayerConfig(opts), nil)
}

// newLayer makes a layer. file is the policy file that Load has read, or nil. Observers are
// attached last, when nothing else can fail.
func newLayer(ctx context.Context, plan *Plan, c *layerConfig, file *policyFile) (*Layer, error) {
	if plan.missing() {
		return nil, errors.Join(append(c.problems, errors.New("corsrpc: New: the plan is nil or zero: pass the plan that Compile returns"))...)
	}
	l := &Layer{reloading: make(chan struct{}, 1), observers: observersOf(c.observers), sources: c.sources, file: file, guard: c.guard, plan: livePlan{shadow: c.shadow}}
	named := l.plan.sourceNames(plan)
	if err := errors.Join(append(c.problems, l.missingSources(plan, named))...); err != nil {
		return nil, err
	}
	if err := l.checkGuard(plan); err != nil {
		return nil, err
	}
	if c.explain {
		l.readable = &readableRefusals{}
	}
	if c.logger.Handler() != slog.DiscardHandler {
		l.log = newEventLog(c.logger, c.explain)
		l.log.started()
	}
	l.ungoverned, l.awaited = newUngoverned(l), newAwaited(l, c.explain)
	l.plan.replace(plan, nil)
	for _, name := range named {
		if err := l.awaitSource(ctx, l.sources[name]); err != nil {
			return nil, err
		}
	}
	if err := l.attach(c.observers); err != nil {
		return nil, err
	}
	l.logFindings(ctx)
	return l, nil
}

// awaitSource loads a source that has a SourceWait, within that time.
func (l *Layer) awaitSource(ctx context.Context, s *source) error {
	if s.wait == 0 || l.Plan().sets[s.name] != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.wait)
	defer cancel()
	return l.Refresh(ctx, s.name)
}

// errZeroLayer is the error of a method of the zero Layer.
var errZeroLayer = errors.New("corsrpc: the Layer is its zero value: make one with corsrpc.Load or corsrpc.New")

// isZero reports whether the layer is its zero value.
func (l *Layer) isZero() bool { return l.plan.Load() == nil }

// Plan returns the plan in force, with the current origins of its sources.
func (l *Layer) Plan() *Plan { return l.plan.Load() }

// Wrap returns a handler that enforces the policy in front of next, which may be a generated
// handler, a mux or a proxy. Put it outside of everything else that answers requests, such as
// authentication middleware and a mux with method patterns, so that preflights reach the layer and
// scripts can read every error. Put it inside of http.StripPrefix, or give it the prefix by
// WithPathPrefix.
//
// The handler carries out the decision of Plan.Decide, and Decision.Apply writes the fields. A layer
// inside another one still refuses what its own plan refuses, but leaves responses alone that the
// outer layer changes.
//
// Wrap panics if the layer is its zero value or next is nil.
func (l *Layer) Wrap(next http.Handler) http.Handler {
	if l.isZero() {
		panic(errZeroLayer.Error())
	}
	if isNil(next) {
		panic("corsrpc: Wrap: the handler is nil")
	}
	return &handler{l, next}
}

// handler is the handler of Wrap.
type handler struct {
	layer *Layer
	next  http.Handler
}

// ServeHTTP decides on a request, and either answers it or passes it to the next handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l := h.layer
	plan, origins := l.plan.Load(), r.Header["Origin"]
	if len(origins) == 0 && !l.observers.want(EventDecision) && plan.shadow == nil && fromServer(r) {
		h.next.ServeHTTP(w, r) // every plan lets it pass and leaves the response untouched
		return
	}
	var from requestOrigin
	t := plan.findExact(r)
	if t != nil && l.onlyApplies(plan) && t.grantsCommonCall(r, origins, &from) {
		if kind := l.writerKinds.of(w); !kind.wraps {
			l.serve(w, kind, r, effect{outcome: OutcomeGrant, target: t}, from.raw, h.next)
			return
		}
	}
	h.decide(w, r, plan, t, origins, &from)
}

// decide is ServeHTTP for all requests but common calls. t is the result of findExact.
func (h *handler) decide(w http.ResponseWriter, r *http.Request, plan *Plan, t *target, origins []string, from *requestOrigin) {
	l, request := h.layer, RequestOf(r)
	if t == nil {
		t = plan.findInReadings(&request)
	}
	var d Decision
	plan.decide(&d, t, &request, origins, from)
	var compared *comparison
	if plan.shadow != nil {
		compared = &comparison{d, plan.shadow.Decide(request)}
	}
	if l.readable != nil {
		l.readable.apply(plan, &d, &request, l.writerKinds.of(w).isWrapped(w))
	}
	l.report(r, &request, &d, from)
	if l.awaited != nil {
		l.awaited.note(plan, &d, &request)
	}
	if compared != nil {
		l.compare(r, &request, from, compared)
	}
	switch {
	case d.outcome == OutcomeUntouched:
		l.passUngoverned(w, r, &request, plan, h.next)
	case d.answered():
		answer(w, &d)
	case d.observed, d.upgrade, !d.changesResponse():
		h.next.ServeHTTP(w, r)
	default:
		kind := l.writerKinds.of(w)
		if kind.isWrapped(w) {
			h.next.ServeHTTP(w, r)
			return
		}
		l.serve(w, kind, r, d.effect, d.origin, h.next)
	}
}

// Refusal returns the reason and the remedy if the layer refuses a request, and empty otherwise.
// It changes nothing. Test tools find it by an interface, since they do not import this package.
func (h *handler) Refusal(r *http.Request) string {
	d := h.layer.plan.Load().Decide(RequestOf(r))
	if !d.Refused() || !d.Enforced() {
		return ""
	}
	said := string(d.Reason()) + ": " + d.cause()
	if remedy := d.Remedy(); remedy != "" {
		said += ": " + remedy
	}
	return said
}

// fromServer reports whether a request without an Origin header is a call that browsers do not
// send: a POST without Sec-Fetch-Site. Most of these come from other servers.
func fromServer(r *http.Request) bool {
	return r.Method == http.MethodPost && len(r.Header["Sec-Fetch-Site"]) == 0
}

// answer writes the layer's own response.
func answer(w http.ResponseWriter, d *Decision) {
	status, body := d.reply()
	d.apply(status, d.headerWriter(w.Header()))
	w.WriteHeader(status)
	if body != "" {
		io.WriteString(w, body) // an error means that the client is gone
	}
}

// onlyApplies reports whether only the response depends on the decision to grant a call.
func (l *Layer) onlyApplies(p *Plan) bool {
	return p.shadow == nil && l.readable == nil && l.awaited == nil && !l.observers.want(EventDecision)
}

// serve runs the handler with a writer that applies the decision when the response commits. It
// does not recover panics, and writes nothing after one.
func (l *Layer) serve(w http.ResponseWriter, kind *writerKind, r *http.Request, e effect, origin string, next http.Handler) {
	c := &committer{ResponseWriter: w, layer: l, effect: e, origin: [1]string{origin}, fields: int32(len(w.Header()))}
	next.ServeHTTP(c.writer(kind, r), r)
	c.finish()
}

// report passes a decision to the log and the observers.
func (l *Layer) report(r *http.Request, request *Request, d *Decision, from *requestOrigin) {
	if d.refused() {
		if l.log != nil {
			l.logRefused(r, d, from)
		}
		if l.observers.want(EventRefusal) {
			l.observe(EventRefusal, r, request, d)
		}
	}
	if l.observers.want(EventDecision) {
		l.observe(EventDecision, r, request, d)
	}
}

// observe passes a decision to the observers of a kind of event.
func (l *Layer) observe(kind EventKind, r *http.Request, request *Request, d *Decision) {
	l.observers.observe(r.Context(), Event{Kind: kind, Decision: *d, Request: *request})
}

// logRefused logs or counts a refusal.
func (l *Layer) logRefused(r *http.Request, d *Decision, from *requestOrigin) {
	text := from.raw
	if text == "" {
		text = firstOrigin(r)
	}
	namedByHost := text == "" && d.origin != "" // so that repeats does not know the owner
	if namedByHost || !l.log.repeats(r, d, text) {
		l.log.refused(r.Context(), r, d, text, l.ownerOf(d, from))
	}
}

// ownerOf returns the owner of a decision's origin (Plan.ownerOf). from is the origin of the request,
// which is not the decision's if the request has none and Host names one.
func (l *Layer) ownerOf(d *Decision, from *requestOrigin) string {
	if d.origin != from.raw {
		from = &requestOrigin{raw: d.origin}
	}
	return l.plan.Load().ownerOf(from)
}

// comparison holds the decisions of the plan in force and of its shadow on one request.
type comparison struct{ production, shadow Decision }

// compare reports a difference between the decisions of the plan in force and of its shadow.
func (l *Layer) compare(r *http.Request, request *Request, from *requestOrigin, c *comparison) {
	d, shadow := &c.production, &c.shadow
	if d.equivalent(*shadow) {
		return
	}
	if l.log != nil {
		l.log.differed(r.Context(), r, d, shadow, l.ownerOf(d, from))
	}
	if l.observers.want(EventShadow) {
		l.observers.observe(r.Context(), Event{Kind: EventShadow, Decision: *d, Shadow: *shadow, Request: *request})
	}
}

// logFindings logs the findings about the policy in force, unless they are those that it logged last.
func (l *Layer) logFindings(ctx context.Context) {
	if l.log == nil {
		return
	}
	found := l.Plan().findings()
	if last := l.found.Swap(&found); last != nil && equalFindings(*last, found) {
		return
	}
	l.log.found(ctx, found)
}

// reportReplaced logs, once for each layer, that the handler or a middleware behind the layer
// writes CORS headers of its own.
func (l *Layer) reportReplaced(e effect) {
	if l.log == nil || !l.replaced.CompareAndSwap(false, true) {
		return
	}
	l.log.Write(context.Background(), slog.LevelWarn,
		"corsrpc: replaced CORS headers that the handler or a middleware behind the layer wrote; logged once",
		e.targetAttr(),
		slog.String("remedy", "remove the other CORS middleware, or the CORS headers from the handler"))
}

// CheckOrigin reports whether a WebSocket handshake or another upgrade may proceed. It may if it
// comes from the server's own origin, from a program other than a browser, or from an origin to
// which the rule of the path or procedure grants credentials. Browsers send cookies with every
// handshake, and the CORS protocol does not cover handshakes. Pass it to an upgrader:
//
//	upgrader := websocket.Upgrader{CheckOrigin: layer.CheckOrigin}
//
// CheckOrigin resolves the path that the request has when it is called. If Wrap is outside of an
// http.StripPrefix and CheckOrigin inside, the policy also needs rules for the paths without the
// prefix. On a path to which no rule applies it allows no other origin, although Wrap lets the
// request pass. It refuses under enforcement: OBSERVE too. CheckOrigin logs each refusal
// and reports it to observers, in addition to Wrap's decision on the same request. It does neither
// for a handshake that may proceed. It does not consult a shadow policy. It is safe for concurrent
// use.
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
	var from requestOrigin
	plan.decideOn(&d, t, &request, r.Header["Origin"], &from, true)
	if d.outcome == OutcomePass {
		return true
	}
	l.report(r, &request, &d, &from)
	return false
}

// Wrap returns a handler that enforces this plan, for tests and tools. It does the same as
// Layer.Wrap for a layer with the plan, but without a log, observers or a shadow policy. The
// handler always decides by this plan and by the origins that it holds for its sources: see
// WithSets and Layer.Plan. Wrap panics if the plan is nil or zero, or if next is nil.
func (p *Plan) Wrap(next http.Handler) http.Handler {
	if p.missing() {
		panic("corsrpc: Wrap: the plan is nil or zero: use one that Compile returns")
	}
	alone := *p
	alone.shadow = nil
	l := &Layer{}
	l.plan.bound.Store(&alone)
	return l.Wrap(next)
}

// attach gives the layer to each observer that is a LayerObserver.
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
