package probe

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// cors is a CORS middleware written by hand, with room for mistakes.
type cors struct {
	allows      func(origin string) bool
	credentials string
	headers     string // empty: those that the preflight asks for
	methods     string
	expose      string
	maxAge      string
	origin      string // in place of the request's
	noVary      bool
	refuses     bool // refused calls do not run
	status      int  // of preflights; 204 if it is 0
	before      func(w http.ResponseWriter, r *http.Request) bool
	after       func(h http.Header, r *http.Request)
	answer      http.Header
}

func exactly(origins ...string) func(string) bool {
	return func(o string) bool { return slices.Contains(origins, o) }
}

// clientHeaders are the headers that clients of both protocols send.
const clientHeaders = "Content-Type, Connect-Protocol-Version, Connect-Timeout-Ms, Grpc-Timeout, X-Grpc-Web, X-User-Agent"

// sound is a configuration without a fault.
func sound() *cors {
	return &cors{
		allows: exactly(page), credentials: "true", headers: clientHeaders, methods: "GET, POST", maxAge: "7200",
		expose: "Grpc-Status, Grpc-Message, Grpc-Status-Details-Bin, X-Request-Id", refuses: true, answer: http.Header{"X-Request-Id": {"1"}},
	}
}

func (c *cors) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if c.before != nil && c.before(w, r) {
		return
	}
	h, origin := w.Header(), r.Header.Get("Origin")
	if !c.noVary {
		h.Add("Vary", "Origin")
	}
	allowed := origin != "" && c.allows(origin)
	preflight := r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
	if allowed {
		set := func(name, value string) {
			if value != "" {
				h.Set(name, value)
			}
		}
		set("Access-Control-Allow-Origin", origin)
		set("Access-Control-Allow-Origin", c.origin)
		set("Access-Control-Allow-Credentials", c.credentials)
		if preflight {
			set("Access-Control-Allow-Headers", r.Header.Get("Access-Control-Request-Headers"))
			set("Access-Control-Allow-Headers", c.headers)
			set("Access-Control-Allow-Methods", c.methods)
			set("Access-Control-Max-Age", c.maxAge)
		} else {
			set("Access-Control-Expose-Headers", c.expose)
		}
	}
	if c.after != nil {
		c.after(h, r)
	}
	switch {
	case preflight && c.status != 0:
		w.WriteHeader(c.status)
	case preflight:
		w.WriteHeader(http.StatusNoContent)
	case origin != "" && !allowed && c.refuses:
		w.WriteHeader(http.StatusForbidden)
	default:
		for name, values := range c.answer {
			h[name] = values
		}
		fmt.Fprint(w, "{}")
	}
}

// layer is a corsrpc layer with a policy.
func layer(t *testing.T, policy string, options ...corsrpc.LayerOption) http.Handler {
	t.Helper()
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc), corsrpc.WithFiles(new(protoregistry.Files)))
	if err != nil {
		t.Fatal(err)
	}
	l, err := corsrpc.New(plan, options...)
	if err != nil {
		t.Fatal(err)
	}
	return l.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", "1")
		if r.Method != http.MethodPost {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc-web") {
			w.Header().Set("Content-Type", "application/grpc-web+proto")
			w.Header().Set("Grpc-Status", "0")
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Trailer-X-Cost", "7")
		fmt.Fprint(w, "{}")
	}))
}

