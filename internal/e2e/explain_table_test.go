package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// explainedPolicy has rules that refuse calls of the page for each reason. ORIGIN is replaced by the page's origin.
const explainedPolicy = `
defaults:
  allow_origins: [https://app.example.com]
rules:
  - selector: showcase.v1.ShowcaseService
    allow_origins: [ORIGIN]
  - selector: hidden.v1.Service
    disabled: true
    accept_risks: [UNKNOWN_SELECTORS]
  - path: /hidden/
    disabled: true
  - path: /others/
  - path: /files/
    allow_origins: [ORIGIN]
  - path: /open/
    allow_origins: ["*"]
`

// explanation holds the parts of the text that explains a refusal. ORIGIN is replaced by the page's origin, PROCEDURE by the full
// name of the procedure, and METHOD by the last part of that name.
type explanation struct{ reason, cause, remedy string }

// A refusal is the reason why the layer refuses calls, and what these calls have in common.
type refusal struct {
	name        string
	service     string            // the service that is called; default: that of the showcase
	headers     map[string]string // the request headers that the script sets
	method      string            // the method of the request; default: that of the kind
	credentials bool              // the call carries a cookie
	simple      bool              // the reason exists only for calls without a preflight
	explanation explanation       // the text about a call of a procedure; zero if only path rules have the reason

	path       string      // the path of a call to a path rule; empty if only procedures have the reason
	pathMethod string      // the method of a call to a path rule; default: GET
	ofPath     explanation // the text about a call to a path rule
	pathStatus int         // the status of that response; default: 403
}

// manyHeaders holds more headers than the layer accepts in the list of a preflight.
func manyHeaders() map[string]string {
	headers := map[string]string{}
	for i := range 65 {
		headers[fmt.Sprintf("x-%02d", i)] = "1"
	}
	return headers
}

const (
	credentialsCause = "the request carries credentials, which the policy does not allow here"
	disabledCause    = "the policy disables calls from other origins to this procedure or path"
	pathCause        = "servers may interpret the path in several ways, and the policy grants different access to these"
)

var (
	originNotAllowed = explanation{"ORIGIN_NOT_ALLOWED", "the policy does not allow the origin ORIGIN", `add "ORIGIN" to defaults.allow_origins (cors.yaml:3); if it is this server's own origin, make the proxy in front keep the Host header`}
	cookies          = explanation{"CREDENTIALS_NOT_ALLOWED", credentialsCause, "write allow_credentials: true in a rule with selector PROCEDURE, or call without credentials"}
	malformed        = explanation{"REQUESTED_HEADERS_MALFORMED", "the list of requested headers is malformed or too long, so only the headers that are always granted are granted", "call with at most 64 headers, each with a valid name: no policy can grant such a list"}
)

