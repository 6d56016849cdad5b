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
	seen := map[string]bool{}
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
		if h.Protocols == 0 || h.SentBy == "" || !strings.HasPrefix(h.Spec, "https://") || seen[h.Name] {
			t.Errorf("%+v", h)
		}
		seen[h.Name] = true
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
		{both, "connect", false}, {both, "authorization", false}, {both, "trailer-x", false}, {0, "connect-next", false},
	}
	for _, test := range tests {
		if got := rpc.InFamily(test.protocols, test.name); got != test.want {
			t.Errorf("%s: %v", test.name, got)
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
		{"POST", "text/plain", rpc.FormatText}, {"POST", "", rpc.FormatText}, {"POST", "application/x-www-form-urlencoded", rpc.FormatText},
		{"POST", "application/" + strings.Repeat("j", 200), rpc.FormatText}, {"POST", "text/plain,application/json", rpc.FormatText},
	}
	for _, test := range tests {
		if got := rpc.FormatOf(test.method, test.contentType); got != test.want {
			t.Errorf("%s %q: %v", test.method, test.contentType, got)
		}
	}
}
