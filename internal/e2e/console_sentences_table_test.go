package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// consolePolicy is the policy of a blockedCall that has none.
const consolePolicy = `
defaults:
  allow_origins: [ORIGIN]
rules:
  - selector: showcase.v1.ShowcaseService.Count
    disabled: true
  - selector: showcase.v1.ShowcaseService.Lookup
    allow_origins: [https://app.example.com]
  - path: /upload
    allow_methods: [POST]
`

// blockedCall is a call that fails because of CORS, or near to it.
type blockedCall struct {
	name    string
	section string // the heading in the document
	// reason is the layer's, of the first request; empty if the request does not reach the layer.
	reason corsrpc.Reason
	// cause is the first column of the row in the document, if that is not the reason.
	cause string

	policy string
	path   string
	init   fetchInit
	// script makes the call in place of fetch, unless it is empty. Its args.url is the URL.
	script string
	// outside is the handler around the layer, unless it is nil.
	outside func(http.Handler) http.Handler
	// serve returns the URL of the server, if it is not an ordinary one.
	serve func(*testing.T) string
	// engine is the only engine in which the call fails; empty for a call that fails in each.
	engine browser.Engine
	// outlives: the script ends before the browser has the answer, and says a sentence.
	outlives bool
}

// The headings of the document.
const (
	sectionMissing     = "Access-Control-Allow-Origin is missing"
	sectionHeader      = "A request header is not granted"
	sectionMethod      = "The method is not granted"
	sectionCredentials = "Access-Control-Allow-Credentials is missing"
	sectionOtherValue  = "Access-Control-Allow-Origin has another value"
	sectionTwoValues   = "Access-Control-Allow-Origin has two values"
	sectionInvalid     = "Access-Control-Allow-Origin is not an origin"
	sectionMalformed   = "A list of the preflight's response is malformed"
	sectionRedirect    = "The preflight is redirected"
	sectionStatus      = "The preflight has an error status"
	sectionNetwork     = "The request does not reach the server"
	sectionSilent      = "No sentence"
)

const (
	countPath     = "/showcase.v1.ShowcaseService/Count"
	anyoneMay     = `defaults: {allow_origins: ["*"]}`
	pageMay       = `defaults: {allow_origins: [ORIGIN]}`
	proxyMay      = `defaults: {allow_origins: [ORIGIN, https://proxy.example]}`
	eventsPolicy  = `rules: [{path: /events, allow_origins: [ORIGIN], allow_methods: [GET]}]`
	sandboxedCall = `await new Promise(done => {
		addEventListener("message", done, {once: true});
		const frame = document.createElement("iframe");
		frame.sandbox = "allow-scripts";
		frame.srcdoc = "<script>fetch('" + args.url + "').catch(() => 0).then(() => parent.postMessage(1, '*'))<" + "/script>";
		document.documentElement.append(frame);
	})`
)

// jsonCall is a call of the Connect protocol. It needs a preflight.
var jsonCall = fetchInit{Method: "POST", Headers: jsonBody, Body: ada}

