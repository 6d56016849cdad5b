//go:build fleet

package fleet_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/export"
	"github.com/corsrpc/corsrpc-go/internal/fleet/envoy"
)

const (
	exportedPolicies = 2000
	policiesPerEnvoy = 40
	callsPerPolicy   = 50
)

// TestExportEnvoyDifference compares random policies in Envoy's own filters with Wrap.
func TestExportEnvoyDifference(t *testing.T) {
	s := new(server)
	listening := httptest.NewServer(s)
	defer listening.Close()
	counts := map[string]int{}
	for first := 0; first < exportedPolicies && !t.Failed(); first += policiesPerEnvoy {
		policies := drawExports(t, export.Envoy, first, policiesPerEnvoy)
		texts := make([]string, len(policies))
		for i, p := range policies {
			texts[i] = p.export.Text
		}
		t.Run(fmt.Sprint("policies from ", first), func(t *testing.T) {
			e := envoy.Start(t, exportConfig(t, listening.Listener.Addr().String(), texts...))
			for i, p := range policies {
				r := rand.New(rand.NewPCG(uint64(first+i), 25))
				transport := throughProgram(e.Addr(exportListener(i)))
				p.compare(t, s, transport, r, callsPerPolicy, counts)
				p.compareCached(t, s, transport, r, counts)
				transport.CloseIdleConnections()
			}
		})
	}
	checkClasses(t, counts, "readable in both", "readable with Wrap only", "refused in both", "refused there only", "passed in both", "a program passed", "own page read", "granted preflight",
		"native gRPC passed", "read from the cache")
}

// exportListener returns the name of the listener of an export.
func exportListener(i int) string { return fmt.Sprint("export-", i) }

// exportConfig is an Envoy with a listener for each export, in front of a server.
func exportConfig(t *testing.T, addr string, texts ...string) string {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("static_resources:\n  listeners:\n")
	for i, text := range texts {
		fmt.Fprintf(&b, `  - name: %s
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: %[1]s
          upgrade_configs: [{upgrade_type: websocket}]
          access_log:
          - name: envoy.access_loggers.stdout
            filter: {header_filter: {header: {name: x-name, present_match: true}}}
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog
              log_format: {text_format_source: {inline_string: "%%REQ(X-NAME)%% %%RESPONSE_CODE_DETAILS%%\n"}}
          %s
`, exportListener(i), strings.ReplaceAll(text, "\n", "\n          "))
	}
	fmt.Fprintf(&b, `  clusters:
  - name: server
    type: STATIC
    connect_timeout: 10s
    load_assignment: {cluster_name: server, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: %q, port_value: %s}}}}]}]}
layered_runtime: {layers: [{name: corsrpc, static_layer: {re2.max_program_size.error_level: 100000}}]}
`, host, port)
	return b.String()
}