// audits is a table of servers, and of what an audit of each finds. An expectation is the class and the
// severity. Classes that the list does not have must not be found, apart from NOT_EXAMINED.
var audits = []struct {
	name   string
	change func(*cors)
	how    func(*AuditOptions)
	want   []string
}{
	{name: "sound"},
	{name: "sound, for gRPC-Web", how: func(o *AuditOptions) { o.Protocol = rpc.GRPCWeb }},
	{name: "sound, with calls", how: func(o *AuditOptions) { o.SendCalls = true }},
	{name: "sound, with credentials", how: func(o *AuditOptions) { o.Call.Credentials = true }},
	{
		name:   "everyone, without credentials",
		change: func(c *cors) { c.allows, c.origin, c.credentials = func(string) bool { return true }, "*", "" },
	},
	{
		name:   "reflects",
		change: func(c *cors) { c.allows = func(string) bool { return true } },
		want:   []string{"REFLECTS_ORIGIN error"},
	},
	{
		name:   "reflects, without credentials",
		change: func(c *cors) { c.allows, c.credentials = func(string) bool { return true }, "" },
		want:   []string{"REFLECTS_ORIGIN note"},
	},
	{
		name:   "prefix",
		change: func(c *cors) { c.allows = func(o string) bool { return strings.HasPrefix(o, page) } },
		want:   []string{"PREFIX_MATCH error"},
	},
	{
		name:   "prefix, without credentials",
		change: func(c *cors) { c.allows, c.credentials = func(o string) bool { return strings.HasPrefix(o, page) }, "" },
		want:   []string{"PREFIX_MATCH warning"},
	},
	{
		name:   "suffix",
		change: func(c *cors) { c.allows = func(o string) bool { return strings.HasSuffix(o, "example.com") } },
		want:   []string{"SUFFIX_MATCH error"},
	},
	{
		name:   "suffix of the host",
		change: func(c *cors) { c.allows = func(o string) bool { return strings.HasSuffix(o, "app.example.com") } },
		want:   []string{"SUFFIX_MATCH error"},
	},
	{
		name:   "substring",
		change: func(c *cors) { c.allows = func(o string) bool { return strings.Contains(o, "example.com") } },
		want:   []string{"SUBSTRING_MATCH error"},
	},
	{
		name: "part of a list",
		change: func(c *cors) {
			c.allows = func(o string) bool { return strings.Contains(page+",https://b.example", o) }
		},
		want: []string{"SUBSTRING_MATCH error"},
	},
	{
		name:   "dot not escaped",
		change: func(c *cors) { c.allows = regexp.MustCompile("^https://app.example.com$").MatchString },
		want:   []string{"DOT_NOT_ESCAPED error"},
	},
	{
		name:   "neither escaped nor anchored",
		change: func(c *cors) { c.allows = regexp.MustCompile("https://app.example.com").MatchString },
		want:   []string{"DOT_NOT_ESCAPED error", "PREFIX_MATCH error"},
	},
	{
		name:   "null",
		change: func(c *cors) { c.allows = exactly(page, "null") },
		want:   []string{"NULL_TRUSTED error"},
	},
	{
		name:   "plain http",
		change: func(c *cors) { c.allows = exactly(page, "http://app.example.com") },
		want:   []string{"PLAIN_HTTP_TRUSTED error"},
	},
	{
		name: "every port",
		change: func(c *cors) {
			c.allows = regexp.MustCompile(`^https://app\.example\.com(:[0-9]+)?$`).MatchString
		},
		want: []string{"PORT_IGNORED error"},
	},
	{
		name:   "subdomains",
		change: func(c *cors) { c.allows = regexp.MustCompile(`^https://([a-z]+\.)+example\.com$`).MatchString },
		want:   []string{"SUBDOMAINS_TRUSTED warning"},
	},
	{
		name:   "a developer's machine",
		change: func(c *cors) { c.allows = exactly(page, "http://localhost:3000") },
		want:   []string{"LOOPBACK_TRUSTED error"},
	},
	{
		name: "a beginning of localhost",
		change: func(c *cors) {
			c.allows = func(o string) bool { return o == page || strings.HasPrefix(o, "http://localhost") }
		},
		want: []string{"LOOPBACK_TRUSTED error", "PREFIX_MATCH error"},
	},
	{
		name: "everyone without credentials, and the end of a domain with them",
		change: func(c *cors) {
			c.allows, c.refuses = func(string) bool { return true }, false
			c.after = func(h http.Header, r *http.Request) {
				if !strings.HasSuffix(r.Header.Get("Origin"), "example.com") {
					h.Set("Access-Control-Allow-Origin", "*")
					h.Del("Access-Control-Allow-Credentials")
				}
			}
		},
		want: []string{"SUFFIX_MATCH error"},
	},
	{
		name: "the end of a domain without credentials, and a dot that is not escaped with them",
		change: func(c *cors) {
			c.allows = func(o string) bool { return strings.HasSuffix(o, "example.com") }
			c.after = func(h http.Header, r *http.Request) {
				if !regexp.MustCompile("^https://app.example.com$").MatchString(r.Header.Get("Origin")) {
					h.Del("Access-Control-Allow-Credentials")
				}
			}
		},
		want: []string{"DOT_NOT_ESCAPED error", "SUFFIX_MATCH warning"},
	},
	{
		name:   "everyone, with credentials that no browser accepts",
		change: func(c *cors) { c.allows, c.origin = func(string) bool { return true }, "*" },
		want:   []string{"WILDCARD_WITH_CREDENTIALS warning"},
	},
	{
		name:   "everyone, for a page with credentials",
		change: func(c *cors) { c.allows, c.origin = func(string) bool { return true }, "*" },
		how:    func(o *AuditOptions) { o.Call.Credentials = true },
		want:   []string{"WILDCARD_WITH_CREDENTIALS error"},
	},
	{
		name:   "another list",
		change: func(c *cors) { c.allows = exactly("https://other.example") },
		want:   []string{"ORIGIN_NOT_GRANTED error"},
	},
	{
		name: "a proxy that adds the origin again",
		change: func(c *cors) {
			c.after = func(h http.Header, _ *http.Request) { h.Add("Access-Control-Allow-Origin", page) }
		},
		want: []string{"ALLOW_ORIGIN_REPEATED error"},
	},
	{
		name:   "a list of origins",
		change: func(c *cors) { c.origin = page + ", https://b.example" },
		want:   []string{"ALLOW_ORIGIN_INVALID error"},
	},
	{
		name:   "a slash",
		change: func(c *cors) { c.origin = page + "/" },
		want:   []string{"ALLOW_ORIGIN_INVALID error"},
	},
	{
		name:   "credentials in upper case",
		change: func(c *cors) { c.credentials = "True" },
		want:   []string{"ALLOW_CREDENTIALS_INVALID warning"},
	},
	{
		name:   "no credentials, for a page with credentials",
		change: func(c *cors) { c.credentials = "" },
		how:    func(o *AuditOptions) { o.Call.Credentials = true },
		want:   []string{"CREDENTIALS_NOT_GRANTED error"},
	},
	{
		name:   "no Vary",
		change: func(c *cors) { c.noVary = true },
		want:   []string{"VARY_MISSING warning"},
	},
	{
		name:   "one origin for everyone",
		change: func(c *cors) { c.noVary, c.allows, c.origin = true, func(string) bool { return true }, page },
	},
	{
		name:   "a status of an error",
		change: func(c *cors) { c.status = 500 },
		want:   []string{"PREFLIGHT_STATUS error"},
	},
	{
		name: "a redirect",
		change: func(c *cors) {
			c.before = func(w http.ResponseWriter, r *http.Request) bool {
				http.Redirect(w, r, "/login", http.StatusFound)
				return r.URL.Path != "/login"
			}
		},
		want: []string{"PREFLIGHT_REDIRECT error"},
	},
	{
		name:   "a router before the middleware",
		change: func(c *cors) { c.before = onPreflights(http.StatusMethodNotAllowed) },
		want:   []string{"PREFLIGHT_NOT_HANDLED error"},
	},
	{
		name:   "a preflight answered as a request without CORS",
		change: func(c *cors) { c.before = onPreflights(http.StatusOK) },
		want:   []string{"PREFLIGHT_NOT_HANDLED error"},
	},
	{
		name:   "authentication before the middleware",
		change: func(c *cors) { c.before = onPreflights(http.StatusUnauthorized) },
		want:   []string{"PREFLIGHT_UNAUTHENTICATED error"},
	},
	{
		name:   "a firewall before the middleware",
		change: func(c *cors) { c.before = onPreflights(http.StatusForbidden) },
		want:   []string{"PREFLIGHT_UNAUTHENTICATED error"},
	},
	{
		name:   "a header that is not on the list",
		change: func(c *cors) { c.headers = "Content-Type, Connect-Timeout-Ms" },
		want:   []string{"HEADERS_NOT_GRANTED error"},
	},
	{
		name:   "the header of timeouts is not on the list",
		change: func(c *cors) { c.headers = "Content-Type, Connect-Protocol-Version" },
		want:   []string{"HEADERS_NOT_GRANTED warning"},
	},
	{
		name:   "a header that makes a middleware refuse the preflight",
		change: func(c *cors) { c.before = withoutGrantFor("connect-protocol-version") },
		how:    func(o *AuditOptions) { o.Protocol = rpc.Connect },
		want:   []string{"HEADERS_NOT_GRANTED error"},
	},
	{
		name:   "headers for gRPC-Web only",
		change: func(c *cors) { c.headers = "Content-Type, X-Grpc-Web, Grpc-Timeout" },
	},
	{
		name:   "a header of the application",
		change: func(*cors) {},
		how:    func(o *AuditOptions) { o.Call.Header.Set("X-Tenant", "a") },
		want:   []string{"HEADERS_NOT_GRANTED error"},
	},
	{
		name:   "headers that are no list",
		change: func(c *cors) { c.headers = clientHeaders + ", X Tenant" },
		want:   []string{"HEADERS_INVALID error"},
	},
	{
		name:   "methods that are no list",
		change: func(c *cors) { c.methods = "GET POST" },
		want:   []string{"METHODS_INVALID error"},
	},
	{
		name: "a method that is not on the list",
		how: func(o *AuditOptions) {
			o.Call.Target, o.Call.Method, o.Call.Header = "/items/1", "DELETE", http.Header{}
		},
		want: []string{"METHODS_NOT_GRANTED error"},
	},
	{
		name:   "every header beside credentials",
		change: func(c *cors) { c.headers = "*" },
		want:   []string{"WILDCARD_HEADERS warning"},
	},
	{
		name:   "the headers that the preflight asks for",
		change: func(c *cors) { c.headers = "" },
		want:   []string{"PREFLIGHT_PER_MIX note"},
	},
	{
		name:   "no time",
		change: func(c *cors) { c.maxAge = "" },
		want:   []string{"MAX_AGE_MISSING note"},
	},
	{
		name:   "a time with a unit",
		change: func(c *cors) { c.maxAge = "2h" },
		want:   []string{"MAX_AGE_INVALID warning"},
	},
	{
		name: "a response without a grant",
		change: func(c *cors) {
			c.after = func(h http.Header, r *http.Request) {
				if r.Method != http.MethodOptions {
					h.Del("Access-Control-Allow-Origin")
				}
			}
		},
		want: []string{"RESPONSE_NOT_GRANTED warning"},
	},
	{
		name:   "an exposed header that is no name",
		change: func(c *cors) { c.expose += ", X Cost" },
		want:   []string{"EXPOSE_INVALID error"},
	},
	{
		name:   "a pattern of exposed headers",
		change: func(c *cors) { c.expose, c.answer = c.expose+", Trailer-*", http.Header{"Trailer-X-Cost": {"7"}} },
		want:   []string{"EXPOSE_INVALID warning", "METADATA_NOT_EXPOSED warning"},
	},
	{
		name:   "no status of gRPC-Web",
		change: func(c *cors) { c.expose = "X-Request-Id" },
		how:    func(o *AuditOptions) { o.Protocol, o.SendCalls = rpc.GRPCWeb, true },
		want:   []string{"STATUS_NOT_EXPOSED warning"},
	},
	{
		name: "the status of gRPC-Web is there, and not exposed",
		change: func(c *cors) {
			c.expose, c.answer = "X-Request-Id", http.Header{"X-Request-Id": {"1"}, "Grpc-Status": {"0"}}
		},
		how:  func(o *AuditOptions) { o.Protocol, o.SendCalls = rpc.GRPCWeb, true },
		want: []string{"STATUS_NOT_EXPOSED error"},
	},
	{
		name:   "everything exposed beside credentials",
		change: func(c *cors) { c.expose = "*" },
		how:    func(o *AuditOptions) { o.Protocol, o.Call.Credentials = rpc.GRPCWeb, true },
		want:   []string{"METADATA_NOT_EXPOSED error", "STATUS_NOT_EXPOSED error"},
	},
	{
		name:   "a header that no script reads",
		change: func(c *cors) { c.answer.Set("X-Cost", "7") },
		want:   []string{"METADATA_NOT_EXPOSED note"},
	},
	{
		name:   "a refused call that runs",
		change: func(c *cors) { c.refuses = false },
		how:    func(o *AuditOptions) { o.SendCalls = true },
		want:   []string{"REFUSED_CALL_RUNS warning"},
	},
	{
		name: "a refused call that runs after a preflight only",
		change: func(c *cors) {
			c.refuses, c.before = false, func(w http.ResponseWriter, r *http.Request) bool {
				if r.Header.Get("Content-Type") != "text/plain" {
					return false
				}
				w.WriteHeader(http.StatusUnsupportedMediaType)
				return true
			}
		},
		how:  func(o *AuditOptions) { o.SendCalls = true },
		want: []string{"REFUSED_CALL_RUNS note"},
	},
}

