// Package intent is a model of policies: a second, simple and slow implementation of the
// documentation in proto/corsrpc/v1/policy.proto. It shares no code with corsrpc. Its tests
// compare the model with the effect of the layer on a browser, for random policies and calls.
package intent

import (
	"path"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// Policy is a policy with its schema and its environment.
type Policy struct {
	*corsrpcv1.Policy
	// Methods holds the methods of the schema, by full name. The value is true for a method
	// without side effects.
	Methods map[string]bool
	// Options holds the corsrpc options in the schema, by the full name of the service or
	// method.
	Options map[string]*corsrpcv1.Rule
	// Profile is the name of the selected profile.
	Profile string
	// Env holds the environment variables.
	Env map[string]string
	// Sources holds the rows of the origin sources, by name.
	Sources map[string][]string
	// Prefixes lists the path prefixes of WithPathPrefix.
	Prefixes []string
}

// operational lists services for the operation of a server. Defaults and the selector * do
// not apply to them.
var operational = []string{"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"}

// Rule is the effective rule of a target: its levels, the widest first.
type Rule struct {
	policy *Policy
	levels []level
	isPath bool
	get    bool // the method has no side effects, so that it can be called with GET
}

// level is a level of a policy: defaults, a rule, or an option in the schema.
type level struct {
	*corsrpcv1.Rule
	element string // the service or method of an option; empty for the policy's levels
	narrows bool   // the option may only narrow what wider levels grant
}

// rules returns the policy's rules that have a property, then those of the profile.
func (p Policy) rules(have func(*corsrpcv1.Rule) bool) (levels []level) {
	for _, r := range append(slices.Clip(p.GetRules()), p.GetProfiles()[p.Profile].GetRules()...) {
		if have(r) {
			levels = append(levels, level{Rule: r})
		}
	}
	return levels
}

// defaults returns the defaults of the policy, then those of the profile.
func (p Policy) defaults() []level {
	return []level{{Rule: p.GetDefaults()}, {Rule: p.GetProfiles()[p.Profile].GetDefaults()}}
}

// options returns the options of a service and its method in the schema.
func (p Policy) options(names ...string) (levels []level) {
	if p.GetSchemaOptions() == corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_IGNORE {
		return nil
	}
	for _, name := range names {
		if o := p.Options[name]; o != nil {
			levels = append(levels, level{o, name, p.GetSchemaOptions() != corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_FULL})
		}
	}
	return levels
}

// RuleFor returns the effective rule of a request path, and false if the policy does not
// govern it. An unknown path with the form of a procedure is governed only if the request
// can be a call: a POST other than a navigating form, or a GET with the parameter encoding.
func (p Policy) RuleFor(path string, canBeCall bool) (Rule, bool) {
	path, _, _ = strings.Cut(path, "?")
	procedure := path
	for _, prefix := range p.Prefixes {
		if below, ok := strings.CutPrefix(path, prefix+"/"); ok {
			procedure = "/" + below
		}
	}
	service, method, _ := strings.Cut(strings.TrimPrefix(procedure, "/"), "/")
	name := service + "." + method
	isService := func(m string) bool {
		return strings.HasPrefix(m, service+".") && !strings.Contains(m[len(service)+1:], ".")
	}
	known := false
	for m := range p.Methods {
		known = known || isService(m)
	}
	covering := p.rules(func(r *corsrpcv1.Rule) bool { // by selectors other than *
		pkg, isPackage := strings.CutSuffix(r.GetSelector(), ".*")
		s := r.GetSelector()
		return s != "" && s != "*" && (s == name || s == service || isPackage && strings.HasPrefix(name, pkg+"."))
	})
	shaped := method != "" && !strings.ContainsAny(method, "/.-") && (known || strings.Contains(service, ".") && !strings.ContainsAny(service, "-"))
	if !shaped || !known && len(covering) == 0 {
		if pattern := p.pathPattern(path); pattern != "" {
			rules := p.rules(func(r *corsrpcv1.Rule) bool { return r.GetPath() == pattern })
			return Rule{policy: &p, levels: append(p.defaults(), rules...), isPath: true}, true
		}
	}
	if !shaped || !known && len(covering) == 0 && !canBeCall {
		return Rule{}, false
	}
	// A narrower selector is longer, without the star of a package. The sort is stable, so a
	// profile's rule stays behind the policy's rule of the same selector.
	slices.SortStableFunc(covering, func(a, b level) int {
		return len(strings.TrimSuffix(a.GetSelector(), ".*")) - len(strings.TrimSuffix(b.GetSelector(), ".*"))
	})
	options := p.options(service, name)
	if !known {
		options = nil
	}
	levels := options
	if !slices.Contains(operational, service) {
		levels = slices.Concat(p.defaults(), options, p.rules(func(r *corsrpcv1.Rule) bool { return r.GetSelector() == "*" }))
	}
	return Rule{policy: &p, levels: append(levels, covering...), get: p.Methods[name]}, true
}

// pathPattern returns the longest pattern of a path rule that matches a path, or "".
func (p Policy) pathPattern(path string) (found string) {
	for _, r := range p.rules(func(r *corsrpcv1.Rule) bool { return r.GetPath() != "" }) {
		pattern := r.GetPath()
		if len(found) > len(pattern) {
			continue
		}
		want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
		if want[len(want)-1] == "" && len(have) >= len(want) { // a subtree
			want, have = want[:len(want)-1], have[:len(want)-1]
		}
		if slices.EqualFunc(want, have, func(w, h string) bool { return w == h || strings.HasPrefix(w, "{") && h != "" }) {
			found = pattern
		}
	}
	return found
}

// Disabled reports whether all calls from other origins are refused. If the schema disables
// a service or method, only a rule whose selector is its name, or a name inside it, enables
// it again.
func (r Rule) Disabled() (disabled bool) {
	locked := map[string]bool{} // the elements that the schema disables
	for _, l := range r.levels {
		switch {
		case l.Rule == nil || l.Disabled == nil:
		case l.GetDisabled():
			disabled = true
			if l.element != "" {
				locked[l.element] = true
			}
		default:
			disabled = false
			for element := range locked {
				if l.element != "" || l.GetSelector() == element || strings.HasPrefix(l.GetSelector(), element+".") {
					delete(locked, element)
				}
			}
		}
	}
	return disabled || len(locked) > 0
}

// Credentials reports whether calls may carry credentials.
func (r Rule) Credentials() (credentials bool) {
	for _, l := range r.levels {
		if l.Rule != nil && l.AllowCredentials != nil {
			credentials = l.GetAllowCredentials()
		}
	}
	return credentials
}

// Origins returns the patterns of the origins that may call: those of the last level that
// has any, with the environment variables and origin sources of that level, and those that
// the profile adds.
func (r Rule) Origins() (origins []string) {
	for _, l := range r.levels {
		if len(l.GetAllowOrigins())+len(l.GetAllowOriginsFrom()) > 0 {
			origins = r.policy.expand(l.GetAllowOrigins())
			for _, name := range l.GetAllowOriginsFrom() {
				origins = append(origins, slices.DeleteFunc(slices.Clone(r.policy.Sources[name]), isSkippedRow)...)
			}
		}
	}
	if len(origins) > 0 || r.hasOrigins() {
		added := r.policy.expand(r.policy.GetProfiles()[r.policy.Profile].GetAddOrigins())
		if r.Credentials() {
			added = slices.DeleteFunc(added, isUnrelated)
		}
		if !slices.Contains(origins, "*") {
			origins = append(origins, added...)
		}
	}
	return origins
}

// isUnrelated reports whether pages of unrelated owners have the origins of a pattern, so that
// they never get credentials.
func isUnrelated(pattern string) bool {
	return pattern == "*" || pattern == "null" || pattern == "file://" || isInstallation(pattern)
}

// isInstallation reports whether a pattern matches every installation of every extension.
func isInstallation(pattern string) bool { return strings.HasSuffix(pattern, "://*") }

// hasOrigins reports whether a level has allow_origins or allow_origins_from, even if the
// source is empty.
func (r Rule) hasOrigins() bool {
	return slices.ContainsFunc(r.levels, func(l level) bool { return len(l.GetAllowOrigins())+len(l.GetAllowOriginsFrom()) > 0 })
}

// expand replaces each environment variable in a list of origins with the origins in its value,
// or in its fallback if the variable is empty.
func (p *Policy) expand(items []string) (origins []string) {
	for _, item := range items {
		inner, ok := strings.CutPrefix(item, "${")
		if !ok {
			origins = append(origins, item)
			continue
		}
		name, fallback, _ := strings.Cut(strings.TrimSuffix(inner, "}"), ":-")
		value := p.Env[name]
		if value == "" {
			value = fallback
		}
		for _, o := range strings.Split(value, ",") {
			origins = append(origins, strings.TrimSpace(o))
		}
	}
	return origins
}

// isSkippedRow reports whether the layer skips a row of an origin source: all but exact https
// origins of hosts other than loopback. Rows that are not origins need no check here, since no
// page has such an origin.
func isSkippedRow(row string) bool {
	scheme, host, _ := split(row)
	host = strings.TrimSuffix(host, ".")
	loopback := host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasPrefix(host, "127.") || host == "[::1]" ||
		host == "0.0.0.0" || host == "[::]" || strings.HasPrefix(host, "[::ffff:7f")
	return strings.Contains(row, "*") || scheme != "https" || loopback
}

// Speaks reports whether clients of the protocol are allowed.
func (r Rule) Speaks(protocol corsrpcv1.Protocol) bool {
	speaks := !r.isPath
	for _, l := range r.levels {
		if !r.isPath && len(l.GetProtocols()) > 0 {
			speaks = slices.Contains(l.GetProtocols(), protocol) && (speaks || !l.narrows)
		}
	}
	return speaks
}

// MaxAge returns the seconds for which a preflight may be cached.
func (r Rule) MaxAge() int64 {
	age := int64(7200)
	for _, l := range r.levels {
		if l.GetMaxAge() != nil && !(l.narrows && l.GetMaxAge().GetSeconds() > age) {
			age = l.GetMaxAge().GetSeconds()
		}
	}
	return age
}

// AllowsMethod reports whether a script may use an HTTP method.
func (r Rule) AllowsMethod(method string) bool {
	if !r.isPath {
		return method == "POST" || method == "GET" && r.get && r.Speaks(corsrpcv1.Protocol_PROTOCOL_CONNECT)
	}
	methods := []string{"GET", "HEAD", "POST"}
	for _, l := range r.levels {
		if len(l.GetAllowMethods()) > 0 {
			methods = l.GetAllowMethods()
		}
	}
	return slices.Contains(methods, method)
}

// Timing reports whether pages of the allowed origins see the timing details of a call.
func (r Rule) Timing() (timing bool) {
	for _, l := range r.levels {
		if l.Rule != nil && l.Rule.Timing != nil {
			timing = l.GetTiming()
		}
	}
	return timing
}

// AllowsOrigin reports whether pages of an origin may call.
func (r Rule) AllowsOrigin(origin string) bool {
	return slices.ContainsFunc(r.Origins(), func(pattern string) bool { return Covers(pattern, origin) })
}

// Unrelated reports whether pages of unrelated owners have the origin of a page that may call: no
// pattern names the page otherwise.
func (r Rule) Unrelated(origin string) bool {
	return isUnrelated(origin) || !slices.ContainsFunc(r.Origins(), func(pattern string) bool { return !isUnrelated(pattern) && Covers(pattern, origin) })
}

// Everyone reports whether pages of every origin may call.
func (r Rule) Everyone() bool { return slices.Contains(r.Origins(), "*") }

// Covers reports whether a pattern of allow_origins matches an origin.
func Covers(pattern, origin string) bool {
	if pattern == "*" || pattern == origin {
		return true
	}
	scheme, host, port := split(pattern)
	wantScheme, haveHost, havePort := split(origin)
	if isInstallation(pattern) {
		return scheme == wantScheme
	}
	base, below := strings.CutPrefix(host, "*.")
	if below {
		if label, ok := strings.CutSuffix(haveHost, "."+base); !ok || label == "" {
			return false
		}
	} else if label, behind, _ := strings.Cut(host, "."); strings.Contains(label, "*") {
		haveLabel, haveBehind, _ := strings.Cut(haveHost, ".")
		// In the syntax of package path, * matches nothing too.
		if ok, _ := path.Match(strings.Replace(label, "*", "?*", 1), haveLabel); !ok || strings.HasPrefix(haveLabel, "xn--") || haveBehind != behind {
			return false
		}
	} else if host != haveHost {
		return false
	}
	return scheme == wantScheme && (port == "*" || port == havePort) && strings.Contains(pattern, "*")
}

// split splits an origin or a pattern.
func split(origin string) (scheme, host, port string) {
	scheme, host, _ = strings.Cut(origin, "://")
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host, port = host[:i], host[i+1:]
	}
	return scheme, host, port
}

