// Package intent is a model of policies: a second, simple and slow implementation of the
// documentation in proto/corsrpc/v1/policy.proto. It shares no code with corsrpc. Its tests
// compare the model with the effect of the layer on a browser, for random policies and calls.
package intent

import (
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

// operational lists services for the operation of a server. Defaults and the selector * do not apply to
// them.
var operational = []string{
	"envoy.api.v2.ClusterDiscoveryService", "envoy.api.v2.EndpointDiscoveryService", "envoy.api.v2.ListenerDiscoveryService", "envoy.api.v2.RouteDiscoveryService",
	"envoy.api.v2.ScopedRoutesDiscoveryService", "envoy.api.v2.VirtualHostDiscoveryService", "envoy.api.v3alpha.ClusterDiscoveryService",
	"envoy.api.v3alpha.EndpointDiscoveryService", "envoy.api.v3alpha.ListenerDiscoveryService", "envoy.api.v3alpha.RouteDiscoveryService",
	"envoy.api.v3alpha.ScopedRoutesDiscoveryService", "envoy.api.v3alpha.VirtualHostDiscoveryService", "envoy.service.accesslog.v2.AccessLogService",
	"envoy.service.accesslog.v3.AccessLogService", "envoy.service.accesslog.v3alpha.AccessLogService", "envoy.service.accesslog.v4alpha.AccessLogService",
	"envoy.service.auth.v2.Authorization", "envoy.service.auth.v2alpha.Authorization", "envoy.service.auth.v3.Authorization",
	"envoy.service.auth.v3alpha.Authorization", "envoy.service.auth.v4alpha.Authorization", "envoy.service.cluster.v3.ClusterDiscoveryService",
	"envoy.service.discovery.v2.AggregatedDiscoveryService", "envoy.service.discovery.v2.HealthDiscoveryService", "envoy.service.discovery.v2.RuntimeDiscoveryService",
	"envoy.service.discovery.v2.SecretDiscoveryService", "envoy.service.discovery.v3.AggregatedDiscoveryService",
	"envoy.service.discovery.v3alpha.AggregatedDiscoveryService", "envoy.service.discovery.v3alpha.HealthDiscoveryService",
	"envoy.service.discovery.v3alpha.RuntimeDiscoveryService", "envoy.service.discovery.v3alpha.SecretDiscoveryService",
	"envoy.service.discovery.v4alpha.AggregatedDiscoveryService", "envoy.service.endpoint.v3.EndpointDiscoveryService",
	"envoy.service.endpoint.v3.LocalityEndpointDiscoveryService", "envoy.service.event_reporting.v2alpha.EventReportingService",
	"envoy.service.event_reporting.v3.EventReportingService", "envoy.service.event_reporting.v4alpha.EventReportingService",
	"envoy.service.ext_proc.v3.ExternalProcessor", "envoy.service.ext_proc.v3alpha.ExternalProcessor", "envoy.service.extension.v3.ExtensionConfigDiscoveryService",
	"envoy.service.filter.v3.FilterConfigDiscoveryService", "envoy.service.health.v3.HealthDiscoveryService", "envoy.service.health.v4alpha.HealthDiscoveryService",
	"envoy.service.listener.v3.ListenerDiscoveryService", "envoy.service.load_stats.v2.LoadReportingService", "envoy.service.load_stats.v3.LoadReportingService",
	"envoy.service.load_stats.v3alpha.LoadReportingService", "envoy.service.load_stats.v4alpha.LoadReportingService", "envoy.service.metrics.v2.MetricsService",
	"envoy.service.metrics.v3.MetricsService", "envoy.service.metrics.v3alpha.MetricsService", "envoy.service.metrics.v4alpha.MetricsService",
	"envoy.service.network_ext_proc.v3.NetworkExternalProcessor", "envoy.service.rate_limit_quota.v3.RateLimitQuotaService",
	"envoy.service.ratelimit.v2.RateLimitService", "envoy.service.ratelimit.v3.RateLimitService", "envoy.service.ratelimit.v3alpha.RateLimitService",
	"envoy.service.redis_auth.v3.RedisProxyExternalAuth", "envoy.service.route.v3.RouteDiscoveryService", "envoy.service.route.v3.ScopedRoutesDiscoveryService",
	"envoy.service.route.v3.VirtualHostDiscoveryService", "envoy.service.runtime.v3.RuntimeDiscoveryService", "envoy.service.secret.v3.SecretDiscoveryService",
	"envoy.service.status.v2.ClientStatusDiscoveryService", "envoy.service.status.v3.ClientStatusDiscoveryService",
	"envoy.service.status.v4alpha.ClientStatusDiscoveryService", "envoy.service.tap.v2alpha.TapDiscoveryService", "envoy.service.tap.v2alpha.TapSinkService",
	"envoy.service.tap.v3.TapDiscoveryService", "envoy.service.tap.v3.TapSinkService", "envoy.service.tap.v3alpha.TapDiscoveryService",
	"envoy.service.tap.v3alpha.TapSinkService", "envoy.service.tap.v4alpha.TapDiscoveryService", "envoy.service.tap.v4alpha.TapSinkService",
	"envoy.service.trace.v2.TraceService", "envoy.service.trace.v3.TraceService", "envoy.service.trace.v3alpha.TraceService",
	"envoy.service.trace.v4alpha.TraceService", "grpc.channelz.v1.Channelz", "grpc.gcp.HandshakerService", "grpc.go.profiling.v1alpha.Profiling",
	"grpc.health.v1.Health", "grpc.lb.v1.LoadBalancer", "grpc.lookup.v1.RouteLookupService", "grpc.reflection.v1.ServerReflection",
	"grpc.reflection.v1alpha.ServerReflection", "udpa.service.orca.v1.OpenRcaService", "xds.service.orca.v3.OpenRcaService",
}

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
	outer := "" // the service of a selector that may be a method's, and that names the service of the path
	if _, isMethod := p.Methods[name]; !isMethod && p.selects(service) && !p.selects(name) {
		outer = service[:max(strings.LastIndexByte(service, '.'), 0)]
	}
	covering := p.rules(func(r *corsrpcv1.Rule) bool { // by selectors other than *
		pkg, isPackage := strings.CutSuffix(r.GetSelector(), ".*")
		s := r.GetSelector()
		return s != "" && s != "*" && (s == name || s == service || s == outer || isPackage && strings.HasPrefix(name, pkg+"."))
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

// selects reports whether a rule has the selector.
func (p Policy) selects(selector string) bool {
	return len(p.rules(func(r *corsrpcv1.Rule) bool { return r.GetSelector() == selector })) > 0
}

// OtherSlash returns the path with its last slash added or removed if a pattern spells out that path, apart
// from its wildcards, and not this one. Servers may use either form for both. If the two have different
// rules, requests of other origins are refused.
func (p Policy) OtherSlash(path string) (other string, ok bool) {
	other, bare := strings.CutSuffix(path, "/")
	if !bare {
		other = path + "/"
	}
	spells := func(path string) string {
		pattern := p.pathPattern(path)
		if strings.Count(pattern, "/") != strings.Count(path, "/") || strings.HasSuffix(pattern, "/") != strings.HasSuffix(path, "/") {
			return ""
		}
		return pattern
	}
	pattern, otherPattern := spells(path), spells(other)
	return other, otherPattern != "" && (pattern == "" || strings.Contains(pattern, "{") && strings.TrimSuffix(pattern, "/") != strings.TrimSuffix(otherPattern, "/"))
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

// Speaks reports whether clients of the protocol are allowed.
func (r Rule) Speaks(protocol corsrpcv1.Protocol) bool {
	if protocol == corsrpcv1.Protocol_PROTOCOL_MCP {
		return r.isPath && slices.ContainsFunc(r.levels, func(l level) bool { return slices.Contains(l.GetProtocols(), protocol) })
	}
	speaks := !r.isPath
	for _, l := range r.levels {
		if !r.isPath && len(l.GetProtocols()) > 0 {
			speaks = slices.Contains(l.GetProtocols(), protocol) && (speaks || !l.narrows)
		}
	}
	return speaks
}

// MCP reports whether the rule is that of a path with protocols: [MCP].
func (r Rule) MCP() bool { return r.Speaks(corsrpcv1.Protocol_PROTOCOL_MCP) }

// OnlyCalls reports whether pages of other origins may only make the requests of RPC clients.
func (r Rule) OnlyCalls() bool { return !r.isPath || r.MCP() }

// TrustsOwn reports whether a page whose origin is the server's own, by the Host field, needs no grant.
func (r Rule) TrustsOwn(page string) bool {
	_, host, _ := split(page)
	return !r.MCP() || isLoopback(host) || !r.Disabled() && r.AllowsOrigin(page)
}

// methods returns the HTTP methods of a path.
func (r Rule) methods() (methods []string, written bool) {
	if methods = []string{"GET", "HEAD", "POST"}; r.MCP() {
		methods = []string{"GET", "POST", "DELETE"}
	}
	for _, l := range r.levels {
		if len(l.GetAllowMethods()) > 0 {
			methods, written = l.GetAllowMethods(), true
		}
	}
	return methods, written
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
	methods, _ := r.methods()
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
