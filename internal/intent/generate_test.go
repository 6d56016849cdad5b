package intent

import (
	"math/bits"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/durationpb"
	"pgregory.net/rapid"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// The parts of policies and requests. There are few of each, so that policies and requests
// often match.
var (
	packages = []string{"acme", "acme.v1", "acme.v1.sub", "acme.v10", "other.v2", "grpc.health.v1", ""}
	services = []string{"Catalog", "Account", "CatalogAdmin", "Health"}
	methods  = []string{"Get", "List", "GetAll"}
	patterns = []string{"/healthz", "/files/", "/v/{id}", "/files/special", "/acme.v1/x", "/unknown.v9.S/M"}

	originPatterns = []string{
		"https://app.example.com", "https://admin.example.com", "https://example.com", "https://example.com:8443", "https://app.example.com.",
		"http://localhost:3000", "capacitor://localhost", "https://xn--bcher-kva.example", "https://[2001:db8::1]", "https://192.0.2.1:8443",
		"https://*.example.com", "https://*.preview.example.com", "https://*.example.com:*", "https://app.example.com:*", "http://localhost:*",
		"https://*.example.com:8443", "http://*.localhost:*", "*", "null", "http://plain.example.org", "https://*.github.io",
		"https://*.preview-example.com", "https://*.example.com.", "file://", "moz-extension://*", "vscode-webview://*", "moz-extension://1f",
		"https://a*.example.com", "https://pr-*.example.com:*", "https://*-pr.example.com", "https://*-kva.example.com", "https://pr-*-pr.example.com", "https://pr-*.preview.example.com",
		"http://pr-*.localhost:*", "https://*--acme.github.io",
	}
	pages = []string{
		"https://app.example.com", "https://admin.example.com", "https://example.com", "https://example.com:8443", "https://app.example.com.",
		"http://localhost:3000", "capacitor://localhost", "https://xn--bcher-kva.example", "https://[2001:db8::1]", "https://192.0.2.1:8443",
		"https://a.example.com", "https://a.b.example.com:8443", "https://a.preview.example.com", "https://preview.example.com", "https://app.example.com:444",
		"https://evil-example.com", "https://evilexample.com", "https://example.com.evil.org", "https://app.example.com.evil.net", "https://a.preview-example.com",
		"https://com", "https://app.examplexcom.org", "https://app.example.co", "https://xapp.example.com", "https://192.0.2.11:8443", "https://[2001:db8::11]",
		"http://app.example.com", "http://localhost", "http://localhost:30000", "http://a.localhost:1", "http://localhost.evil.org", "http://plain.example.org", "http://a.plain.example.org",
		"capacitor://localhost2", "ionic://localhost", "null", "file://", "moz-extension://1f", "moz-extension://2e", "vscode-webview://1f", "chrome-extension://1f", "https://x.github.io", "https://github.io", "https://api.example.com", "http://api.plain.test",
		"https://pr-1.example.com", "https://pr-1-pr.example.com:8443", "https://pr-.example.com", "https://pr-pr.example.com", "https://-pr.example.com", "https://pr-1.2.example.com",
		"https://a.pr-1.example.com", "https://pr-1.example.com.evil.net", "https://pr-1.evil-example.com", "https://xn--bcher-kva.example.com", "https://b-kva.example.com", "https://pr-1.example.com.",
		"https://pr-1.preview.example.com", "http://pr-1.localhost:3000", "http://pr-1.example.com", "https://x--acme.github.io", "https://--acme.github.io",
	}
	schemes     = []string{"", "https", "http", "capacitor"}
	sourceNames = []string{"tenants", "partners"}
	variables   = []string{"${APP}", "${UNSET:-https://app.example.com}", "${APP:-https://admin.example.com}", "${UNSET}"}

	requestItems = []string{
		"x-a", "X-B", "x-tenant-id", "x-acme-one", "x-acme-*", "x-acme-on-*", "x-*", "*", "authorization", "x-original-url", "auth-*", "traceparent", "baggage",
		"grpc-metadata-x", "grpc-metadata-*", "grpc-trace-bin", "content-language", "b3", "x-datadog-*", "content-type", "content-*",
		"origin", "sec-fetch-*", "Access-Control-Allow-Origin", "x-script-name", "mcp-session-id", "mcp-*",
	}
	requestHeaders = []string{
		"x-a", "X-B", "x-tenant-id", "x-acme-one", "x-acme-on-e", "x-acmetwo", "Authorization", "X-Original-URL", "x-http-method-override", "auth-x", "traceparent", "tracestate", "baggage",
		"grpc-metadata-x", "grpc-metadata-authorization", "grpc-trace-bin", "grpc-tags-bin", "grpc-timeout", "grpc-newer", "x-grpc-web", "x-user-agent",
		"connect-protocol-version", "connect-newer", "content-type", "content-type", "content-type", "content-encoding", "connect", "xx-a",
		"b3", "sentry-trace", "x-datadog-trace-id", "x-b3-flags", "x-datadog-other", "X-Script-Name",
		"Mcp-Session-Id", "mcp-param-region", "last-event-id", "mcp",
	}
	responseItems   = []string{"x-a", "X-B", "etag", "trailer-x-a", "x-internal-id", "x-internal-*", "x-*", "*", "date", "server", "vary", "x-envoy-up", "connection", "grpc-status", "trailer-x-*", "content-type", "timing-allow-origin", "Origin", "sec-ch-ua", "mcp-session-id", "mcp-*", "www-*"}
	responseHeaders = []string{
		"X-A", "X-B", "Trailer-X-A", "Trailer-X-B", "X-Internal-Id", "X-Internalid", "Grpc-Status", "Grpc-Message", "Etag", "Date", "Server", "Vary", "X-Envoy-Up",
		"X-Csrf-Token", "Set-Cookie", "Connection", "Cache-Control", "Link", "Trailer-Date", "Content-Security-Policy", "Content-Language", "Keep-Alive",
		"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Expose-Headers", "Access-Control-New", "access-control-allow-origin", "x-a",
		"Bad Name", "Trailer:X-T", "Timing-Allow-Origin", "Timing-Allow-Origin", "timing-allow-origin", "Content-Type", "Content-Type", "Content-Type",
		"Mcp-Session-Id", "Mcp-Next", "Www-Authenticate",
	}
)

// index draws an integer from 0 to n-1, each with nearly the same probability. The integer
// generators of rapid prefer small numbers.
func index(t *rapid.T, n int, label string) int {
	return rapid.Custom(func(t *rapid.T) int {
		i := 0
		for range bits.Len(uint(n)) + 2 {
			i <<= 1
			if rapid.Bool().Draw(t, "bit") {
				i |= 1
			}
		}
		return i % n
	}).Draw(t, label)
}

// chance returns true with about this probability.
func chance(t *rapid.T, percent int, label string) bool {
	return index(t, 16, label) >= 16-(percent*16+50)/100
}

// pick draws an item.
func pick[T any](t *rapid.T, from []T, label string) T { return from[index(t, len(from), label)] }

// some draws up to n distinct items.
func some(t *rapid.T, from []string, n int, label string) (items []string) {
	for range index(t, n+1, "number of "+label) {
		if item := pick(t, from, label); !slices.Contains(items, item) {
			items = append(items, item)
		}
	}
	return items
}

// originRisks are the risks of origins.
var originRisks = []corsrpcv1.Risk{
	corsrpcv1.Risk_RISK_NULL_ORIGIN, corsrpcv1.Risk_RISK_PLAIN_HTTP, corsrpcv1.Risk_RISK_PUBLIC_SUFFIX, corsrpcv1.Risk_RISK_ANY_INSTALLATION,
}

// drawRule draws a rule without its selector or path.
func drawRule(t *rapid.T, path bool) *corsrpcv1.Rule {
	r := &corsrpcv1.Rule{AcceptRisks: append(slices.Clip(originRisks), corsrpcv1.Risk_RISK_UNKNOWN_SELECTORS)}
	if chance(t, 60, "has origins") {
		r.AllowOrigins = some(t, originPatterns, 4, "origins")
		for i, pattern := range r.AllowOrigins {
			if chance(t, 12, "changed pattern") {
				r.AllowOrigins[i] = changed(t, pattern)
			}
		}
	}
	if chance(t, 15, "has variables") {
		r.AllowOrigins = append(r.AllowOrigins, pick(t, variables, "variable"))
	}
	if chance(t, 15, "has sources") {
		r.AllowOriginsFrom = some(t, sourceNames, 2, "sources")
	}
	if chance(t, 25, "has credentials") {
		r.AllowCredentials = proto.Bool(chance(t, 80, "credentials"))
	}
	if chance(t, 50, "has request headers") {
		r.AllowHeaders, r.DenyHeaders = some(t, requestItems, 4, "allow"), some(t, requestItems, 3, "deny")
	}
	if chance(t, 20, "has tracing") {
		r.Tracing = proto.Bool(rapid.Bool().Draw(t, "tracing"))
	}
	if chance(t, 30, "has timing") {
		r.Timing = proto.Bool(chance(t, 80, "timing"))
	}
	if chance(t, 25, "has expose") {
		r.Expose = corsrpcv1.Exposure(1 + index(t, 2, "expose"))
	}
	if chance(t, 50, "has response headers") {
		r.ExposeHeaders, r.HideHeaders = some(t, responseItems, 3, "show"), some(t, responseItems, 2, "hide")
	}
	if chance(t, 30, "has max age") {
		r.MaxAge = &durationpb.Duration{Seconds: pick(t, []int64{0, 1, 599, 600, 601, 7200, 7201, 86400}, "maxAge")}
	}
	if chance(t, 20, "has protocols") && !path {
		r.Protocols = []corsrpcv1.Protocol{corsrpcv1.Protocol(1 + index(t, 2, "protocol"))}
	}
	if path && chance(t, 30, "serves MCP") {
		r.Protocols = []corsrpcv1.Protocol{corsrpcv1.Protocol_PROTOCOL_MCP}
	}
	if chance(t, 40, "has methods") && path {
		r.AllowMethods = some(t, []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}, 3, "methods")
	}
	if chance(t, 10, "has disabled") {
		r.Disabled = proto.Bool(chance(t, 70, "disabled"))
	}
	return r
}