// AllowsHeader reports whether a script may send a request header.
func (r Rule) AllowsHeader(name string) bool {
	name = strings.ToLower(name)
	connect, grpcWeb := r.Speaks(corsrpcv1.Protocol_PROTOCOL_CONNECT), r.Speaks(corsrpcv1.Protocol_PROTOCOL_GRPC_WEB)
	metadata := strings.HasPrefix(name, "grpc-metadata-") || name == "grpc-trace-bin" || name == "grpc-tags-bin"
	switch {
	case !metadata && (connect && strings.HasPrefix(name, "connect-") || grpcWeb && strings.HasPrefix(name, "grpc-")),
		(connect || grpcWeb) && (name == "content-type" || name == "user-agent"),
		connect && name == "content-encoding",
		grpcWeb && (name == "x-grpc-web" || name == "x-user-agent"):
		return true
	}
	verdict := r.lookup(name, func(l *corsrpcv1.Rule) (yes, no []string) {
		yes, no = l.GetAllowHeaders(), l.GetDenyHeaders()
		for _, tracing := range tracingHeaders {
			named := func(s string) bool { return strings.EqualFold(s, tracing) }
			switch {
			case l == nil || l.Tracing == nil || slices.ContainsFunc(yes, named) || slices.ContainsFunc(no, named):
			case l.GetTracing():
				yes = append(slices.Clip(yes), tracing)
			default:
				no = append(slices.Clip(no), tracing)
			}
		}
		return yes, no
	})
	return verdict == "yes" || verdict == "" && name == "content-type" && r.grantsContentType()
}

