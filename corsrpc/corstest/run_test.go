package corstest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	t.Parallel()
	handler := granting("Access-Control-Allow-Origin", page, "Access-Control-Allow-Headers", "content-type, connect-protocol-version, x-grpc-web, x-a",
		"Access-Control-Expose-Headers", "trailer-x-cost", "Trailer-X-Cost", "3", "X-Hidden", "1", "Vary", "Origin")
	Run(t, []Case{
		{From: page, Call: Connect(server, "X-A", "1"), Readable: []string{"Trailer-X-Cost"}, Hidden: []string{"X-Hidden"}},
		{From: page, Call: GRPCWeb(server)},
		{From: page, Call: ConnectGet(server)},
		{Name: "a header that is not granted", From: page, Call: Fetch("GET", server, "X-B", "1"), Blocked: CheckHeaders, NotSent: true},
		{From: other, Call: Connect(server), Blocked: CheckOriginMismatch, NotSent: true},
		{From: other, Call: Fetch("GET", server), Blocked: AnyCheck},
		{From: page, Credentials: Include, Call: Fetch("GET", server), Blocked: CheckCredentials, Engines: []Engine{Chromium}},
	}, WithHandler(handler))
}

// TestRunFails: a case that does not hold says what is wrong.
func TestRunFails(t *testing.T) {
	t.Parallel()
	handler := granting("Access-Control-Allow-Origin", page, "X-A", "1")
	tests := []struct {
		c    Case
		want string
	}{
		{Case{From: other, Call: Fetch("GET", server)}, "the call should succeed: corstest: blocked at ALLOW_ORIGIN_MISMATCH"},
		{Case{From: page, Call: func(context.Context, *http.Client) error { return errors.New("oops") }}, "the call should succeed: oops"},
		{Case{From: page, Call: Fetch("GET", server), Blocked: AnyCheck}, "the call should be blocked, and the script got the answer"},
		{Case{From: page, Call: func(context.Context, *http.Client) error { return errors.New("oops") }, Blocked: AnyCheck}, "failed otherwise: oops"},
		{Case{From: other, Call: Fetch("GET", server), Blocked: CheckHeaders}, "the call should be blocked at ALLOW_HEADERS"},
		{Case{From: other, Call: Fetch("GET", server), Blocked: AnyCheck, NotSent: true}, "the call should not reach the server, and did"},
		{Case{From: page, Call: Fetch("GET", server), Readable: []string{"x-a"}}, "Access-Control-Expose-Headers: x-a, and sent []"},
		{Case{From: page, Call: Fetch("GET", server), Readable: []string{"x-b"}}, "the answer has no x-b to read"},
		{Case{From: page, Call: Fetch("GET", server), Hidden: []string{"x-b"}}, "the answer has no x-b to hide"},
		{Case{From: page, Call: Fetch("GET", server), Hidden: []string{"content-type"}}, "the script should not read content-type"},
		{Case{From: other, Call: Fetch("GET", server), Blocked: AnyCheck, Hidden: []string{"x-a"}}, "no answer was read"},
	}
	for _, test := range tests {
		b := NewBrowser(test.c.From, WithHandler(handler))
		if got := strings.Join(test.c.problems(b, test.c.Call(t.Context(), b.Client())), "; "); !strings.Contains(got, test.want) {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a header name without a value")
		}
	}()
	Fetch("GET", server, strings.Fields("X-A")...)
}
