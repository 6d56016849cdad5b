//go:build fleet

package alternatives

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	connectcors "connectrpc.com/cors"
)

// patience bounds how long Envoy may take to start or to take a new configuration.
const patience = 30 * time.Second

// TestEnvoy compares the row of Envoy's filter "cors" in envoy.json with what the real Envoy does. With -update it writes the row.
func TestEnvoy(t *testing.T) {
	r := rowOf(t, contestant{
		name: envoyName,
		wrap: func(t testing.TB, v variant, next http.Handler) http.Handler {
			t.Helper()
			p := corsPolicy{origins: []string{app}, headers: strings.Join(connectcors.AllowedHeaders(), ",")}
			switch v {
			case anyHeader:
				p.headers = "*"
			case private:
				p.more = "allow_private_network_access: true"
			case twoOrigins:
				p.origins = append(p.origins, other)
			case debugging, explaining:
				return nil
			}
			return startEnvoy(t, next, p.yaml(), "").handler
		},
		perPath: func(t *testing.T, next http.Handler) http.Handler {
			t.Helper()
			headers := strings.Join(connectcors.AllowedHeaders(), ",")
			forApp, forOther := corsPolicy{origins: []string{app}, headers: headers}, corsPolicy{origins: []string{other}, headers: headers}
			return startEnvoy(t, next, forApp.yaml(), forOther.yaml()).handler
		},
		changing: func(t *testing.T, next http.Handler) (http.Handler, func()) {
			t.Helper()
			headers := strings.Join(connectcors.AllowedHeaders(), ",")
			before, after := corsPolicy{origins: []string{app}, headers: headers}, corsPolicy{origins: []string{other}, headers: headers}
			e := startEnvoy(t, next, before.yaml(), "")
			return e.handler, func() { e.change(after.yaml()) }
		},
	})
	r["log"] = "nothing; a counter"
	e := startEnvoy(t, &backend{}, corsPolicy{origins: []string{app}}.yaml(), "")
	send(t, e.handler, newRequest(t, http.MethodPost, api+buy, "Content-Type", "text/plain", "Origin", evil))
	if n := e.stat("http.public.cors.origin_invalid"); n != "1" {
		t.Errorf("Envoy's counter of refused origins is %q", n)
	}
	r["version"] = e.version()
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(envoyFile, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want, err := os.ReadFile(envoyFile); err != nil || strings.TrimSpace(string(want)) != string(text) {
		t.Errorf("%s differs (%v); with -tags fleet -update it is written anew. Got:\n%s", envoyFile, err, text)
	}
}

// A corsPolicy is a policy of Envoy's filter.
type corsPolicy struct {
	origins       []string
	headers, more string
}

// yaml returns the policy in the flow style of YAML.
func (p corsPolicy) yaml() string {
	var origins []string
	for _, o := range p.origins {
		origins = append(origins, fmt.Sprintf("{exact: %q}", o))
	}
	text := fmt.Sprintf(`{envoy.filters.http.cors: {"@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy, allow_origin_string_match: [%s],
    allow_methods: %q, allow_headers: %q, expose_headers: %q, max_age: "%d"`,
		strings.Join(origins, ", "), strings.Join(connectcors.AllowedMethods(), ","), p.headers, strings.Join(connectcors.ExposedHeaders(), ","), maxAge)
	if p.more != "" {
		text += ", " + p.more
	}
	return text + "}}"
}

// An envoyProcess is a running Envoy in front of a handler.
type envoyProcess struct {
	t       testing.TB
	dir     string
	admin   string
	handler http.Handler
}

// startEnvoy starts Envoy with a policy for all paths, and another one for Get unless it is "".
func startEnvoy(t testing.TB, next http.Handler, policy, forGet string) *envoyProcess {
	t.Helper()
	program, err := filepath.Abs("../../../.tmp/envoy/envoy")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		t.Fatal("Envoy is not installed: run internal/fleet/setup-envoy.sh")
	}
	upstream := httptest.NewUnstartedServer(next)
	upstream.Config.Protocols = new(http.Protocols)
	upstream.Config.Protocols.SetUnencryptedHTTP2(true)
	upstream.Start()
	t.Cleanup(upstream.Close)
	dir := t.TempDir()
	e := &envoyProcess{t: t, dir: dir}
	e.write(policy, forGet)
	_, port, _ := strings.Cut(strings.TrimPrefix(upstream.URL, "http://"), ":")
	config := filepath.Join(dir, "envoy.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, envoyConfig, filepath.Join(dir, "routes.yaml"), port), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "--config-path", config, "--disable-hot-restart", "--use-dynamic-base-id", "--concurrency", "1",
		"--admin-address-path", filepath.Join(dir, "admin"), "--log-level", "warning")
	cmd.Stdout, cmd.Stderr = file, file
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait()
		file.Close()
		if t.Failed() {
			text, _ := os.ReadFile(file.Name())
			t.Logf("Envoy says:\n%s", text)
		}
	})
	await(t, func() bool {
		address, _ := os.ReadFile(filepath.Join(dir, "admin"))
		e.admin = strings.TrimSpace(string(address))
		return e.admin != "" && e.get("/ready") == "LIVE\n"
	})
	match := regexp.MustCompile(`public::(127\.0\.0\.1:\d+)`).FindStringSubmatch(e.get("/listeners"))
	if match == nil {
		t.Fatalf("Envoy has no listener: %s", e.get("/listeners"))
	}
	transport := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	e.handler = &httputil.ReverseProxy{Transport: transport, ErrorLog: log.New(io.Discard, "", 0), Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: match[1]})
		r.Out.Host = r.In.Host
	}}
	return e
}