// tracingHeaders lists the headers of distributed tracing.
var tracingHeaders = []string{
	"traceparent", "tracestate", "baggage", "sentry-trace", "newrelic", "elastic-apm-traceparent", "request-id", "request-context",
	"b3", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "uber-trace-id", "ot-tracer-traceid", "ot-tracer-spanid", "ot-tracer-sampled",
	"x-datadog-trace-id", "x-datadog-parent-id", "x-datadog-origin", "x-datadog-sampling-priority", "x-datadog-tags", "x-amzn-trace-id", "x-cloud-trace-context",
	"x-instana-t", "x-instana-s", "x-instana-l", "sw8", "x-dtc",
}

// grantsContentType reports whether a rule that does not list content-type grants it: that of a
// path with another method than GET and HEAD, for everyone only if allow_methods is written.
func (r Rule) grantsContentType() bool {
	methods := []string{"GET", "HEAD", "POST"}
	written := false
	for _, l := range r.levels {
		if len(l.GetAllowMethods()) > 0 {
			methods, written = l.GetAllowMethods(), true
		}
	}
	reads := func(method string) bool { return method == "GET" || method == "HEAD" }
	return r.isPath && (written || !r.Everyone()) && slices.ContainsFunc(methods, func(method string) bool { return !reads(method) })
}

