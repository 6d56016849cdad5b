package corsinspect

import (
	"crypto/tls"
	"net/http"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// server simulates a server: a handler that sends header fields, wrapped by a plan. It
// records the requests that it gets. It is not safe for concurrent use.
type server struct {
	plan     *corsrpc.Plan
	response http.Header // the header fields that the handler sends
	status   int         // the status that it sends; 0 for 200
	requests []*http.Request
}

// handler returns the wrapped handler.
func (s *server) handler() http.Handler {
	wrapped := s.plan.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range s.response {
			for _, value := range values {
				w.Header().Add(name, value)
			}
		}
		if s.status != 0 {
			w.WriteHeader(s.status)
		}
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests = append(s.requests, r)
		wrapped.ServeHTTP(w, r)
	})
}

// answerOf returns the status and the header of the handler's response to a program's
// request.
func answerOf(h http.Handler, r *http.Request) (status int, header http.Header) {
	in := r.Clone(r.Context())
	in.RequestURI = r.URL.RequestURI()
	if r.URL.Scheme == "https" {
		in.TLS = &tls.ConnectionState{HandshakeComplete: true, ServerName: r.URL.Hostname()}
	}
	in.URL.Scheme, in.URL.Host = "", ""
	w := &answer{header: http.Header{}}
	h.ServeHTTP(w, in)
	w.WriteHeader(http.StatusOK)
	return w.status, w.sent
}

// answer is a ResponseWriter that keeps the status and a copy of the header at the first
// WriteHeader, and discards the body.
type answer struct {
	header, sent http.Header
	status       int
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status, a.sent = status, a.header.Clone()
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return len(p), nil
}
