package corsrpc

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/rules"
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// awaitedCalls reports preflights that are granted without credentials and that no call follows. The
// page may have called with credentials, which the browser stops after such a preflight; neither the
// preflight nor anything else tells the server so. It is safe for concurrent use, and its memory is
// bounded.
type awaitedCalls struct {
	layer *Layer
	logs  bool // whether the log reports such preflights (WithExplain)

	pending atomic.Int32 // the number of calls; a call costs one load if it is 0

	mu     sync.Mutex
	calls  map[awaitedCall]*time.Timer
	rules  *rules.Rules // the policy that logged is about
	logged map[loggedCall]struct{}
}

// awaitedCall is a call that is expected after its preflight.
type awaitedCall struct {
	origin string
	grant  uint64
	target string
}

// loggedCall identifies the calls that are logged once.
type loggedCall struct{ origin, rule string }

const (
	maxAwaited      = 256
	maxAwaitedBytes = 1 << 10 // of the origin and the target's name together
	maxLoggedCalls  = 100
	awaitedTime     = 10 * time.Second // from the preflight to the call
)

// newAwaited returns an empty awaitedCalls if the log or an observer of the layer wants it, and nil
// otherwise.
func newAwaited(l *Layer, explains bool) *awaitedCalls {
	logs := explains && l.log != nil
	if !logs && !l.observers.want(EventCallMissing) {
		return nil
	}
	return &awaitedCalls{layer: l, logs: logs, calls: map[awaitedCall]*time.Timer{}, logged: map[loggedCall]struct{}{}}
}

// note takes a decision: a granted preflight starts to await its call, and a call ends that.
func (a *awaitedCalls) note(p *Plan, d *Decision, r *Request) {
	switch {
	case d.origin == "":
	case d.preflight:
		if d.outcome == OutcomePreflight && d.reason == reasonOriginAllowed && !d.target.grant.credentials && p.explainable(d.origin) {
			a.await(p, d, r)
		}
	case a.pending.Load() > 0:
		a.arrived(awaitedCall{d.origin, d.target.grant.id, d.target.name})
	}
}

// await starts to await the call after a preflight, unless too many are awaited.
func (a *awaitedCalls) await(p *Plan, d *Decision, r *Request) {
	if len(d.origin)+len(d.target.name) > maxAwaitedBytes {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	key := awaitedCall{d.origin, d.target.grant.id, d.target.name}
	if a.calls[key] != nil || len(a.calls) >= maxAwaited {
		return
	}
	preflight := Request{Method: r.Method, Host: r.Host, Path: r.Path, EscapedPath: r.EscapedPath, TLS: r.TLS, Header: http.Header{}}
	for _, name := range []string{"Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"} {
		if lines := r.Header[name]; len(lines) == 1 && len(lines[0]) <= maxAwaitedBytes {
			preflight.Header[name] = []string{strings.Clone(lines[0])}
		}
	}
	granted := *d
	a.calls[key] = time.AfterFunc(awaitedTime, func() { a.missed(key, p, &granted, preflight) })
	a.pending.Store(int32(len(a.calls)))
}

// arrived ends the wait for a call.
func (a *awaitedCalls) arrived(key awaitedCall) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if timer := a.calls[key]; timer != nil {
		timer.Stop()
		a.remove(key)
	}
}

// remove removes an awaited call. The caller holds mu.
func (a *awaitedCalls) remove(key awaitedCall) {
	delete(a.calls, key)
	a.pending.Store(int32(len(a.calls)))
}

// missed reports a call that has not come in time.
func (a *awaitedCalls) missed(key awaitedCall, p *Plan, d *Decision, preflight Request) {
	a.mu.Lock()
	if a.calls[key] == nil { // it has arrived while the timer fired
		a.mu.Unlock()
		return
	}
	a.remove(key)
	if a.layer.plan.Load().rules != p.rules { // after a reload, the call has another rule and does not end the wait
		a.mu.Unlock()
		return
	}
	logs := a.logs && a.logsFirst(p, loggedCall{d.origin, d.target.rule.Narrowest()})
	a.mu.Unlock()
	remedy := d.remedyOfMissingCall()
	if logs {
		a.layer.log.callMissing(d, remedy)
	}
	if a.layer.observers.want(EventCallMissing) {
		a.layer.observers.observe(context.Background(), Event{Kind: EventCallMissing, Decision: *d, Request: preflight, Remedy: remedy})
	}
}

// logsFirst reports whether a call is the first of its rule and origin under the policy of a plan. It
// is false if too many were logged. The caller holds mu.
func (a *awaitedCalls) logsFirst(p *Plan, key loggedCall) bool {
	if a.rules != p.rules {
		a.rules = p.rules
		clear(a.logged)
	}
	if _, known := a.logged[key]; known || len(a.logged) >= maxLoggedCalls {
		return false
	}
	a.logged[key] = struct{}{}
	return true
}

// remedyOfMissingCall returns what to do if the page has called with credentials.
func (d *Decision) remedyOfMissingCall() string {
	return "if the page calls with credentials: \"include\", " + d.remedyOfCredentials() + "; if its calls work, ignore this"
}

// callMissing logs that no call has followed a preflight.
func (l *eventLog) callMissing(d *Decision, remedy string) {
	l.Write(context.Background(), slog.LevelWarn, "corsrpc: a preflight was granted without credentials, and no call has followed it; logged once for each rule and origin",
		slog.String("origin", safetext.Sample(d.origin)), d.targetAttr(), slog.String("rule", provenanceOf(d.target.rule.Place(d.target.rule.ValueFieldOrNarrowest("allow_credentials"))).String()), slog.String("remedy", remedy))
}
