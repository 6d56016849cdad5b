package corsrpc_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// TestShadowDifferences checks that a candidate with the same meaning is not reported as a difference, and
// that a candidate with other response fields, another enforcement or another reason is.
func TestShadowDifferences(t *testing.T) {
	t.Parallel()
	type requests struct{ preflight, call bool } // which of the two requests differ
	const (
		allow = "defaults: {allow_origins: [https://app.example.com]"
		rule  = allow + "}\nrules: [{selector: acme.catalog.v1.*, "
	)
	both := requests{true, true}
	for _, test := range []struct {
		name, active, shadow string
		path                 string // listRPC if it is empty
		asks                 string // the headers that the preflight asks for
		want                 requests
	}{
		{name: "the same", active: allow + "}", shadow: allow + "}"},
		{name: "a rule more, for others", active: allow + "}", shadow: allow + "}\nrules: [{selector: acme.account.v1.*, max_age: 1s}]"},
		{name: "a rule more, of the same origins", active: allow + "}", shadow: rule + "allow_origins: [https://app.example.com]}]"},
		{name: "a rule more, for other origins too", active: allow + "}", shadow: rule + `allow_origins: [https://app.example.com, "https://*.example.org"]}]`},
		{name: "in another layer", active: allow + ", max_age: 60s, expose_headers: [x-a], hide_headers: [x-b-*]}", shadow: rule + "max_age: 60s, hide_headers: [x-b-*]}, {selector: '*', expose_headers: [x-a]}]"},
		{name: "in another order", active: allow + ", allow_headers: [x-a, x-b], expose_headers: [x-c, x-d]}", shadow: allow + ", allow_headers: [x-b, x-a], expose_headers: [x-d, x-c]}"},
		{name: "said twice", active: allow + ", allow_headers: [x-*, x-a]}", shadow: allow + ", allow_headers: [x-*, x-a], deny_headers: [y]}"},
		{name: "built in, and written", active: allow + "}", shadow: allow + ", max_age: 7200s, expose: PRESENT, allow_credentials: false, protocols: [CONNECT, GRPC_WEB], disabled: false}"},

		{name: "credentials", active: allow + "}", shadow: allow + ", allow_credentials: true}", want: both},
		{name: "everyone", active: allow + "}", shadow: `defaults: {allow_origins: ["*"]}`, want: both},
		{name: "nobody", active: allow + "}", shadow: "defaults: {allow_origins: [https://new.example.com]}", want: both},
		{name: "disabled", active: allow + "}", shadow: rule + "disabled: true}]", want: both},
		{name: "enforced, and the candidate would not be", active: "defaults: {allow_origins: [https://new.example.com]}", shadow: "defaults: {allow_origins: [https://new.example.com]}\nenforcement: OBSERVE", want: both},
		{name: "not enforced, and the candidate would be", active: "defaults: {allow_origins: [https://new.example.com]}\nenforcement: OBSERVE", shadow: "defaults: {allow_origins: [https://new.example.com]}", want: both},
		{name: "not enforced, and nothing is refused", active: allow + "}\nenforcement: OBSERVE", shadow: allow + "}"},
		{name: "the age", active: allow + "}", shadow: allow + ", max_age: 60s}", want: both},
		{name: "a header", active: allow + "}", shadow: allow + ", allow_headers: [x-a]}", want: both},
		{name: "a header that is asked for", active: allow + "}", shadow: allow + ", allow_headers: [x-a]}", asks: "x-a", want: both},
		{name: "one missing, or two", active: allow + "}", shadow: allow + ", allow_headers: [x-a]}", asks: "x-a,x-b", want: both},
		{name: "a prefix", active: allow + "}", shadow: allow + ", allow_headers: [x-*]}", want: both},
		{name: "a prefix, of which one is left out", active: allow + ", allow_headers: [x-*]}", shadow: allow + ", allow_headers: [x-*], deny_headers: [x-a]}", asks: "x-b", want: both},
		{name: "all headers", active: allow + ", allow_headers: [x-*]}", shadow: allow + `, allow_headers: ["*"]}`, want: both},
		{name: "all headers, and authorization", active: allow + `, allow_headers: ["*"]}`, shadow: allow + `, allow_headers: ["*", authorization]}`, want: both},
		{name: "a protocol", active: allow + "}", shadow: allow + ", protocols: [CONNECT]}", want: both},
		{name: "what is exposed", active: allow + "}", shadow: allow + ", expose: DECLARED}", want: both},
		{name: "a name that is exposed", active: allow + "}", shadow: allow + ", expose_headers: [date]}", want: both},
		{name: "a name that is hidden", active: allow + "}", shadow: allow + ", hide_headers: [x-a]}", want: both},
		{name: "a prefix that is hidden", active: allow + "}", shadow: allow + ", hide_headers: [x-*]}", want: both},
		{name: "a name that the rule hides, and another's prefix", active: allow + ", hide_headers: [x-*]}", shadow: rule + "hide_headers: [x-*], expose_headers: [x-a]}]", want: both},
		{name: "the methods of a path", path: "/files/a", active: allow + "}\nrules: [{path: /files/}]", shadow: allow + "}\nrules: [{path: /files/, allow_methods: [POST, PUT]}]", want: both},
		{name: "what the answer to a wrong method shows", path: "/files/a", active: allow + "}\nrules: [{path: /files/, allow_methods: [GET]}]", shadow: allow + "}\nrules: [{path: /files/, allow_methods: [GET], expose: PRESENT}]", want: both},
		{name: "timing", active: allow + "}", shadow: allow + ", timing: true}", want: both},
		{name: "timing, built in and written", active: allow + "}", shadow: allow + ", timing: false}"},
		{name: "the headers of tracing", active: allow + "}", shadow: allow + ", tracing: true}", asks: "b3", want: both},
		{name: "all headers, but those of tracing", active: allow + `, allow_headers: ["*"]}`, shadow: allow + `, allow_headers: ["*"], tracing: false}`, asks: "x-a", want: both},
		{name: "content-type on a path", path: "/files/a", active: allow + "}\nrules: [{path: /files/}]", shadow: allow + "}\nrules: [{path: /files/, deny_headers: [content-type]}]", want: both},
		{name: "content-type on a path, built in and written", path: "/files/a", active: allow + "}\nrules: [{path: /files/}]", shadow: allow + "}\nrules: [{path: /files/, allow_headers: [content-type]}]"},
		{name: "content-type on a path of everyone, by the methods that are written", path: "/files/a", active: `defaults: {allow_origins: ["*"]}` + "\nrules: [{path: /files/}]", shadow: `defaults: {allow_origins: ["*"]}` + "\nrules: [{path: /files/, allow_methods: [GET, HEAD, POST]}]", want: both},
		{name: "the status headers of gRPC-Web", active: allow + ", protocols: [CONNECT, GRPC_WEB]}", shadow: allow + ", protocols: [CONNECT], allow_headers: [x-grpc-web, x-user-agent, grpc-timeout, grpc-encoding, grpc-accept-encoding, grpc-message-type]}", want: both},
		{name: "a path that only the candidate governs", path: "/files/a", active: allow + "}", shadow: allow + "}\nrules: [{path: /files/}]", want: both},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			seen := &events{}
			layer, err := corsrpc.New(compilePolicy(t, test.active), quiet, corsrpc.WithObserver(seen),
				corsrpc.WithShadow(compilePolicy(t, test.shadow)))
			if err != nil {
				t.Fatal(err)
			}
			h, path := layer.Wrap(emptyHandler), test.path
			if path == "" {
				path = listRPC
			}
			from := http.Header{"Origin": {page}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"cors"}}
			reported := func(method string, more http.Header) bool {
				before := len(seen.of(corsrpc.EventShadow))
				header := from.Clone()
				for name, values := range more {
					header[name] = values
				}
				h.ServeHTTP(httptest.NewRecorder(), newRequest(method, path, header))
				return len(seen.of(corsrpc.EventShadow)) > before
			}
			preflight := http.Header{"Access-Control-Request-Method": {"POST"}}
			if test.asks != "" {
				preflight["Access-Control-Request-Headers"] = []string{test.asks}
			}
			got := requests{reported(http.MethodOptions, preflight), reported(http.MethodPost, nil)}
			if got != test.want {
				t.Errorf("the preflight and the call differ: %v, want %v", got, test.want)
			}
		})
	}
}

// TestShadowLogsEnforcement checks that the log says which of two policies enforces a refusal.
func TestShadowLogsEnforcement(t *testing.T) {
	t.Parallel()
	layer, log := newLayer(t, smallest+"\nenforcement: OBSERVE\nshadow: {defaults: {allow_origins: [https://app.example.com]}}")
	refuse(layer.Wrap(emptyHandler), listRPC, "https://evil.example")
	const want = "enforced=false shadow_enforced=true"
	if got := log.String(); !strings.Contains(got, want) {
		t.Errorf("the log does not say %q: %s", want, got)
	}
}
