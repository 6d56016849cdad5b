package corsrpc

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// compare reports where a candidate policy decides otherwise than the one in
// force.
func (l *Layer) compare(r *http.Request, request *Request, d, shadow Decision) {
	if d.decidesAlike(shadow) {
		return
	}
	if l.log != nil {
		l.log.difference(r.Context(), r, d, shadow)
	}
	if l.observers.want(EventShadow) {
		l.observers.observe(r.Context(), Event{Kind: EventShadow, Decision: d, Shadow: shadow, Request: *request})
	}
}

// decidesAlike reports whether two plans decided alike, grant alike, and carry it out alike.
func (d Decision) decidesAlike(other Decision) bool {
	if d.outcome != other.outcome || d.reason != other.reason || d.observed != other.observed {
		return false
	}
	switch d.outcome {
	case OutcomeGrant, OutcomePreflight, OutcomeMethodNotAllowed: // what a script may read
		return d.target.grant.answersLike(other.target.grant)
	}
	return true
}

// shadowTimeout is how long a reload waits for a source that only a shadow names.
const shadowTimeout = 5 * time.Second

// loadForShadow is load for a plan whose own rules do not name the source.
func (s *source) loadForShadow(ctx context.Context) (*sourceSet, SourceReport) {
	ctx, cancel := context.WithTimeoutCause(ctx, shadowTimeout, fmt.Errorf("it took longer than %v, and only the shadow policy names it", shadowTimeout))
	defer cancel()
	return s.load(ctx)
}
