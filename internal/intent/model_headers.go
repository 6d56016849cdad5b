package intent

import (
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// AllowsHeader reports whether a script may send a request header.
func (r Rule) AllowsHeader(name string) bool {
	name = strings.ToLower(name)
	connect, grpcWeb := r.Speaks(corsrpcv1.Protocol_PROTOCOL_CONNECT), r.Speaks(corsrpcv1.Protocol_PROTOCOL_GRPC_WEB)
	metadata := strings.HasPrefix(name, "grpc-metadata-") || name == "grpc-trace-bin" || name == "grpc-tags-bin"
	switch {
	case !metadata && (connect && strings.HasPrefix(name, "connect-") || grpcWeb && strings.HasPrefix(name, "grpc-")),
		(connect || grpcWeb) && (name == "content-type" || name == "user-agent"),
		connect && name == "content-encoding",
		grpcWeb && (name == "x-grpc-web" || name == "x-user-agent"),
		r.MCP() && (strings.HasPrefix(name, "mcp-") || name == "content-type" || name == "accept" || name == "last-event-id"):
		return true
	}
	verdict := r.lookup(name, func(l *corsrpcv1.Rule) (yes, no []string) {
		yes, no = l.GetAllowHeaders(), l.GetDenyHeaders()
		named := func(s string) bool { return strings.EqualFold(s, name) }
		switch {
		case l == nil || l.Tracing == nil || !slices.Contains(tracingHeaders, name) || slices.ContainsFunc(yes, named) || slices.ContainsFunc(no, named):
		case l.GetTracing():
			yes = append(slices.Clip(yes), name)
		default:
			no = append(slices.Clip(no), name)
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
	methods, written := r.methods()
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
	switch {
	case alwaysShown(name):
		return true
	case name == "set-cookie" || name == "set-cookie2":
		return false
	}
	if strings.HasPrefix(name, "access-control-") || status == 304 {
		return false
	}
	if r.MCP() && (strings.HasPrefix(name, "mcp-") || name == "www-authenticate") {
		return true
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
		twin := plain != name && !alwaysShown(plain) && r.Speaks(corsrpcv1.Protocol_PROTOCOL_CONNECT) && r.lookup(plain, lists) == "yes"
		return verdict == "yes" || verdict == "" && twin
	}
	if verdict == "" && plain != name {
		verdict = r.lookup(plain, lists)
	}
	return verdict == "yes" || verdict == "" && !isOperational(name, connection)
}

// alwaysShown reports whether a script may read a header of every response that it may read. To list one of
// them exposes no trailer of that name.
func alwaysShown(name string) bool {
	return slices.Contains([]string{"cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"}, name)
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