// refusals lists the reasons for which the layer refuses a call of a script. The other reasons are for requests whose response
// no script can read, or that browsers do not send.
var refusals = []refusal{
	{
		name: "origin", service: "other.v1.Service",
		explanation: originNotAllowed,
		path:        "/others/a",
		ofPath:      originNotAllowed,
	},
	{
		name: "origin, with cookies", service: "other.v1.Service", credentials: true,
		explanation: originNotAllowed,
		path:        "/others/a",
		ofPath:      originNotAllowed,
	},
	{
		name: "header", headers: map[string]string{"x-tenant-id": "7"},
		explanation: explanation{"HEADERS_NOT_GRANTED", "x-tenant-id is not granted", "write allow_headers: [x-tenant-id] in the rule with selector showcase.v1.ShowcaseService (cors.yaml:5)"},
		path:        "/files/a",
		ofPath:      explanation{"HEADERS_NOT_GRANTED", "x-tenant-id is not granted", "write allow_headers: [x-tenant-id] in the rule with path /files/ (cors.yaml:13)"},
	},
	{
		name: "authorization", headers: map[string]string{"authorization": "Bearer 7"},
		explanation: explanation{"HEADERS_NOT_GRANTED", "authorization is not granted", "write allow_headers: [authorization] in the rule with selector showcase.v1.ShowcaseService (cors.yaml:5)"},
		path:        "/open/a", pathMethod: http.MethodPost,
		ofPath: explanation{"HEADERS_NOT_GRANTED", "authorization is not granted", "write allow_headers: [authorization] in the rule with path /open/ (cors.yaml:15)"},
	},
	{
		name: "content type", headers: map[string]string{"content-type": "application/json"},
		path: "/open/a", pathMethod: http.MethodPost,
		ofPath: explanation{"HEADERS_NOT_GRANTED", "content-type is not granted", "write allow_headers: [content-type] in the rule with path /open/ (cors.yaml:15)"},
	},
	{
		name: "method", method: http.MethodPut,
		explanation: explanation{"METHOD_NOT_GRANTED", "the method PUT is not granted", "call procedures by POST, or by GET if they are declared NO_SIDE_EFFECTS: no policy can grant another method"},
		path:        "/files/a",
		ofPath:      explanation{"METHOD_NOT_ALLOWED", "the rule of this path does not list the method in allow_methods", "write allow_methods: [GET, HEAD, POST, PUT] in the rule with path /files/ (cors.yaml:13)"},
		pathStatus:  http.StatusMethodNotAllowed,
	},
	{
		name: "cookies", credentials: true, simple: true,
		explanation: cookies,
		path:        "/open/a", pathMethod: http.MethodPost,
		ofPath: explanation{"CREDENTIALS_NOT_ALLOWED", credentialsCause, `write allow_origins: ["ORIGIN"] in place of rules[5].allow_origins (cors.yaml:16); write allow_credentials: true in the rule with path /open/ (cors.yaml:15), which then allows this origin alone, or call without credentials`},
	},
	{
		name: "cookies and a header", credentials: true, headers: map[string]string{"x-tenant-id": "7"},
		explanation: cookies,
	},
	{
		name: "disabled", service: "hidden.v1.Service",
		explanation: explanation{"DISABLED", disabledCause, "write disabled: false in a rule with selector PROCEDURE, with accept_risks: [UNKNOWN_SELECTORS]"},
		path:        "/hidden/a",
		ofPath:      explanation{"DISABLED", disabledCause, "remove disabled: true at cors.yaml:11 from the rule with path /hidden/"},
	},
	{
		name: "operational service", service: "grpc.health.v1.Health",
		explanation: explanation{"OPERATIONAL_NOT_NAMED", "the service is for the server's own operation, and no rule names it: defaults and the selector * do not apply to it", `write allow_origins: ["ORIGIN"] in a rule with selector grpc.health.v1.Health, with accept_risks: [UNKNOWN_SELECTORS]`},
	},
	{
		name: "path that is not canonical", service: "/showcase.v1.ShowcaseService",
		explanation: explanation{"PATH_NOT_CANONICAL", pathCause, "request the path as RPC clients spell it: /showcase.v1.ShowcaseService/METHOD"},
		path:        "//files/a",
		ofPath:      explanation{"PATH_NOT_CANONICAL", pathCause, `request the path as its rule spells it: "/files/"`},
	},
	{
		name: "malformed list", headers: manyHeaders(),
		explanation: malformed,
		path:        "/files/a",
		ofPath:      malformed,
	},
}

// The kinds of calls. byPath is a call to a path rule, without an RPC protocol.
const (
	unary  = "unary"
	stream = "stream"
	byGet  = "GET"
	byPath = "path"
)

// withFetch is the transport of a fetch without an RPC client.
const withFetch = "fetch"

// methodOfKind is the method of the showcase that a call of a kind calls, and its request.
var methodOfKind = map[string]struct{ name, request string }{
	unary:  {"Greet", ada},
	stream: {"Count", `{"upTo":2}`},
	byGet:  {"Lookup", `{"key":"answer"}`},
}

// An explainedCell is a call that the layer refuses, of a kind, by a client.
type explainedCell struct {
	refusal
	kind        string
	transport   string
	otherFormat bool
}

// explainedCells returns every combination of a reason, a kind and a client that exists. These do not:
//   - Only Connect has calls by GET, and only fetch calls paths.
//   - Only fetch lets the script choose the method, and then the kind does not.
//   - Calls by POST have a preflight, in which a browser does not announce cookies. So a simple call is a GET, or a fetch to a
//     path whose body is text.
//   - nice-grpc-web has the binary format only.
//   - Procedures grant the content types of RPC. An operational service is not a path. A path rule says nothing about cookies,
//     except where every origin may call.
func explainedCells() (all []explainedCell) {
	for _, r := range refusals {
		for _, kind := range []string{unary, stream, byGet, byPath} {
			for _, transport := range append([]string{withFetch}, transports...) {
				for _, otherFormat := range []bool{false, true} {
					c := explainedCell{r, kind, transport, otherFormat}
					switch {
					case kind == byGet && transport != overConnect && transport != withFetch:
					case kind != byPath && r.explanation.reason == "":
					case kind == byPath && (transport != withFetch || r.path == ""):
					case r.method != "" && (transport != withFetch || kind == byGet):
					case r.simple && kind != byGet && kind != byPath:
					case otherFormat && (transport == withFetch || transport == withNiceGRPCWeb):
					default:
						all = append(all, c)
					}
				}
			}
		}
	}
	return all
}

