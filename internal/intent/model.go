// Package intent says what a policy means, slowly and in few words, from its
// documentation (proto/corsrpc/v1/policy.proto) alone: nothing here is shared
// with the code that compiles and decides. Its tests hold the layer, as seen
// through a browser, against it.
package intent

import (
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// Policy is a policy and the schema that it is for.
type Policy struct {
	*corsrpcv1.Policy
	// Methods are the schema's, by full name; whether each has no side effects.
	Methods map[string]bool
	// Options are what the schema says itself, by the service or the method.
	Options map[string]*corsrpcv1.Rule
	// Profile is the one that is chosen, Env what the environment holds, Sources
	// what origin sources stream.
	Profile string
	Env     map[string]string
	Sources map[string][]string
	// Prefixes are those below which procedures are served as well.
	Prefixes []string
}

// operational are the services of the generators that servers link in for their own
// operation.
var operational = []string{"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"}

// Rule is what holds for one target: the layers, the widest first.
type Rule struct {
	policy *Policy
	layers []layer
	isPath bool
	get    bool // callable by GET
}

// layer is a rule, or an option in the schema.
type layer struct {
	*corsrpcv1.Rule
	element string // that the option stands at; empty for a rule
	narrows bool   // it may do nothing else
}

// rules returns the policy's rules with a property, the profile's behind the file's.
func (p Policy) rules(have func(*corsrpcv1.Rule) bool) (layers []layer) {
	for _, r := range append(slices.Clip(p.GetRules()), p.GetProfiles()[p.Profile].GetRules()...) {
		if have(r) {
			layers = append(layers, layer{Rule: r})
		}
	}
	return layers
}

// defaults returns the policy's and the profile's.
func (p Policy) defaults() []layer {
	return []layer{{Rule: p.GetDefaults()}, {Rule: p.GetProfiles()[p.Profile].GetDefaults()}}
}

// options returns what the schema says of a service and its method.
func (p Policy) options(names ...string) (layers []layer) {
	if p.GetSchemaOptions() == corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_IGNORE {
		return nil
	}
	for _, name := range names {
		if o := p.Options[name]; o != nil {
			layers = append(layers, layer{o, name, p.GetSchemaOptions() != corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_FULL})
		}
	}
	return layers
}

// RuleFor returns what holds for a path as clients spell it, and false where
// the policy does not govern it. A path that only has the form of a procedure's is
// governed where the request can be a call: a POST other than a form that navigates, or a
// GET with the parameter encoding.
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
			return Rule{policy: &p, layers: append(p.defaults(), rules...), isPath: true}, true
		}
	}
	if !shaped || !known && len(covering) == 0 && !canBeCall {
		return Rule{}, false
	}
	// A narrower selector is a longer one; a package counts without its star, and
	// is wider than a service. A profile's rule stays behind the file's.
	slices.SortStableFunc(covering, func(a, b layer) int {
		return len(strings.TrimSuffix(a.GetSelector(), ".*")) - len(strings.TrimSuffix(b.GetSelector(), ".*"))
	})
	options := p.options(service, name)
	if !known {
		options = nil
	}
	layers := options
	if !slices.Contains(operational, service) {
		layers = slices.Concat(p.defaults(), options, p.rules(func(r *corsrpcv1.Rule) bool { return r.GetSelector() == "*" }))
	}
	return Rule{policy: &p, layers: append(layers, covering...), get: p.Methods[name]}, true
}

// pathPattern finds the longest pattern that covers a path.
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

// Disabled reports whether calls from other origins are refused altogether. What the
// schema disables, a rule of the policy lifts only by the element's name, or by that
// of something inside it.
func (r Rule) Disabled() (disabled bool) {
	held := map[string]bool{} // the elements that the schema disables
	for _, l := range r.layers {
		switch {
		case l.Rule == nil || l.Disabled == nil:
		case l.GetDisabled():
			disabled = true
			if l.element != "" {
				held[l.element] = true
			}
		default:
			disabled = false
			for element := range held {
				if l.element != "" || l.GetSelector() == element || strings.HasPrefix(l.GetSelector(), element+".") {
					delete(held, element)
				}
			}
		}
	}
	return disabled || len(held) > 0
}

