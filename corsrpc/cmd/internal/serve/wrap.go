package serve

import (
	"io"
	"net/http"
	"sync/atomic"
)

// Wrap returns a handler that enforces the policy in front of next. Until the policy is in force it
// answers every request with 503 and Retry-After.
func (p *Policy) Wrap(next http.Handler) http.Handler { return &wrapped{policy: p, next: next} }

// wrapped is the handler of Wrap.
type wrapped struct {
	policy *Policy
	next   http.Handler
	layer  atomic.Pointer[http.Handler] // the layer's handler around next; nil until there is a layer
}

// ServeHTTP passes a request to the layer.
func (w *wrapped) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if h := w.layer.Load(); h != nil {
		(*h).ServeHTTP(rw, r)
		return
	}
	layer := w.policy.Layer()
	if layer == nil {
		answerStarting(rw)
		return
	}
	h := layer.Wrap(w.next)
	w.layer.Store(&h)
	h.ServeHTTP(rw, r)
}

// answerStarting answers a request that came before the policy is in force. It does not say what is waited
// for, since everyone may read it.
func answerStarting(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, "The server is starting: try again in a second.\n") // an error means that the client is gone
}