// lookup returns the verdict on a header name of the narrowest level that lists it: "yes",
// "no", or "" if no level lists it.
func (r Rule) lookup(name string, lists func(*corsrpcv1.Rule) (yes, no []string)) string {
	for _, l := range slices.Backward(r.levels) {
		yes, no := lists(l.Rule)
		verdict, length := "", -1
		weigh := func(list []string, answer string) {
			for _, item := range list {
				item = strings.ToLower(item)
				prefix, open := strings.CutSuffix(item, "*")
				covers := item == name || open && strings.HasPrefix(name, prefix)
				// A wildcard does not grant names that have to be listed explicitly.
				if answer == "yes" && open && (name == "authorization" || rewritesRequest(name) ||
					strings.HasPrefix(name, "grpc-metadata-") && !strings.HasPrefix(prefix, "grpc-metadata-")) {
					covers = false
				}
				weight := len(prefix)
				if !open {
					weight = 1 << 20
				}
				if covers && weight > length {
					verdict, length = answer, weight
				}
			}
		}
		weigh(yes, "yes")
		weigh(no, "no")
		if verdict != "" {
			return verdict
		}
	}
	return ""
}

// rewritesRequest reports whether servers may take the method or the URL from this header.
func rewritesRequest(name string) bool {
	switch name {
	case "x-http-method", "x-http-method-override", "x-method-override",
		"x-original-url", "x-original-uri", "x-original-method", "x-rewrite-url", "x-forwarded-uri", "x-forwarded-method", "x-forwarded-prefix",
		"x-forwarded-path", "x-envoy-original-path", "x-script-name":
		return true
	}
	return false
}

