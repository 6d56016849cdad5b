package corstest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
)

const (
	page   = "https://app.example.com"
	server = "https://api.example.com"
	other  = "https://other.example"
)

// respondWith returns a handler that answers every request with these header fields,
// names and values alternately. It aborts requests of /panics.
func respondWith(header ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Add(header[i], header[i+1])
		}
		if r.URL.Path == "/panics" {
			panic(http.ErrAbortHandler)
		}
		io.WriteString(w, "body")
	})
}

func TestRun(t *testing.T) {
	t.Parallel()
	handler := respondWith("Access-Control-Allow-Origin", page, "Access-Control-Allow-Headers", "content-type, connect-protocol-version, x-grpc-web, x-a",
		"Access-Control-Expose-Headers", "trailer-x-cost", "Trailer-X-Cost", "3", "X-Hidden", "1", "Vary", "Origin")
	Run(t, []Case{
		{From: page, Call: corsbrowser.Connect(server, "X-A", "1"), Readable: []string{"Trailer-X-Cost"}, Hidden: []string{"X-Hidden"}},
		{From: page, Call: corsbrowser.GRPCWeb(server)},
		{From: page, Call: corsbrowser.ConnectGet(server)},
		{Name: "a header that is not allowed", From: page, Call: corsbrowser.Fetch("GET", server, "X-B", "1"), Blocked: corsbrowser.CheckHeaders, NotSent: true},
		{From: other, Call: corsbrowser.Connect(server), Blocked: corsbrowser.CheckOriginMismatch, NotSent: true},
		{From: other, Call: corsbrowser.Fetch("GET", server), Blocked: AnyCheck},
		{From: page, Credentials: corsbrowser.Include, Call: corsbrowser.Fetch("GET", server), Blocked: corsbrowser.CheckCredentials, Engines: []corsbrowser.Engine{corsbrowser.Chromium}},
	}, corsbrowser.WithHandler(handler))
}

// TestRunFails: the error of each expectation that is not met.
func TestRunFails(t *testing.T) {
	t.Parallel()
	handler := respondWith("Access-Control-Allow-Origin", page, "X-A", "1")
	tests := []struct {
		c    Case
		want string
	}{
		{Case{From: other, Call: corsbrowser.Fetch("GET", server)}, "the call should succeed, but was blocked at ALLOW_ORIGIN_MISMATCH of the call"},
		{Case{From: page, Call: func(context.Context, *http.Client) error { return errors.New("oops") }}, "the call should succeed, but failed: oops"},
		{Case{From: page, Call: corsbrowser.Fetch("GET", server), Blocked: AnyCheck}, "the call should be blocked, but the script got the response"},
		{Case{From: page, Call: corsbrowser.Fetch("GET", server+"/panics"), Blocked: AnyCheck}, "did not reach the server: corsbrowser: the handler panicked"},
		{Case{From: page, Call: func(context.Context, *http.Client) error { return errors.New("oops") }, Blocked: AnyCheck}, "failed with another error: oops"},
		{Case{From: other, Call: corsbrowser.Fetch("GET", server), Blocked: corsbrowser.CheckHeaders}, "the call should be blocked at ALLOW_HEADERS"},
		{Case{From: other, Call: corsbrowser.Fetch("GET", server), Blocked: AnyCheck, NotSent: true}, "the call should not be sent, but was"},
		{Case{From: page, Call: corsbrowser.Fetch("GET", server), Readable: []string{"x-a"}}, "the server needs to send Access-Control-Expose-Headers: x-a\n"},
		{Case{From: page, Call: corsbrowser.Fetch("GET", server), Readable: []string{"x-b"}}, "the response does not have the header that the script should read: x-b"},
		{Case{From: page, Call: corsbrowser.Fetch("GET", server), Hidden: []string{"x-b"}}, "the response does not have the header that it should hide: x-b"},
		{Case{From: page, Call: corsbrowser.Fetch("GET", server), Hidden: []string{"content-type"}}, "the script should not be able to read content-type"},
		{Case{From: other, Call: corsbrowser.Fetch("GET", server), Blocked: AnyCheck, Hidden: []string{"x-a"}}, "the script got no response"},
		{Case{From: other, Call: corsbrowser.Fetch("GET", server), Engines: []corsbrowser.Engine{}}, "Firefox and WebKit: the call should succeed"},
		{Case{From: page}, "the case has no Call"},
		{Case{From: "app.example.com", Call: corsbrowser.Fetch("GET", server), Blocked: AnyCheck}, `"app.example.com" is not an origin`},
		{Case{From: page, Call: corsbrowser.Fetch("GET", server, "X-A"), Blocked: AnyCheck}, "failed with another error: corsbrowser: the header X-A has no value"},
		{Case{From: page, Credentials: "included", Call: corsbrowser.Fetch("GET", server), Blocked: AnyCheck}, `"included" is not a credentials mode`},
	}
	for _, test := range tests {
		if got := test.c.report(test.c.try(t.Context(), []corsbrowser.Option{corsbrowser.WithHandler(handler)})); !strings.Contains(got, test.want) {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}