// drawWorld draws a policy with all kinds of content, its schema, its environment and its
// origin sources. The policy loads.
func drawWorld(t *rapid.T) *world {
	from, set := drawPolicy(t)
	w := newWorld(t, from, set)
	if w == nil {
		t.Fatalf("the policy cannot be repaired so that it loads: %v", from.Policy)
	}
	return w
}

// drawPolicy is drawWorld for a policy that may not load.
func drawPolicy(t *rapid.T) (Policy, *descriptorpb.FileDescriptorSet) {
	set, known := drawSchema(t)
	from := Policy{Policy: drawLevels(t, known), Methods: known, Env: map[string]string{}, Sources: map[string][]string{}}
	if chance(t, 25, "has a prefix") {
		from.Prefixes = []string{"/api"}
	}
	from.SchemaOptions = corsrpcv1.SchemaOptions(index(t, 4, "schema options"))
	from.Options = drawOptions(t, known, from.SchemaOptions)
	if chance(t, 50, "has profiles") {
		from.Profiles = map[string]*corsrpcv1.Profile{}
		for _, name := range []string{"dev", "prod"} {
			levels := drawLevels(t, known)
			from.Profiles[name] = &corsrpcv1.Profile{Defaults: levels.Defaults, Rules: levels.Rules, AddOrigins: some(t, originPatterns, 2, "added")}
			if chance(t, 70, "added risks") {
				from.Profiles[name].AcceptRisks = originRisks
			}
		}
		from.Profile = pick(t, []string{"", "dev", "dev", "prod"}, "profile")
	}
	if chance(t, 20, "has a shadow") {
		from.Shadow = drawLevels(t, known)
		from.Shadow.SchemaOptions = from.SchemaOptions
	}
	if from.Env["APP"] = strings.Join(some(t, originPatterns[:16], 3, "environment"), ", "); chance(t, 10, "changed environment") && from.Env["APP"] != "" {
		from.Env["APP"] = changed(t, from.Env["APP"])
	}
	for _, name := range sourceNames {
		for _, row := range some(t, append(slices.Clone(pages), originPatterns...), 12, "rows") {
			if chance(t, 15, "changed row") {
				if row = changed(t, row); !slices.Contains(schemes, row[:max(strings.Index(row, "://"), 0)]) {
					continue // the model does not define rows with a misspelled scheme
				}
			}
			from.Sources[name] = append(from.Sources[name], row)
		}
	}
	return from, set
}

