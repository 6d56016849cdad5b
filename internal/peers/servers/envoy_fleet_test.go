//go:build fleet

package servers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// startEnvoy starts Envoy with a virtual host for each row.
func startEnvoy(t *testing.T, p program) running {
	t.Helper()
	envoy, err := filepath.Abs("../../../.tmp/envoy/envoy")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(envoy); err != nil {
		t.Fatal("Envoy is not installed: run internal/fleet/setup-envoy.sh")
	}
	dir, err := os.MkdirTemp("", "envoy") // not t.TempDir, whose paths are too long for a socket's
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	upstream := backend(t)
	host, port, _ := strings.Cut(strings.TrimPrefix(upstream, "http://"), ":")
	socket := filepath.Join(dir, "socket")
	var config strings.Builder
	fmt.Fprintf(&config, envoyConfiguration, host, port, socket)
	indent := "\n            "
	for i, r := range p.rows {
		fmt.Fprintf(&config, "%s- name: row-%d%[1]s  domains: [%[3]q]%[1]s  routes: [{match: {prefix: \"/\"}, route: {cluster: upstream}}]%[1]s  %[4]s", indent, i, p.host(i), strings.ReplaceAll(r.text, "\n", indent+"  "))
	}
	file := filepath.Join(dir, "envoy.yaml")
	write(t, file, config.String())
	start(t, regexp.MustCompile(`(starting workers)`), nil, envoy, "--config-path", file, "--disable-hot-restart", "--concurrency", "2")
	return running{address(t, "unix", socket), upstream}
}

// envoyConfiguration has gaps for the upstream's address and the socket. The virtual hosts follow.
const envoyConfiguration = `static_resources:
  clusters:
  - name: upstream
    connect_timeout: 10s
    load_assignment:
      cluster_name: upstream
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: %s, port_value: %s}}}}]}]
  listeners:
  - name: public
    address: {pipe: {path: %q}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: public
          http_filters:
          - name: envoy.filters.http.cors
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors}
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
          route_config:
            virtual_hosts:`

// TestEnvoy compares the rows of Envoy, as TestRows does the others, and the cells of the table of exchanges.
func TestEnvoy(t *testing.T) {
	started := startEnvoy(t, envoy)
	gateway := startGateway(t, []program{envoy}, []running{started})
	t.Run("rows", func(t *testing.T) {
		for i, r := range envoy.rows {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				envoy.try(t, started.transport, gateway, i, r)
			})
		}
	})
	for i, e := range exchanges {
		if got := answer(t, e, started.transport, envoy.host(envoy.rowOf(e))); got != envoyAnswers[i] {
			t.Errorf("%s: envoyAnswers has %q, and Envoy answers %q", e.Words, envoyAnswers[i], got)
		}
	}
}

// TestFieldsOfEnvoy: each field of CorsPolicy is in a row.
func TestFieldsOfEnvoy(t *testing.T) {
	t.Parallel()
	list := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/cors/v3")
	list.Dir = "../../fleet"
	dir, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "cors.pb.go"))
	if err != nil {
		t.Fatal(err)
	}
	fields := regexp.MustCompile("`protobuf:\"[^\"]*,name=([a-z_]+)").FindAllStringSubmatch(string(text), -1)
	if len(fields) < 10 {
		t.Errorf("%d fields, of at least 10", len(fields))
	}
	for _, m := range fields {
		envoy.shows(t, m[1])
	}
}
