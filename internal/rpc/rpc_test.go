package rpc_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// TestTable: every row has an effect, has a source, and occurs once.
func TestTable(t *testing.T) {
	t.Parallel()
	type row struct {
		name      string
		direction rpc.Direction
	}
	seen := map[row]bool{}
	for _, h := range rpc.Table {
		name := strings.TrimSuffix(h.Name, "-")
		if !fetch.IsToken(name) || name != fetch.Lower(name) || h.Prefix != strings.HasSuffix(h.Name, "-") {
			t.Errorf("%q is not a name in lower case, or not a prefix", h.Name)
		}
		if h.Direction == rpc.Request && fetch.ForbiddenRequestHeader(h.Name) {
			t.Errorf("no script can set %s", h.Name)
		}
		if h.Direction == rpc.Response && fetch.SafelistedResponseHeader(h.Name) {
			t.Errorf("every script can read %s", h.Name)
		}
		if h.Protocols == 0 || h.SentBy == "" || !strings.HasPrefix(h.Spec, "https://") || seen[row{h.Name, h.Direction}] {
			t.Errorf("%+v", h)
		}
		seen[row{h.Name, h.Direction}] = true
	}
}

// TestClientHeadersAreInTable: the table contains the headers that current clients send, as browsers
// request them in preflights.
func TestClientHeadersAreInTable(t *testing.T) {
	t.Parallel()
	tests := []struct {
		protocol rpc.Protocols
		asked    string
	}{
		{rpc.Connect, "connect-protocol-version,connect-timeout-ms,content-type"},
		{rpc.Connect, "connect-protocol-version,content-type,user-agent"},
		{rpc.GRPCWeb, "content-type,grpc-timeout,x-grpc-web,x-user-agent"},
		{rpc.GRPCWeb, "content-type,user-agent,x-grpc-web"},
		{rpc.MCP, "content-type,mcp-protocol-version,mcp-session-id"},
		{rpc.MCP, "last-event-id,mcp-protocol-version,mcp-session-id"},
		{rpc.MCP, "accept,content-type,mcp-method,mcp-name,mcp-protocol-version"},
	}
	for _, test := range tests {
		names := rpc.Names(test.protocol, rpc.Request)
		for name := range strings.SplitSeq(test.asked, ",") {
			if !slices.Contains(names, name) {
				t.Errorf("%s is not granted", name)
			}
		}
	}
}

func TestInFamily(t *testing.T) {
	t.Parallel()
	const both = rpc.Connect | rpc.GRPCWeb
	tests := []struct {
		protocols rpc.Protocols
		name      string
		want      bool
	}{
		{both, "connect-next", true}, {both, "grpc-next", true}, {rpc.GRPCWeb, "connect-next", false}, {rpc.Connect, "grpc-next", false},
		{both, "grpc-metadata-authorization", false}, {both, "grpc-trace-bin", false}, {both, "grpc-tags-bin", false},
		{rpc.MCP, "mcp-param-region", true}, {both, "mcp-param-region", false}, {rpc.MCP, "connect-next", false}, {rpc.MCP, "mcp", false}, {rpc.MCP, "authorization", false},
		{both, "connect", false}, {both, "authorization", false}, {both, "trailer-x", false}, {0, "connect-next", false},
	}
	for _, test := range tests {
		if got := rpc.InFamily(test.protocols, test.name); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

func TestNeeds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		protocols rpc.Protocols
		direction rpc.Direction
		name      string
		want      bool
	}{
		{rpc.MCP, rpc.Request, "mcp-session-id", true}, {rpc.MCP, rpc.Request, "mcp-param-region", true}, {rpc.MCP, rpc.Request, "last-event-id", true},
		{rpc.MCP, rpc.Request, "authorization", false}, {rpc.MCP, rpc.Request, "www-authenticate", false},
		{rpc.MCP, rpc.Response, "mcp-session-id", true}, {rpc.MCP, rpc.Response, "mcp-next", true}, {rpc.MCP, rpc.Response, "www-authenticate", true},
		{rpc.MCP, rpc.Response, "last-event-id", false}, {rpc.MCP, rpc.Response, "grpc-status", false}, {rpc.MCP, rpc.Response, "trailer-x", false},
		{rpc.Connect, rpc.Response, "trailer-x", false}, {rpc.GRPCWeb, rpc.Response, "grpc-status", true},
		{rpc.OfProcedures, rpc.Request, "mcp-session-id", false}, {rpc.OfProcedures, rpc.Response, "mcp-next", false}, {0, rpc.Response, "mcp-next", false},
	}
	for _, test := range tests {
		if got := rpc.Needs(test.protocols, test.direction, test.name); got != test.want {
			t.Errorf("%d %d %s: %v", test.protocols, test.direction, test.name, got)
		}
	}
}

func TestFormatOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		method, contentType string
		want                rpc.Format
	}{
		{"POST", "application/json", rpc.FormatConnect}, {"POST", "application/json; charset=utf-8", rpc.FormatConnect},
		{"POST", "Application/Proto", rpc.FormatConnect}, {"POST", "application/connect+proto", rpc.FormatConnect}, {"GET", "", rpc.FormatConnect},
		{"POST", "application/grpc", rpc.FormatGRPC}, {"POST", "application/grpc+proto", rpc.FormatGRPC},
		{"POST", "application/grpc-web", rpc.FormatGRPC}, {"POST", "application/grpc-web-text+proto", rpc.FormatGRPC},
		{"POST", "text/plain", rpc.FormatText}, {"POST", "", rpc.FormatText}, {"POST", "application/x-www-form-urlencoded", rpc.FormatText}, {"POST", "application/grpc-website", rpc.FormatText},
		{"POST", "application/" + strings.Repeat("j", 200), rpc.FormatText}, {"POST", "text/plain,application/json", rpc.FormatText},
	}
	for _, test := range tests {
		if got := rpc.FormatOf(test.method, test.contentType); got != test.want {
			t.Errorf("%s %q: %v", test.method, test.contentType, got)
		}
	}
}

// TestTracingTable: every row names a header that a script may set and that nothing else grants, once,
// with its senders and its source. No row turns debugging on, or carries data of the application.
func TestTracingTable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for i, h := range rpc.TracingTable {
		if !fetch.IsToken(h.Name) || h.Name != fetch.Lower(h.Name) || strings.HasSuffix(h.Name, "-") || seen[h.Name] {
			t.Errorf("%q is not a name in lower case, or is there twice", h.Name)
		}
		seen[h.Name] = true
		if h.SentBy == "" || !strings.HasPrefix(h.Source, "https://") {
			t.Errorf("%+v", h)
		}
		if fetch.ForbiddenRequestHeader(h.Name) || fetch.RewritesRequest(h.Name) || fetch.IsAccessControl(h.Name) || h.Name == "authorization" {
			t.Errorf("%s has another meaning", h.Name)
		}
		if rpc.InFamily(rpc.Connect|rpc.GRPCWeb, h.Name) || slices.Contains(rpc.Names(rpc.Connect|rpc.GRPCWeb, rpc.Request), h.Name) {
			t.Errorf("%s is a header of a protocol", h.Name)
		}
		if !rpc.IsTracing(h.Name) || rpc.TracingNames()[i] != h.Name {
			t.Errorf("%s is not found", h.Name)
		}
	}
	for _, name := range []string{
		"traceparent", "tracestate", "baggage", "sentry-trace", "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-datadog-trace-id",
		"x-datadog-parent-id", "x-datadog-origin", "x-datadog-sampling-priority", "x-datadog-tags", "uber-trace-id", "x-amzn-trace-id", "x-cloud-trace-context",
		"newrelic", "elastic-apm-traceparent", "request-id", "request-context",
	} {
		if !rpc.IsTracing(name) {
			t.Errorf("%s is not in the table", name)
		}
	}
	for _, name := range []string{
		"x-b3-flags", "jaeger-debug-id", "jaeger-baggage", "uberctx-user", "ot-baggage-user", "sw8-correlation", "sw8-x", "eagleeye-userdata", "eagleeye-sessionid", "eagleeye-pappname", "correlation-context",
		"x-request-id", "grpc-trace-bin", "authorization", "B3", "",
	} {
		if rpc.IsTracing(name) {
			t.Errorf("%s is in the table", name)
		}
	}
	names := rpc.TracingNames()
	names[0] = "changed"
	if rpc.TracingNames()[0] == "changed" {
		t.Error("a caller can change the names")
	}
}

func TestIsGRPCWeb(t *testing.T) {
	t.Parallel()
	for contentType, want := range map[string]bool{
		"application/grpc-web": true, "application/grpc-web+proto": true, "application/grpc-web+json": true, "application/grpc-web+thrift": true,
		"application/grpc-web-text": true, "application/grpc-web-text+proto": true, "application/grpc-web+proto; charset=utf-8": true,
		"Application/gRPC-Web-Text+Proto": true, " application/grpc-web ;a=b": true,
		"application/json": false, "application/proto": false, "application/grpc": false, "application/grpc+proto": false, "application/grpc-website": false,
		"application/grpc-web-texts": false, "application/grpc-web-other+proto": false, "application/connect+proto": false, "text/grpc-web": false, "grpc-web": false, "": false,
		"application/json, application/grpc-web": false, "application/grpc-web" + strings.Repeat(" ", 200): false,
	} {
		if got := rpc.IsGRPCWeb(contentType); got != want {
			t.Errorf("%q: %t", contentType, got)
		}
	}
}

// TestMayStream: only a unary Connect call says that it is unary.
func TestMayStream(t *testing.T) {
	t.Parallel()
	for contentType, want := range map[string]bool{
		"application/connect+proto": true, "application/connect+json": true, "Application/Connect+JSON; charset=utf-8": true,
		"application/grpc": true, "application/grpc+proto": true, "application/grpc-web": true, "application/grpc-web-text+proto": true,
		"application/json": false, "application/proto": false, "application/connect": false, "application/grpcs": false, "text/grpc": false, "": false,
		"application/grpc" + strings.Repeat(" ", 200): false,
	} {
		if got := rpc.MayStream(contentType); got != want {
			t.Errorf("%q: %t", contentType, got)
		}
	}
}

func TestIsGRPCWebDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(10, func() { rpc.IsGRPCWeb("application/grpc-web-text+proto; charset=utf-8") }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