// drawLevels draws the defaults and rules of a policy.
func drawLevels(t *rapid.T, known map[string]bool) *corsrpcv1.Policy {
	policy := &corsrpcv1.Policy{}
	if chance(t, 80, "has defaults") {
		policy.Defaults = drawRule(t, false)
	}
	selectors := []string{"*", "unknown.v9.*", "unknown.v9.S", "unknown.v9.S.M", "acme.v1.Missing", "grpc.*"}
	for _, m := range sorted(known) {
		service := m[:strings.LastIndexByte(m, '.')]
		selectors = append(selectors, m, service)
		for pkg := service; strings.Contains(pkg, "."); {
			pkg = pkg[:strings.LastIndexByte(pkg, '.')]
			selectors = append(selectors, pkg+".*")
		}
	}
	slices.Sort(selectors)
	for _, selector := range some(t, slices.Compact(selectors), 5, "selectors") {
		r := drawRule(t, false)
		r.Selector = selector
		policy.Rules = append(policy.Rules, r)
	}
	for _, pattern := range some(t, patterns, 2, "patterns") {
		r := drawRule(t, true)
		r.Path = pattern
		policy.Rules = append(policy.Rules, r)
	}
	return policy
}

// call is a call of a script, and the response of the handler.
type call struct {
	Page, API, Path, Method string
	Header                  []string
	SafeHeader              bool // a Content-Type that needs no preflight
	Mode                    corsbrowser.Mode
	Credentials             corsbrowser.Credentials
	HasCookie               bool
	ForcePreflight          bool
	Engine                  corsbrowser.Engine
	Status                  int
	Answer                  http.Header
	Commit                  string // the function that sends the response header
}

