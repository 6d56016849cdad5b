package corsrpc_test

import (
	"net/http"
	"testing"
)

// discard is a ResponseWriter that costs nothing.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

// TestAllocations: what calls no browser pays nothing.
func TestAllocations(t *testing.T) {
	layer, _ := newLayer(t, allowPage)
	h := layer.Wrap(nothing)
	tests := []struct {
		name   string
		r      *http.Request
		allocs float64
	}{
		{"a POST without Origin", newRequest(http.MethodPost, listRPC, nil), 0},
		{"a POST of the same origin", newRequest(http.MethodPost, listRPC, http.Header{"Origin": {"https://api.example.com"}}), 0},
		{"a path that is not governed", newRequest(http.MethodPost, "/assets/app.js", nil), 0},
		// the writer, which holds the values
		{"an allowed call that exposes nothing", newRequest(http.MethodPost, listRPC, fromPage()), 1},
	}
	for _, test := range tests {
		w := discard{http.Header{}}
		got := testing.AllocsPerRun(100, func() {
			clear(w.header)
			h.ServeHTTP(w, test.r)
		})
		if got > test.allocs {
			t.Errorf("%s: %v allocations, want %v", test.name, got, test.allocs)
		}
	}
}