// write writes the routes, which Envoy reads when the file is replaced.
func (e *envoyProcess) write(policy, forGet string) {
	e.t.Helper()
	routes := ""
	if forGet != "" {
		routes = fmt.Sprintf("\n    - {match: {path: %s}, route: {cluster: upstream}, typed_per_filter_config: %s}", get, forGet)
	}
	text := fmt.Sprintf(envoyRoutes, routes, policy)
	name := filepath.Join(e.dir, "routes.yaml")
	if err := os.WriteFile(name+".new", []byte(text), 0o600); err != nil {
		e.t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		e.t.Fatal(err)
	}
}

// change replaces the policy, and waits until Envoy has it.
func (e *envoyProcess) change(policy string) {
	e.t.Helper()
	e.write(policy, "")
	await(e.t, func() bool { return e.stat("http.public.rds.routes.config_reload") == "2" })
}

// stat returns the value of a counter.
func (e *envoyProcess) stat(name string) string {
	for line := range strings.Lines(e.get("/stats?filter=" + url.QueryEscape("^"+regexp.QuoteMeta(name)+"$"))) {
		if value, ok := strings.CutPrefix(line, name+": "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// version returns Envoy's version.
func (e *envoyProcess) version() string {
	var info struct{ Version string }
	if err := json.Unmarshal([]byte(e.get("/server_info")), &info); err != nil {
		e.t.Fatal(err)
	}
	return strings.Split(info.Version, "/")[1]
}

// get returns an answer of the admin endpoint, or "".
func (e *envoyProcess) get(path string) string {
	response, err := http.Get("http://" + e.admin + path)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return string(text)
}

// await waits until a condition is true.
func await(t testing.TB, condition func() bool) {
	t.Helper()
	deadline, tick := time.After(patience), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline:
			t.Fatalf("Envoy takes more than %v", patience)
		case <-tick.C:
		}
	}
}

const envoyRoutes = `resources:
- "@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
  name: routes
  virtual_hosts:
  - name: all
    domains: ["*"]
    routes:%s
    - {match: {prefix: /}, route: {cluster: upstream}}
    typed_per_filter_config: %s
`

const envoyConfig = `node: {id: test, cluster: test}
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}
static_resources:
  listeners:
  - name: public
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: public
          rds: {route_config_name: routes, config_source: {resource_api_version: V3, path_config_source: {path: %s}}}
          http_filters:
          - {name: envoy.filters.http.cors, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors}}
          - {name: envoy.filters.http.router, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  clusters:
  - name: upstream
    type: STATIC
    load_assignment: {cluster_name: upstream, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %s}}}}]}]}
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {"@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: {http2_protocol_options: {}}}
`