var blockedCalls = []blockedCall{
	{name: "an origin, preflight", section: sectionMissing, reason: corsrpc.ReasonOriginNotAllowed, path: lookupPath, init: jsonCall},
	{name: "an origin, call", section: sectionMissing, reason: corsrpc.ReasonOriginNotAllowed, path: lookupGet},
	{name: "an origin, XMLHttpRequest", section: sectionMissing, reason: corsrpc.ReasonOriginNotAllowed, path: lookupGet,
		script: `await new Promise(done => { const x = new XMLHttpRequest(); x.onloadend = done; x.open("GET", args.url); x.send() })`},
	{name: "the origin null", section: sectionMissing, reason: corsrpc.ReasonOriginNotAllowed, cause: "The page is a local file or a sandboxed frame", path: lookupGet, script: sandboxedCall},
	{name: "disabled", section: sectionMissing, reason: corsrpc.ReasonDisabled, path: countPath, init: jsonCall},
	{name: "an operational service", section: sectionMissing, reason: corsrpc.ReasonOperationalNotNamed, path: "/grpc.health.v1.Health/Check", init: jsonCall},
	{name: "cookies on a call", section: sectionMissing, reason: corsrpc.ReasonCredentialsNotAllowed, policy: pageMay, path: lookupGet, init: fetchInit{Credentials: "include"}},
	{name: "a path", section: sectionMissing, reason: corsrpc.ReasonPathNotCanonical, path: "//upload", init: jsonCall},
	{name: "two origins", section: sectionMissing, reason: corsrpc.ReasonOriginRepeated, path: greetPath, init: jsonCall,
		outside: withRequest(func(r *http.Request) { r.Header.Add("Origin", "https://proxy.example") })},
	{name: "a malformed origin", section: sectionMissing, reason: corsrpc.ReasonOriginMalformed, path: greetPath, init: jsonCall,
		outside: withRequest(func(r *http.Request) { r.Header.Set("Origin", "app.example.com") })},
	{name: "no rule, preflight", section: sectionMissing, reason: corsrpc.ReasonNotGoverned, cause: "No rule governs the path", path: "/post-only", init: jsonCall},
	{name: "no rule, call", section: sectionMissing, reason: corsrpc.ReasonNotGoverned, cause: "No rule governs the path", path: "/other"},
	{name: "authentication around the layer", section: sectionMissing, cause: "Something in front of the layer answers", path: greetPath, init: jsonCall,
		outside: answering(http.StatusUnauthorized, false)},
	{name: "an error page of a proxy", section: sectionMissing, cause: "Something in front of the layer answers", path: lookupGet,
		outside: answering(http.StatusBadGateway, false)},

	{name: "a header", section: sectionHeader, reason: corsrpc.ReasonHeadersNotGranted, path: greetPath, init: fetchInit{Method: "POST", Headers: jsonAnd("x-tenant-id", "7"), Body: ada}},
	{name: "too many headers", section: sectionHeader, reason: corsrpc.ReasonRequestedHeadersMalformed, path: greetPath, init: fetchInit{Method: "POST", Headers: manyNames(), Body: ada}},
	{name: "a method of a procedure", section: sectionMethod, reason: corsrpc.ReasonMethodNotGranted, path: greetPath, init: fetchInit{Method: "PUT", Body: ada}},
	{name: "a method of a path", section: sectionMethod, reason: corsrpc.ReasonMethodNotGranted, path: "/upload", init: fetchInit{Method: "PUT", Body: ada}},

	{name: "credentials", section: sectionCredentials, reason: corsrpc.ReasonOriginAllowed, cause: "`credentials: \"include\"`", path: greetPath,
		init: fetchInit{Method: "POST", Headers: jsonBody, Body: ada, Credentials: "include"}},
	{name: "sendBeacon", section: sectionCredentials, reason: corsrpc.ReasonOriginAllowed, cause: "`sendBeacon` with a JSON `Blob`", path: greetPath, outlives: true,
		script: `navigator.sendBeacon(args.url, new Blob(["{}"], {type: "application/json"}))`},
	{name: "EventSource", section: sectionCredentials, reason: corsrpc.ReasonOriginAllowed, cause: "`EventSource` with `withCredentials`", policy: eventsPolicy, path: "/events",
		script: `await new Promise(done => { const s = new EventSource(args.url, {withCredentials: true}); s.onerror = s.onopen = () => { s.close(); done() } })`},
	{name: "credentials, every origin", section: sectionCredentials, reason: corsrpc.ReasonOriginAllowed, cause: "`allow_origins: [\"*\"]`", policy: anyoneMay, path: greetPath,
		init: fetchInit{Method: "POST", Headers: jsonBody, Body: ada, Credentials: "include"}},

	{name: "a tunnel", section: sectionOtherValue, reason: corsrpc.ReasonOriginAllowed, cause: "A tunnel or a proxy rewrites `Origin`", policy: proxyMay, path: greetPath, init: jsonCall,
		outside: withRequest(func(r *http.Request) { r.Header.Set("Origin", "https://proxy.example") })},
	{name: "two layers", section: sectionTwoValues, reason: corsrpc.ReasonOriginAllowed, cause: "A proxy or a gateway adds CORS headers of its own", path: greetPath, init: jsonCall,
		outside: func(layer http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { layer.ServeHTTP(addsOrigin{w}, r) })
		}},
	{name: "a value that is not an origin", section: sectionInvalid, cause: "Another server or proxy writes a value without scheme, in quotes, or empty", path: greetPath, init: jsonCall,
		outside: writing(acao, "app.example.com")},
	{name: "a malformed list", section: sectionMalformed, cause: "Another server or proxy separates names by spaces or semicolons, or quotes them", path: greetPath, init: jsonCall,
		outside: writing(acao, "*", acah, "content-type x-tenant-id")},
	{name: "a redirect", section: sectionRedirect, cause: "A server redirects `http` to `https`, or a path to one with a slash", path: greetPath, init: jsonCall,
		outside: answering(http.StatusPermanentRedirect, false)},
	{name: "a redirect with CORS headers", section: sectionRedirect, cause: "A server redirects `http` to `https`, or a path to one with a slash", path: greetPath, init: jsonCall,
		outside: answering(http.StatusPermanentRedirect, true)},
	{name: "authentication with CORS headers", section: sectionStatus, cause: "A proxy adds CORS headers, and authentication refuses the preflight", path: greetPath, init: jsonCall,
		outside: answering(http.StatusUnauthorized, true)},

	{name: "a server that is down", section: sectionNetwork, cause: "The server is down, or the port is wrong", path: "/", serve: func(t *testing.T) string {
		listener, origin, err := browser.Listen()
		if err != nil {
			t.Fatal(err)
		}
		listener.Close()
		return origin
	}},
	{name: "a certificate", section: sectionNetwork, cause: "The certificate is not valid", path: "/", serve: func(t *testing.T) string {
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.Config.ErrorLog = discardLog()
		server.StartTLS()
		t.Cleanup(server.Close)
		return server.URL
	}},
	{name: "Local Network Access", section: sectionNetwork, cause: "Local Network Access", path: greetPath, engine: browser.Chromium, script: `await new Promise(done => {
		addEventListener("message", done, {once: true});
		const frame = document.createElement("iframe");
		frame.src = "/#" + args.url;
		document.documentElement.append(frame);
	})`},
	{name: "Content Security Policy", section: sectionNetwork, cause: "Content Security Policy", path: greetPath, script: `await new Promise(done => {
		addEventListener("message", done, {once: true});
		const frame = document.createElement("iframe");
		frame.srcdoc = "<meta http-equiv='Content-Security-Policy' content=\"connect-src 'none'\">" +
			"<script>fetch('" + args.url + "').catch(() => 0).then(() => parent.postMessage(1, '*'))<" + "/script>";
		document.documentElement.append(frame);
	})`},

	{name: "no-cors", section: sectionSilent, reason: corsrpc.ReasonModeNotCORS, path: greetPath, init: fetchInit{Method: "POST", Mode: "no-cors", Body: ada}},
	{name: "sendBeacon of a string", section: sectionSilent, reason: corsrpc.ReasonModeNotCORS, path: greetPath, script: `navigator.sendBeacon(args.url, "x")`},
	{name: "an image", section: sectionSilent, reason: corsrpc.ReasonOriginMissing, path: lookupGet,
		script: `await new Promise(done => { const image = new Image(); image.onload = image.onerror = done; image.src = args.url })`},
	{name: "405", section: sectionSilent, reason: corsrpc.ReasonMethodNotAllowed, path: "/upload"},
}