// canBeCall reports whether the request can be a call of an RPC protocol.
func (c call) canBeCall() bool {
	return c.Method == http.MethodPost || c.Method == http.MethodGet && strings.Contains(c.Path, "?connect=v1&encoding=")
}

// drawCall draws a call, most often of a page and a path that the policy allows.
func drawCall(t *rapid.T, w *world) call {
	c := call{
		Page: pick(t, pages, "page"), API: "https://api.example.com", Path: pick(t, w.paths(), "path"),
		Method: pick(t, []string{"POST", "POST", "POST", "GET", "GET", "HEAD"}, "method"), Mode: corsbrowser.CORS,
		Credentials: pick(t, []corsbrowser.Credentials{corsbrowser.SameOrigin, corsbrowser.Omit, corsbrowser.Include}, "credentials"),
		HasCookie:   chance(t, 30, "cookie"), ForcePreflight: chance(t, 20, "force"), Engine: pick(t, corsbrowser.Engines(), "engine"),
		Status: pick(t, []int{200, 200, 200, 304, 400, 404, 500}, "status"), Answer: http.Header{},
		Commit: pick(t, []string{"WriteHeader", "Write", "Flush", "return", "early hints"}, "commit"),
	}
	if c.Method == http.MethodGet && chance(t, 40, "a GET of Connect") {
		c.Path += "?connect=v1&encoding=json&message=%7B%7D"
	}
	callable := slices.DeleteFunc(w.paths(), func(path string) bool {
		rule, governed := w.RuleFor(path, c.canBeCall())
		return !governed || rule.Disabled() || len(rule.Origins()) == 0
	})
	if len(callable) > 0 && chance(t, 60, "a path that somebody may call") {
		_, query, hasQuery := strings.Cut(c.Path, "?")
		if c.Path = pick(t, callable, "callable path"); hasQuery {
			c.Path += "?" + query
		}
	}
	if c.Commit != "WriteHeader" && c.Commit != "early hints" {
		c.Status = http.StatusOK
	}
	rule, governed := w.RuleFor(c.Path, c.canBeCall())
	if list := rule.Origins(); len(list) > 0 && chance(t, 70, "allowed page") {
		if page := instance(pick(t, list, "page's pattern")); page != "" {
			c.Page = page
		}
	}
	if chance(t, 20, "changed page") {
		if page := changed(t, c.Page); isPage(page) {
			c.Page = page
		}
	}
	if chance(t, map[bool]int{true: 5, false: 40}[strings.HasPrefix(c.Page, "https:")], "plain api") {
		c.API = "http://api.plain.test"
	}
	if governed && rule.MCP() && chance(t, 25, "own page") {
		c.Page = c.API
	}
	if chance(t, map[bool]int{true: 50, false: 10}[rule.isPath], "unusual method") {
		c.Method = pick(t, []string{"PUT", "DELETE", "OPTIONS", "PATCH"}, "method")
	}
	if chance(t, 60, "has headers") {
		c.Header = some(t, requestHeaders, 3, "headers")
		if chance(t, 60, "granted headers") {
			c.Header = slices.DeleteFunc(c.Header, func(name string) bool { return !rule.AllowsHeader(name) })
		}
		if slices.Contains(c.Header, "content-type") {
			c.SafeHeader = chance(t, 30, "safe type")
		}
	}
	if chance(t, 12, "no-cors") {
		c.Mode = corsbrowser.NoCORS
		c.Method = pick(t, []string{"GET", "HEAD", "POST"}, "no-cors method")
	}
	for _, name := range some(t, responseHeaders, 6, "answer") {
		c.Answer[name] = []string{answerValue[name]}
		switch {
		case name == "Content-Type":
			c.Answer[name] = []string{pick(t, contentTypes, "content type")}
		case strings.EqualFold(name, "Timing-Allow-Origin"):
			c.Answer[name] = []string{pick(t, []string{"*", c.Page, "https://evil.example", "https://evil.example, " + c.Page}, "timing")}
		case answerValue[name] == "":
			c.Answer[name] = []string{"v"}
		}
	}
	if !governed {
		for name := range c.Answer {
			if strings.HasPrefix(strings.ToLower(name), "access-control-") {
				delete(c.Answer, name) // the layer does not remove the handler's CORS headers from these paths
			}
		}
	}
	return c
}

