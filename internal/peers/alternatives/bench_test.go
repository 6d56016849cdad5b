package alternatives

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkLayers compares the layers alone: a call and a preflight of the allowed page, and a call of another one. internal/bench
// has the measurements that the documents quote.
func BenchmarkLayers(b *testing.B) {
	requests := []struct {
		name    string
		request *http.Request
	}{
		{"allowed call", post(app)},
		{"allowed preflight", preflightOf(app)},
		{"refused call", post(evil)},
	}
	for _, r := range requests {
		for _, c := range contestants {
			h := c.wrap(b, usual, &backend{})
			b.Run(r.name+"/"+c.name, func(b *testing.B) {
				for b.Loop() {
					w := writer{header: http.Header{}}
					h.ServeHTTP(&w, r.request)
				}
			})
		}
	}
}

func post(origin string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, api+buy, http.NoBody)
	r.Header.Set("Origin", origin)
	r.Header.Set("Content-Type", "application/grpc-web+proto")
	return r
}

func preflightOf(origin string) *http.Request {
	r := httptest.NewRequest(http.MethodOptions, api+buy, http.NoBody)
	r.Header.Set("Origin", origin)
	r.Header.Set("Access-Control-Request-Method", http.MethodPost)
	r.Header.Set("Access-Control-Request-Headers", "content-type,x-grpc-web")
	return r
}

// A writer discards what is written.
type writer struct{ header http.Header }

func (w *writer) Header() http.Header       { return w.header }
func (*writer) Write(p []byte) (int, error) { return len(p), nil }
func (*writer) WriteHeader(int)             {}
func (*writer) Flush()                      {}