// publicPage serves a page that Chromium treats as one of a public address. The page calls the URL in its fragment.
func publicPage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Security-Policy", "treat-as-public-address")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, `<!doctype html><script>fetch(location.hash.slice(1)).catch(() => 0).then(() => parent.postMessage(1, "*"))</script>`)
}

// manyNames returns more headers than the layer reads in a preflight.
func manyNames() map[string]string {
	header := map[string]string{}
	for i := range 300 {
		header[fmt.Sprintf("x-many-%03d", i)] = "1"
	}
	return header
}

// withRequest returns a middleware that changes requests.
func withRequest(change func(*http.Request)) func(http.Handler) http.Handler {
	return func(layer http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			change(r)
			layer.ServeHTTP(w, r)
		})
	}
}

// answering returns a middleware that answers each request itself.
func answering(status int, withCORS bool) func(http.Handler) http.Handler {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if withCORS {
				w.Header().Set("Access-Control-Allow-Origin", "*")
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		})
	}
}

// writing returns a middleware that answers each request itself, with these fields.
func writing(fields ...string) func(http.Handler) http.Handler {
	return func(http.Handler) http.Handler {
		return handAnswer{preflight: fieldsOf(fields...), call: fieldsOf(fields...)}.handler("", "")
	}
}

// addsOrigin adds a second Access-Control-Allow-Origin to a response.
type addsOrigin struct{ http.ResponseWriter }

func (a addsOrigin) WriteHeader(status int) {
	a.Header().Add("Access-Control-Allow-Origin", "*")
	a.ResponseWriter.WriteHeader(status)
}
