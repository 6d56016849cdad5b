package responsewriter_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/responsewriter"
)

// bare is a ResponseWriter without optional methods.
type bare struct{ http.ResponseWriter }

// wrapping is a ResponseWriter that wraps another one.
type wrapping struct{ bare }

func (w wrapping) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// reporting is a ResponseWriter that reports whether the response was written.
type reporting struct {
	bare
	written bool
}

func (w reporting) Written() bool { return w.written }

// TestWriters: each function finds what a writer, or one that it wraps, has.
func TestWriters(t *testing.T) {
	recorder := httptest.NewRecorder() // has Flush
	tests := []struct {
		name                    string
		w                       http.ResponseWriter
		flushes, written, known bool
		innermost               http.ResponseWriter
	}{
		{"no method", bare{recorder}, false, false, false, bare{recorder}},
		{"Flush", recorder, true, false, false, recorder},
		{"Flush further down", wrapping{bare{wrapping{bare{recorder}}}}, true, false, false, recorder},
		{"Written, false", reporting{bare{recorder}, false}, false, false, true, reporting{bare{recorder}, false}},
		{"Written further down", wrapping{bare{reporting{bare{recorder}, true}}}, false, true, true, reporting{bare{recorder}, true}},
		{"a wrapper of nil", wrapping{bare{nil}}, false, false, false, nil},
	}
	for _, test := range tests {
		if got := responsewriter.CanFlush(test.w); got != test.flushes {
			t.Errorf("%s: CanFlush is %t", test.name, got)
		}
		if written, known := responsewriter.Written(test.w); written != test.written || known != test.known {
			t.Errorf("%s: Written is %t, %t", test.name, written, known)
		}
		if got := responsewriter.Innermost(test.w); got != test.innermost {
			t.Errorf("%s: Innermost is %T", test.name, got)
		}
	}
}
