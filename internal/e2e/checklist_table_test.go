package e2e

import (
	"net/http"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// checklistPolicy is the policy of most cases.
const checklistPolicy = `
defaults:
  allow_origins: [ORIGIN]
rules:
  - selector: showcase.v1.ShowcaseService
    allow_credentials: true
    allow_headers: [authorization, x-tenant-id]
  - path: /status
    expose_headers: [x-build]
  - path: /items
    allow_methods: [GET, DELETE]
    allow_headers: [x-tenant-id]
`

// strangersPolicy allows one origin, which is not that of the calling page.
var strangersPolicy = strings.ReplaceAll(checklistPolicy, "ORIGIN", "https://app.example.com")

const greetPath = "/showcase.v1.ShowcaseService/Greet"

// classic is a case of the checklist: a fetch, or a call of the client.
type classic struct {
	name    string
	policy  string                          // default: checklistPolicy
	inside  func(http.Handler) http.Handler // a middleware between the layer and the handler
	outside func(http.Handler) http.Handler // a middleware around the layer

	path  string
	fetch fetchInit
	call  call

	want    rawReading        // the result of a fetch, as the script reads it; it must have at least these headers
	wantErr *readError        // the error of a call: code and message
	v2Err   *readError        // the error with connect v2, if it differs
	not     []string          // headers that the script must not read
	asked   int               // the number of preflights
	sent    int               // the number of calls that the browser sent after them
	handled int               // the number of calls that passed the layer
	dropped bool              // the connection is dropped, and a browser may repeat a request on a reused connection
	arrived map[string]string // headers of the first call that the server got
}

// refused is what the script reads of a blocked fetch: only that it threw an error.
var refused = rawReading{Threw: "TypeError"}

var jsonBody = map[string]string{"Content-Type": "application/json"}

func jsonAnd(name, value string) map[string]string {
	return map[string]string{"Content-Type": "application/json", name: value}
}

// jsonAndEach returns the headers of a JSON body, and others that have one value.
func jsonAndEach(names []string, value string) map[string]string {
	headers := jsonAnd(names[0], value)
	for _, name := range names {
		headers[name] = value
	}
	return headers
}

const (
	ada        = `{"name":"Ada"}`
	helloAda   = `{"greeting":"Hello, Ada!"}`
	lookupPath = "/showcase.v1.ShowcaseService/Lookup"
	lookupGet  = lookupPath + "?connect=v1&encoding=json&message=%7B%22key%22%3A%22answer%22%7D"
)

var checklist = []classic{
	{
		name: "simple GET of a path", path: "/status", fetch: fetchInit{Method: "GET"},
		want: rawReading{Status: 200, Body: "up", Headers: map[string]string{"x-build": "7"}}, not: []string{"x-internal"},
		sent: 1, handled: 1,
	},
	{
		name: "JSON POST", path: greetPath, fetch: fetchInit{Method: "POST", Headers: jsonBody, Body: ada},
		want:  rawReading{Status: 200, Body: helloAda, Headers: map[string]string{"x-showcase-header": "head-Greet"}},
		asked: 1, sent: 1, handled: 1,
	},
	{
		name: "Authorization, granted", path: greetPath,
		fetch: fetchInit{Method: "POST", Headers: jsonAnd("Authorization", "Bearer e2e"), Body: ada},
		want:  rawReading{Status: 200, Body: helloAda}, asked: 1, sent: 1, handled: 1,
		arrived: map[string]string{"Authorization": "Bearer e2e"},
	},
	{
		name: "Authorization, not granted", policy: "defaults: {allow_origins: [ORIGIN]}", path: greetPath,
		fetch: fetchInit{Method: "POST", Headers: jsonAnd("Authorization", "Bearer e2e"), Body: ada},
		want:  refused, asked: 1,
	},
	{
		name: "Authorization, not granted by a star", policy: `defaults: {allow_origins: [ORIGIN], allow_headers: ["*"]}`, path: greetPath,
		fetch: fetchInit{Method: "POST", Headers: jsonAnd("Authorization", "Bearer e2e"), Body: ada},
		want:  refused, asked: 1,
	},
	{
		name: "custom header, granted", path: greetPath,
		fetch: fetchInit{Method: "POST", Headers: jsonAnd("X-Tenant-Id", "acme"), Body: ada},
		want:  rawReading{Status: 200, Body: helloAda}, asked: 1, sent: 1, handled: 1,
		arrived: map[string]string{"X-Tenant-Id": "acme"},
	},
	{
		name: "custom header, not granted", path: greetPath,
		fetch: fetchInit{Method: "POST", Headers: jsonAnd("X-Other", "acme"), Body: ada},
		want:  refused, asked: 1,
	},
	{
		name: "custom header, granted by a star", policy: `defaults: {allow_origins: [ORIGIN], allow_headers: ["*"]}`, path: greetPath,
		fetch: fetchInit{Method: "POST", Headers: jsonAnd("X-Other", "acme"), Body: ada},
		want:  rawReading{Status: 200, Body: helloAda}, asked: 1, sent: 1, handled: 1,
	},
	{
		name: "cookies, granted", path: greetPath,
		fetch: fetchInit{Method: "POST", Headers: jsonBody, Body: ada, Credentials: "include"},
		want:  rawReading{Status: 200, Body: `{"greeting":"Hello, Ada!","cookieNames":["session"]}`},
		asked: 1, sent: 1, handled: 1, arrived: map[string]string{"Cookie": "session=e2e"},
	},
	{
		name: "cookies, granted but not sent", path: greetPath,
		fetch: fetchInit{Method: "POST", Headers: jsonBody, Body: ada},
		want:  rawReading{Status: 200, Body: helloAda}, asked: 1, sent: 1, handled: 1, arrived: map[string]string{"Cookie": ""},
	},
	{
		name: "cookies, not granted", policy: "defaults: {allow_origins: [ORIGIN]}", path: greetPath,
		fetch: fetchInit{Method: "POST", Headers: jsonBody, Body: ada, Credentials: "include"},
		want:  refused, asked: 1,
	},
	{
		name: "cookies, not granted, on a call without a preflight", policy: "defaults: {allow_origins: [ORIGIN]}", path: lookupGet,
		fetch: fetchInit{Method: "GET", Credentials: "include"},
		want:  refused, sent: 1, arrived: map[string]string{"Cookie": "session=e2e"},
	},
	{
		name: "refused origin", policy: strangersPolicy, path: greetPath,
		fetch: fetchInit{Method: "POST", Headers: jsonBody, Body: ada},
		want:  refused, asked: 1,
	},
	{
		name: "refused origin, on a GET without a preflight", policy: strangersPolicy, path: lookupGet,
		fetch: fetchInit{Method: "GET"},
		want:  refused, sent: 1,
	},
	{
		name: "refused origin, on a POST without a preflight", policy: strangersPolicy, path: greetPath,
		fetch: fetchInit{Method: "POST", Headers: map[string]string{"Content-Type": "text/plain"}, Body: ada},
		want:  refused, sent: 1,
	},
	{
		name: "refused origin, on a path", policy: strangersPolicy, path: "/status", fetch: fetchInit{Method: "GET"},
		want: refused, sent: 1,
	},
	{
		name: "procedure that is disabled", policy: checklistPolicy + "  - {selector: showcase.v1.ShowcaseService.Greet, disabled: true}", path: greetPath,
		fetch: fetchInit{Method: "POST", Headers: jsonBody, Body: ada},
		want:  refused, asked: 1,
	},
	{
		name: "unsupported method of a procedure", path: greetPath,
		fetch: fetchInit{Method: "PUT", Headers: jsonBody, Body: ada},
		want:  refused, asked: 1,
	},
	{
		name: "unsupported method of a path", path: "/items", fetch: fetchInit{Method: "PUT"},
		want: refused, asked: 1,
	},
	{
		name: "unsupported method of a path, without a preflight", path: "/items",
		fetch: fetchInit{Method: "POST", Headers: map[string]string{"Content-Type": "text/plain"}, Body: "x"},
		want:  rawReading{Status: 405}, sent: 1,
	},
	{
		name: "supported method of a path", path: "/items",
		fetch: fetchInit{Method: "DELETE", Headers: map[string]string{"X-Tenant-Id": "acme"}},
		want:  rawReading{Status: 200, Body: "deleted"}, asked: 1, sent: 1, handled: 1,
	},
	{
		name: "JSON POST of a path", policy: `rules: [{path: "/v1/{rest...}", allow_origins: [ORIGIN]}]`, path: "/v1/items",
		fetch: fetchInit{Method: "POST", Headers: jsonBody, Body: ada},
		want:  rawReading{Status: 200, Body: ada}, asked: 1, sent: 1, handled: 1,
	},
	{
		name: "JSON POST of a path for everyone, without allow_methods", policy: `rules: [{path: "/v1/{rest...}", allow_origins: ["*"]}]`, path: "/v1/items",
		fetch: fetchInit{Method: "POST", Headers: jsonBody, Body: ada},
		want:  refused, asked: 1,
	},
	{
		name: "JSON POST of a path for everyone, with allow_methods", policy: `rules: [{path: "/v1/{rest...}", allow_origins: ["*"], allow_methods: [POST]}]`, path: "/v1/items",
		fetch: fetchInit{Method: "POST", Headers: jsonBody, Body: ada},
		want:  rawReading{Status: 200, Body: ada}, asked: 1, sent: 1, handled: 1,
	},
	{
		name: "tracing, granted", policy: "defaults: {allow_origins: [ORIGIN], tracing: true}", path: greetPath,
		fetch: fetchInit{Method: "POST", Headers: jsonAndEach(rpc.TracingNames(), "1-2"), Body: ada},
		want:  rawReading{Status: 200, Body: helloAda}, asked: 1, sent: 1, handled: 1,
		arrived: map[string]string{"traceparent": "1-2", "baggage": "1-2", "sentry-trace": "1-2", "b3": "1-2", "x-datadog-trace-id": "1-2"},
	},
	{
		name: "tracing, a name that the table does not have", policy: "defaults: {allow_origins: [ORIGIN], tracing: true}", path: greetPath,
		fetch: fetchInit{Method: "POST", Headers: jsonAnd("X-Trace-Id", "1-2"), Body: ada},
		want:  refused, asked: 1,
	},
	{
		name: "tracing, not granted", policy: "defaults: {allow_origins: [ORIGIN]}", path: greetPath,
		fetch: fetchInit{Method: "POST", Headers: jsonAnd("traceparent", "1-2"), Body: ada},
		want:  refused, asked: 1,
	},
	{
		name: "404 to Connect", call: callAs("Missing", greet(overConnect)),
		wantErr: &readError{Code: "Unimplemented", Message: "HTTP 404"}, asked: 1, sent: 1, handled: 1,
		v2Err: &readError{Code: "Unimplemented", Message: `procedure "/showcase.v1.ShowcaseService/Missing" not registered`},
	},
	{
		name: "404 to gRPC-Web", call: callAs("Missing", greet(overGRPCWeb)),
		wantErr: &readError{Code: "Unimplemented", Message: "HTTP 404"}, asked: 1, sent: 1, handled: 1,
		v2Err: &readError{Code: "Unknown", Message: "HTTP 505"}, // it treats an unknown Content-Type as a bidi stream, which needs HTTP/2
	},
	{
		name: "405 to Connect", call: call{
			Transport: overConnect, Method: "Greet", Requests: messages(ada), Get: true, PretendNoSideEffects: true,
		},
		wantErr: &readError{Code: "Unknown", Message: "HTTP 405"}, sent: 1, handled: 1,
	},
	{
		name: "405 to fetch", path: greetPath, fetch: fetchInit{Method: "GET"},
		want: rawReading{Status: 405, Headers: map[string]string{"allow": "POST"}}, sent: 1, handled: 1,
	},
	{
		name: "415 to Connect", call: sending("application/unheard-of", greet(overConnect)),
		wantErr: &readError{Code: "Unknown", Message: "HTTP 415"}, asked: 1, sent: 1, handled: 1,
	},
	{
		name: "415 to gRPC-Web", call: sending("application/grpc-web-text", greet(overGRPCWeb)),
		wantErr: &readError{Code: "Unknown", Message: "HTTP 415"}, asked: 1, sent: 1, handled: 1,
	},
	{
		name: "415 to fetch, without a preflight", path: greetPath,
		fetch: fetchInit{Method: "POST", Headers: map[string]string{"Content-Type": "text/plain"}, Body: ada},
		want:  rawReading{Status: 415}, sent: 1, handled: 1,
	},
	{
		name: "recovered panic to Connect", inside: recovering(panicking), call: greet(overConnect),
		wantErr: &readError{Code: "Unknown", Message: "HTTP 500"}, asked: 1, sent: 1, handled: 1,
	},
	{
		name: "recovered panic to gRPC-Web", inside: recovering(panicking), call: greet(overGRPCWeb),
		wantErr: &readError{Code: "Unknown", Message: "HTTP 500"}, asked: 1, sent: 1, handled: 1,
	},
	{
		name: "unrecovered panic to fetch", inside: panicking, path: greetPath,
		fetch: fetchInit{Method: "POST", Headers: jsonBody, Body: ada},
		want:  refused, asked: 1, sent: 1, handled: 1, dropped: true,
	},
	{
		name: "unrecovered panic to Connect", inside: panicking, call: greet(overConnect),
		wantErr: &readError{Code: "Unknown", Message: networkError}, asked: 1, sent: 1, handled: 1, dropped: true,
	},
	{
		name: "unrecovered panic to gRPC-Web", inside: panicking, call: greet(overGRPCWeb),
		wantErr: &readError{Code: "Unknown", Message: networkError}, asked: 1, sent: 1, handled: 1, dropped: true,
	},
	{
		name: "authentication behind the layer, without a token, to Connect", inside: authenticating, call: greet(overConnect),
		wantErr: &readError{Code: "Unauthenticated", Message: "no token"}, asked: 1, sent: 1, handled: 1,
	},
	{
		name: "authentication behind the layer, without a token, to gRPC-Web", inside: authenticating, call: greet(overGRPCWeb),
		wantErr: &readError{Code: "Unauthenticated", Message: "no token"}, asked: 1, sent: 1, handled: 1,
	},
	{
		name: "authentication behind the layer, with a token", inside: authenticating,
		call: withHeader("Authorization", "Bearer e2e", greet(overConnect)), asked: 1, sent: 1, handled: 1,
	},
	{
		name: "authentication in front of the layer, where it stops preflights", outside: authenticating,
		call:    withHeader("Authorization", "Bearer e2e", greet(overConnect)),
		wantErr: &readError{Code: "Unknown", Message: networkError}, asked: 1,
	},
}

// networkError is replaced by each engine's error for a blocked call.
const networkError = "NETWORK ERROR"

var networkErrors = map[browser.Engine]string{
	browser.Chromium: "Failed to fetch",
	browser.Firefox:  "NetworkError when attempting to fetch resource.",
	browser.WebKit:   "Load failed",
}

func callAs(name string, c call) call         { c.CallAs = name; return c }
func sending(contentType string, c call) call { c.ContentType = contentType; return c }
func withHeader(name, value string, c call) call {
	c.Headers = map[string]string{name: value}
	return c
}