// onPreflights answers preflights with a status and without a grant.
func onPreflights(status int) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodOptions {
			return false
		}
		w.WriteHeader(status)
		return true
	}
}

// withoutGrantFor answers preflights that ask for a header without a grant, as some middlewares do.
func withoutGrantFor(name string) func(http.ResponseWriter, *http.Request) bool {
	return func(_ http.ResponseWriter, r *http.Request) bool {
		return strings.Contains(r.Header.Get("Access-Control-Request-Headers"), name)
	}
}

// TestAudit: an audit finds the fault of each server, and invents none.
func TestAudit(t *testing.T) {
	t.Parallel()
	for _, c := range audits {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := sound()
			if c.change != nil {
				c.change(server)
			}
			findings, wire := audit(t, server, c.how)
			if got := classesOf(findings); !slices.Equal(got, c.want) {
				t.Errorf("found %q, want %q\n%s", got, c.want, describe(findings))
			}
			if wire.Sent() > 40 {
				t.Errorf("the audit sent %d requests", wire.Sent())
			}
		})
	}
}

// TestAuditOfLayer: a corsrpc layer with a sound policy has no fault, in either protocol, with calls or
// without.
func TestAuditOfLayer(t *testing.T) {
	t.Parallel()
	const policy = `defaults: {allow_origins: ["https://app.example.com"], allow_credentials: true}`
	for _, protocol := range []rpc.Protocols{0, rpc.Connect, rpc.GRPCWeb} {
		for _, send := range []bool{false, true} {
			findings, wire := audit(t, layer(t, policy), func(o *AuditOptions) { o.Protocol, o.SendCalls = protocol, send })
			if len(classesOf(findings)) > 0 {
				t.Errorf("protocol %v, send %t: %s", protocol, send, describe(findings))
			}
			t.Logf("protocol %v, send %t: %d requests", protocol, send, wire.Sent())
		}
	}
}