// Credentials reports whether calls may carry them.
func (r Rule) Credentials() (credentials bool) {
	for _, l := range r.layers {
		if l.Rule != nil && l.AllowCredentials != nil {
			credentials = l.GetAllowCredentials()
		}
	}
	return credentials
}

// Origins returns the patterns of those that may call: of the last layer that says
// any, those of the environment and of sources among them, and those that the
// profile adds.
func (r Rule) Origins() (origins []string) {
	for _, l := range r.layers {
		if len(l.GetAllowOrigins())+len(l.GetAllowOriginsFrom()) > 0 {
			origins = r.policy.expand(l.GetAllowOrigins())
			for _, name := range l.GetAllowOriginsFrom() {
				origins = append(origins, slices.DeleteFunc(slices.Clone(r.policy.Sources[name]), isNoTenant)...)
			}
		}
	}
	if len(origins) > 0 || r.hasOrigins() {
		if added := r.policy.expand(r.policy.GetProfiles()[r.policy.Profile].GetAddOrigins()); !slices.Contains(origins, "*") {
			origins = append(origins, added...)
		}
	}
	return origins
}

// hasOrigins reports whether a layer says who may call, if only by a source that is
// empty.
func (r Rule) hasOrigins() bool {
	return slices.ContainsFunc(r.layers, func(l layer) bool { return len(l.GetAllowOrigins())+len(l.GetAllowOriginsFrom()) > 0 })
}

// expand puts in what the environment holds.
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

// isNoTenant reports whether a row of a source is none that counts: a pattern, null,
// or an origin that the network can forge. What is no origin at all is no page's.
func isNoTenant(row string) bool {
	scheme, host, _ := split(row)
	loopback := host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasPrefix(host, "127.") || host == "[::1]"
	return strings.Contains(row, "*") || row == "null" || scheme == "http" && !loopback
}

// Speaks reports whether the protocol's clients are served.
func (r Rule) Speaks(protocol corsrpcv1.Protocol) bool {
	speaks := !r.isPath
	for _, l := range r.layers {
		if !r.isPath && len(l.GetProtocols()) > 0 {
			speaks = slices.Contains(l.GetProtocols(), protocol) && (speaks || !l.narrows)
		}
	}
	return speaks
}

// MaxAge returns how many seconds a preflight may be remembered.
func (r Rule) MaxAge() int64 {
	age := int64(7200)
	for _, l := range r.layers {
		if l.GetMaxAge() != nil && !(l.narrows && l.GetMaxAge().GetSeconds() > age) {
			age = l.GetMaxAge().GetSeconds()
		}
	}
	return age
}

// AllowsMethod reports whether a script may use the HTTP method.
func (r Rule) AllowsMethod(method string) bool {
	if !r.isPath {
		return method == "POST" || method == "GET" && r.get && r.Speaks(corsrpcv1.Protocol_PROTOCOL_CONNECT)
	}
	methods := []string{"GET", "HEAD", "POST"}
	for _, l := range r.layers {
		if len(l.GetAllowMethods()) > 0 {
			methods = l.GetAllowMethods()
		}
	}
	return slices.Contains(methods, method)
}

// AllowsOrigin reports whether pages of the origin may call.
func (r Rule) AllowsOrigin(origin string) bool {
	return slices.ContainsFunc(r.Origins(), func(pattern string) bool { return Covers(pattern, origin) })
}

// Everyone reports whether every page may call.
func (r Rule) Everyone() bool { return slices.Contains(r.Origins(), "*") }