// Shows reports whether a script may read a header of a response with this status and this
// Connection header.
func (r Rule) Shows(name string, status int, connection []string) bool {
	name = strings.ToLower(name)
	switch name {
	case "cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma":
		return true
	case "set-cookie", "set-cookie2":
		return false
	}
	if strings.HasPrefix(name, "access-control-") || status == 304 {
		return false
	}
	lists := func(l *corsrpcv1.Rule) (yes, no []string) { return l.GetExposeHeaders(), l.GetHideHeaders() }
	verdict, plain := r.lookup(name, lists), strings.TrimPrefix(name, "trailer-")
	switch name {
	case "grpc-status", "grpc-message", "grpc-status-details-bin":
		return r.Speaks(corsrpcv1.Protocol_PROTOCOL_GRPC_WEB) || verdict == "yes"
	}
	expose := corsrpcv1.Exposure_EXPOSURE_PRESENT
	if r.isPath {
		expose = corsrpcv1.Exposure_EXPOSURE_DECLARED
	}
	for _, l := range r.levels {
		if e := l.GetExpose(); e != corsrpcv1.Exposure_EXPOSURE_UNSPECIFIED {
			expose = e
		}
	}
	if expose == corsrpcv1.Exposure_EXPOSURE_DECLARED {
		twin := plain != name && r.Speaks(corsrpcv1.Protocol_PROTOCOL_CONNECT) && r.lookup(plain, lists) == "yes"
		return verdict == "yes" || verdict == "" && twin
	}
	if verdict == "" && plain != name {
		verdict = r.lookup(plain, lists)
	}
	return verdict == "yes" || verdict == "" && !isOperational(name, connection)
}

// ListsStatus reports whether the list of exposed headers has the three status headers of gRPC, for a
// response with this status, of a gRPC-Web content type, that need not carry them.
func (r Rule) ListsStatus(status int) bool {
	lists := func(l *corsrpcv1.Rule) (yes, no []string) { return l.GetExposeHeaders(), l.GetHideHeaders() }
	named := func(name string) bool { return r.lookup(name, lists) == "yes" }
	return status != 304 && (r.Speaks(corsrpcv1.Protocol_PROTOCOL_GRPC_WEB) || named("grpc-status") && named("grpc-message") && named("grpc-status-details-bin"))
}

// IsGRPCWeb reports whether a Content-Type is one of gRPC-Web.
func IsGRPCWeb(contentType string) bool {
	essence, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	format, _, _ := strings.Cut(strings.TrimSpace(essence), "+")
	return format == "application/grpc-web" || format == "application/grpc-web-text"
}

// neverSent reports whether browsers do not let a script set a request header, or any header
// of a prefix.
func neverSent(item string) bool {
	item = strings.TrimSuffix(strings.ToLower(item), "*")
	for _, family := range []string{"sec-", "proxy-", "access-control-"} {
		if strings.HasPrefix(item, family) {
			return true
		}
	}
	return slices.Contains([]string{
		"accept-charset", "accept-encoding", "connection", "content-length", "cookie", "cookie2", "date", "dnt", "expect", "host", "keep-alive", "origin", "referer",
		"set-cookie", "te", "trailer", "transfer-encoding", "upgrade", "via",
	}, item)
}

// neverShown reports whether no script can read a response header: browsers do not show it, the
// CORS protocol uses it, or only requests have it.
func neverShown(name string) bool {
	name = strings.ToLower(name)
	return strings.HasPrefix(name, "sec-") || strings.HasPrefix(name, "access-control-") || slices.Contains([]string{
		"set-cookie", "set-cookie2", "origin", "host", "cookie", "cookie2", "referer", "proxy-authorization", "te", "dnt", "expect", "max-forwards",
		"if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range", "upgrade-insecure-requests",
	}, name)
}

// Impossible returns a header in one of the rules that the policy must not name, or "".
func (p Policy) Impossible() string {
	rules := append(slices.Clip(p.GetRules()), p.GetDefaults())
	for _, profile := range p.GetProfiles() {
		rules = append(append(rules, profile.GetRules()...), profile.GetDefaults())
	}
	if p.GetSchemaOptions() != corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_IGNORE {
		for _, o := range p.Options {
			rules = append(rules, o)
		}
	}
	for _, r := range rules {
		for _, item := range r.GetAllowHeaders() {
			if neverSent(item) {
				return item
			}
		}
		for _, name := range r.GetExposeHeaders() {
			if neverShown(name) {
				return name
			}
		}
	}
	return ""
}

// isOperational reports whether a header is about the connection or the server's operation.
func isOperational(name string, connection []string) bool {
	for _, listed := range strings.Split(strings.Join(connection, ","), ",") {
		if strings.EqualFold(strings.TrimSpace(listed), name) {
			return true
		}
	}
	return slices.Contains([]string{
		"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
		"vary", "date", "server", "via", "alt-svc", "server-timing", "timing-allow-origin", "x-powered-by", "strict-transport-security",
		"report-to", "nel", "reporting-endpoints", "x-csrf-token", "x-xsrf-token", "csrf-token", "xsrf-token", "content-encoding", "accept-encoding",
	}, name) || strings.HasPrefix(name, "x-envoy-") || strings.HasPrefix(name, "content-security-policy") || strings.HasSuffix(name, "-accept-encoding")
}