func audit(t *testing.T, handler http.Handler, how func(*AuditOptions)) ([]Finding, *Wire) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	u, err := ParseURL(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	o := AuditOptions{Call: Call{Origin: page, Target: "acme.v1.S.Get", Method: http.MethodPost, Header: http.Header{}}}
	if how != nil {
		how(&o)
	}
	wire := NewWire(Server{URL: u})
	wire.SendCalls = o.SendCalls
	t.Cleanup(wire.Close)
	findings, err := Audit(t.Context(), wire, o)
	if err != nil {
		t.Fatal(err)
	}
	return findings, wire
}

// classesOf returns the classes of findings with their severities, sorted, apart from notes about what is
// not examined.
func classesOf(findings []Finding) (all []string) {
	for _, f := range findings {
		if f.Class != ClassNotExamined || f.Severity != report.Note {
			all = append(all, string(f.Class)+" "+string(f.Severity))
		}
	}
	slices.Sort(all)
	return all
}

func describe(findings []Finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%s %s: %s (%s: %s)\n  %s\n", f.Severity, f.Class, f.Message, f.Header, f.Value, f.Curl)
	}
	return b.String()
}

// TestAuditOfExplainingLayer: a corsrpc layer with WithExplain grants preflights of calls that it refuses, so
// that pages on loopback and pages that the policy names can read why. These pages do not get a grant by it.
func TestAuditOfExplainingLayer(t *testing.T) {
	t.Parallel()
	const allowed = `allow_origins: ["https://app.example.com"], allow_credentials: true`
	for _, c := range []struct {
		name, policy string
		protocol     rpc.Protocols
		send         bool
		want         []string
	}{
		{"a path without GET", "defaults: {" + allowed + "}\nrules: [{path: /acme.v1.S/Get, allow_methods: [POST], allow_headers: [Content-Type, Connect-Protocol-Version, Connect-Timeout-Ms]}]", rpc.Connect, false, nil},
		{"sound", "defaults: {" + allowed + "}", 0, true, nil},
		{"sound, browsers keep no preflight", "defaults: {" + allowed + ", max_age: 0s}", 0, true, nil},
		{"one protocol", "defaults: {" + allowed + ", protocols: [GRPC_WEB]}", 0, true, nil},
		{"the other protocol", "defaults: {" + allowed + ", protocols: [GRPC_WEB]}", rpc.Connect, false, []string{"HEADERS_NOT_GRANTED error"}},
		{"the other protocol, sent", "defaults: {" + allowed + ", protocols: [GRPC_WEB], max_age: 0s}", rpc.Connect, true, []string{"HEADERS_NOT_GRANTED error"}},
		{"disabled", "defaults: {" + allowed + "}\nrules: [{path: \"/\", disabled: true}]", 0, false, []string{"ORIGIN_NOT_GRANTED error"}},
		{"disabled, sent", "defaults: {" + allowed + "}\nrules: [{path: \"/\", disabled: true}]", 0, true, []string{"ORIGIN_NOT_GRANTED error"}},
	} {
		findings, _ := audit(t, layer(t, c.policy, corsrpc.WithLogger(slog.New(slog.DiscardHandler)), corsrpc.WithExplain()), func(o *AuditOptions) { o.Protocol, o.SendCalls = c.protocol, c.send })
		if got := classesOf(findings); !slices.Equal(got, c.want) {
			t.Errorf("%s: found %q, want %q\n%s", c.name, got, c.want, describe(findings))
		}
	}
}