// Covers reports whether a pattern of allow_origins is for the origin.
func Covers(pattern, origin string) bool {
	if pattern == "*" || pattern == origin {
		return true
	}
	scheme, host, port := split(pattern)
	wantScheme, haveHost, havePort := split(origin)
	base, below := strings.CutPrefix(host, "*.")
	if below {
		if label, ok := strings.CutSuffix(haveHost, "."+base); !ok || label == "" {
			return false
		}
	} else if host != haveHost {
		return false
	}
	return scheme == wantScheme && (port == "*" || port == havePort) && strings.Contains(pattern, "*")
}

func split(origin string) (scheme, host, port string) {
	scheme, host, _ = strings.Cut(origin, "://")
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host, port = host[:i], host[i+1:]
	}
	return scheme, host, port
}

// AllowsHeader reports whether a script may send the request header.
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
	return r.says(name, func(l *corsrpcv1.Rule) (yes, no []string) {
		yes, no = l.GetAllowHeaders(), l.GetDenyHeaders()
		for _, tracing := range []string{"traceparent", "tracestate", "baggage"} {
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
	}) == "yes"
}

// says returns what the narrowest layer that mentions a name says of it: "yes",
// "no", or "".
func (r Rule) says(name string, lists func(*corsrpcv1.Rule) (yes, no []string)) string {
	for _, l := range slices.Backward(r.layers) {
		yes, no := lists(l.Rule)
		verdict, length := "", -1
		weigh := func(list []string, answer string) {
			for _, item := range list {
				item = strings.ToLower(item)
				prefix, open := strings.CutSuffix(item, "*")
				covers := item == name || open && strings.HasPrefix(name, prefix)
				// What has to be named is not granted by what does not name it.
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

// rewritesRequest reports whether servers take a request's method or URL from a header.
func rewritesRequest(name string) bool {
	switch name {
	case "x-http-method", "x-http-method-override", "x-method-override",
		"x-original-url", "x-original-uri", "x-original-method", "x-rewrite-url", "x-forwarded-uri", "x-forwarded-method", "x-forwarded-prefix":
		return true
	}
	return false
}

// Shows reports whether a script may read a header of the answer with this
// status and Connection header.
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
	said, plain := r.says(name, lists), strings.TrimPrefix(name, "trailer-")
	switch name {
	case "grpc-status", "grpc-message", "grpc-status-details-bin":
		return r.Speaks(corsrpcv1.Protocol_PROTOCOL_GRPC_WEB) || said == "yes"
	}
	expose := corsrpcv1.Exposure_EXPOSURE_PRESENT
	if r.isPath {
		expose = corsrpcv1.Exposure_EXPOSURE_DECLARED
	}
	for _, l := range r.layers {
		if e := l.GetExpose(); e != corsrpcv1.Exposure_EXPOSURE_UNSPECIFIED {
			expose = e
		}
	}
	if expose == corsrpcv1.Exposure_EXPOSURE_DECLARED {
		twin := plain != name && r.Speaks(corsrpcv1.Protocol_PROTOCOL_CONNECT) && r.says(plain, lists) == "yes"
		return said == "yes" || said == "" && twin
	}
	if said == "" && plain != name {
		said = r.says(plain, lists)
	}
	return said == "yes" || said == "" && !isServersOwn(name, connection)
}

// isServersOwn reports whether a header speaks of the connection or of the
// server's own operation.
func isServersOwn(name string, connection []string) bool {
	for _, listed := range strings.Split(strings.Join(connection, ","), ",") {
		if strings.EqualFold(strings.TrimSpace(listed), name) {
			return true
		}
	}
	return slices.Contains([]string{
		"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
		"vary", "date", "server", "via", "alt-svc", "server-timing", "x-powered-by", "strict-transport-security",
		"report-to", "nel", "reporting-endpoints", "x-csrf-token", "x-xsrf-token", "csrf-token", "xsrf-token", "content-encoding", "accept-encoding",
	}, name) || strings.HasPrefix(name, "x-envoy-") || strings.HasPrefix(name, "content-security-policy") || strings.HasSuffix(name, "-accept-encoding")
}