func (c explainedCell) String() string {
	if c.transport == withFetch {
		return c.name + "/" + c.kind + "/fetch"
	}
	return c.name + "/" + c.kind + "/" + cell{transport: c.transport, otherFormat: c.otherFormat}.format()
}

// procedure returns the path of the procedure that the call calls.
func (c explainedCell) procedure() string {
	service := c.service
	if service == "" {
		service = "showcase.v1.ShowcaseService"
	}
	return "/" + service + "/" + methodOfKind[c.kind].name
}

// call returns the call of an RPC client.
func (c explainedCell) call() call {
	method := methodOfKind[c.kind]
	return call{
		Transport: c.transport, OtherFormat: c.otherFormat, Service: c.service, Method: method.name, Requests: messages(method.request),
		Get: c.kind == byGet, Headers: c.headers, Credentials: c.credentials,
	}
}

// fetch returns the path and the options of a fetch.
func (c explainedCell) fetch() (path string, init fetchInit) {
	headers := map[string]string{}
	maps.Copy(headers, c.headers)
	init = fetchInit{Method: http.MethodPost, Headers: headers, Body: methodOfKind[c.kind].request}
	path = c.procedure()
	switch c.kind {
	case unary:
		headers["Content-Type"] = "application/json"
	case stream:
		headers["Content-Type"] = "application/connect+json"
	case byGet:
		init.Method, init.Body = http.MethodGet, ""
		path += "?connect=v1&encoding=json&message=%7B%22key%22%3A%22answer%22%7D"
	case byPath:
		init.Method, path = http.MethodGet, c.path
	}
	if c.method != "" {
		init.Method = c.method
	}
	if c.kind == byPath && c.pathMethod != "" {
		init.Method, init.Body = c.pathMethod, "text"
	}
	if c.credentials {
		init.Credentials = "include"
	}
	return path, init
}

// fill replaces the placeholders in the parts of an explanation.
func (c explainedCell) fill(origin string) explanation {
	e := c.explanation
	if c.kind == byPath {
		e = c.ofPath
	}
	service, method, _ := strings.Cut(strings.Trim(c.procedure(), "/"), "/")
	replace := strings.NewReplacer("ORIGIN", origin, "PROCEDURE", service+"."+method, "METHOD", method).Replace
	return explanation{e.reason, replace(e.cause), replace(e.remedy)}
}

// message returns the text of a refusal, without what a client adds.
func (e explanation) message() string {
	m := "corsrpc refused this cross-origin request (" + e.reason + "): " + e.cause
	if e.remedy != "" {
		m += ": " + e.remedy
	}
	return m
}

// header returns the value of Corsrpc-Reason.
func (e explanation) header() string {
	if e.remedy == "" {
		return e.reason
	}
	return e.reason + "; " + e.remedy
}

// shown returns the message property of the error that an RPC client throws.
func (c explainedCell) shown(message string) string {
	switch c.transport {
	case overConnect, overGRPCWeb:
		return "[permission_denied] " + message
	case withNiceGRPCWeb:
		return c.procedure() + " PERMISSION_DENIED: " + message
	}
	return message
}

// blocked returns the message property of the error that an RPC client throws if the browser stops the call.
func (c explainedCell) blocked(engine browser.Engine) string {
	switch c.transport {
	case overConnect, overGRPCWeb:
		return "[unknown] " + networkErrors[engine]
	case withGRPCWebJS:
		return "Http response at 400 or 500 level, http status code: 0"
	case withNiceGRPCWeb:
		return c.procedure() + " UNKNOWN: Transport error: " + networkErrors[engine]
	}
	return networkErrors[engine]
}

// response returns the response that fetch reads: its status, its body and its readable headers apart from Content-Length.
func (c explainedCell) response(e explanation) rawReading {
	body, _ := json.Marshal(struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}{"permission_denied", e.message()})
	read := rawReading{Status: http.StatusForbidden, Body: string(body), Headers: map[string]string{
		"content-type": "application/json", "cache-control": "no-store", "corsrpc-reason": e.header(),
	}}
	switch c.kind {
	case stream:
		read.Status, read.Headers["content-type"] = http.StatusOK, "application/connect+json"
		end := `{"error":` + read.Body + `}`
		read.Body = strings.ToValidUTF8("\x02\x00\x00"+string([]byte{byte(len(end) >> 8), byte(len(end))})+end, "\uFFFD")
	case byPath:
		read.Body, read.Headers["content-type"] = e.message()+"\n", "text/plain; charset=utf-8"
		if c.pathStatus != 0 {
			read.Status = c.pathStatus
		}
	}
	return read
}
