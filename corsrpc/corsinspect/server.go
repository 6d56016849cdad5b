package corsinspect

import (
	"crypto/tls"
	"net/http"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// server is a plan around a handler that sends some header fields. It keeps the requests
// that it gets, which come one after another.
type server struct {
	plan  *corsrpc.Plan
	sends http.Header
	got   []*http.Request
}

func (s *server) handler() http.Handler {
	wrapped := s.plan.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range s.sends {
			for _, value := range values {
				w.Header().Add(name, value)
			}
		}
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.got = append(s.got, r)
		wrapped.ServeHTTP(w, r)
	})
}

// answerOf returns what a handler answers to a request that a program sends.
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

// answer is a ResponseWriter that keeps the header as it is when it commits.
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