// changed returns a text with one character inserted, removed or replaced.
func changed(t *rapid.T, s string) string {
	i := index(t, len(s), "where")
	rest := s[i:]
	if chance(t, 60, "replaced") {
		rest = s[i+1:]
	}
	if chance(t, 30, "dropped") {
		return s[:i] + rest
	}
	return s[:i] + pick(t, []string{".", "*", "-", ":", "/", "a", "1", "*.", "%", "@", " ", "\n"}, "character") + rest
}

// isPage reports whether a page can have this origin.
func isPage(s string) bool {
	if _, err := corsbrowser.New(s); err != nil {
		return false // not as browsers serialize it
	}
	if strings.Contains(strings.Replace(s, "xn--bcher-kva.", "", 1), "xn--") {
		return false // a changed label may not be punycode any more
	}
	parts := pageOrigin.FindStringSubmatch(s)
	if parts == nil {
		return s == "null" || s == "file://"
	}
	port, _ := strconv.Atoi(parts[3])
	host := strings.Trim(parts[1], "[]")
	isIP := host != parts[1] || parts[2] != "" && strings.Trim(parts[2], "0123456789") == ""
	return port <= 65535 && !strings.HasPrefix(parts[3], "0") && (!isIP || net.ParseIP(host).String() == host)
}

// pageOrigin matches a serialized tuple origin: its host, the last label, and its port.
var pageOrigin = regexp.MustCompile(`^[a-z][a-z0-9+.-]*://(\[[0-9a-f:]+\]|(?:[a-z0-9_-]+\.)*([a-z0-9_-]+)\.?)(?::(\d+))?$`)

// instance returns an origin that a pattern matches, or "" if the pattern is "*" or matches
// no page.
func instance(pattern string) string {
	if pattern == "*" {
		return ""
	}
	if isInstallation(pattern) {
		return strings.TrimSuffix(pattern, "*") + "2e"
	}
	page := strings.Replace(pattern, "://*.", "://a.b.", 1)
	if base, ok := strings.CutSuffix(page, ":*"); ok {
		page = base + ":8443"
	}
	page = strings.Replace(page, "*", "a-1", 1)
	if !isPage(page) {
		return ""
	}
	return page
}

// answerValue holds the values of response headers whose value matters.
var answerValue = map[string]string{
	"Connection": "X-A, keep-alive", "Set-Cookie": "a=b", "Access-Control-Allow-Origin": "https://evil.example",
	"Access-Control-Allow-Credentials": "true", "Access-Control-Expose-Headers": "*", "Vary": "Accept-Encoding", "Cache-Control": "max-age=60",
}

// contentTypes are content types of responses.
var contentTypes = []string{
	"application/json", "application/grpc-web+proto", "application/grpc-web", "application/grpc-web-text+proto", "Application/gRPC-Web-Text; charset=utf-8",
	"application/grpc-website", "application/grpc",
}

// paths returns paths of the schema, of path rules, and unknown ones.
func (w *world) paths() []string {
	paths := []string{"/healthz", "/healthz", "/v/1", "/files/a/b", "/files/a/b", "/files/special", "/v/1", "/v/1/2", "/none", "/unknown.v9.S/M", "/unknown.v9.S/Other", "/unknown.v9.sub.S/M", "/acme.v1/x", "/acme.v1.Missing/Get", "/grpc.unknown.v1.S/M", "/grpc.reflection.v1.ServerReflection/New", "/grpc.health.v1.Health/Other"}
	for _, m := range sorted(w.Methods) {
		i := strings.LastIndexByte(m, '.')
		paths = append(paths, "/"+m[:i]+"/"+m[i+1:], "/"+m[:i]+"/Unknown")
	}
	if len(w.Prefixes) > 0 {
		for _, path := range slices.Clone(paths[len(paths)/2:]) {
			paths = append(paths, w.Prefixes[0]+path)
		}
	}
	if len(w.Prefixes) == 0 { // with a prefix, this path has two readings
		paths = append(paths, "/apiacme.v1.Catalog/Get")
	}
	return append(paths, "/api/none", "/api/acme.v1.Catalog/Get")
}
