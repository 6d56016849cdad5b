//go:build fleet

package fleet_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/cors/v3" // registers the type
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/corsrpc/corsrpc-go/internal/fleet/envoy"
)

// TestExportEnvoyLines removes each line of an export in turn. Envoy then refuses the configuration, or it answers one of
// many requests differently. Comments and lines that hold only the name of a field are not removed.
func TestExportEnvoyLines(t *testing.T) {
	u := serveUpstream(t, allFields)
	lines := strings.SplitAfter(exportRich(t), "\n")
	texts := map[string]string{"whole": strings.Join(lines, "")}
	broken := map[string]string{} // that are not YAML of the right types
	dir := t.TempDir()
	var listeners []json.RawMessage
	for i := -1; i < len(lines); i++ {
		name := "whole"
		if i >= 0 {
			if text := strings.TrimSpace(lines[i]); text == "" || text[0] == '#' || strings.HasSuffix(text, ":") {
				continue
			}
			name = fmt.Sprint("without line ", i+1)
			texts[name] = strings.Join(lines[:i], "") + strings.Join(lines[i+1:], "")
		}
		listener, err := exportedListener(name, texts[name])
		if err != nil {
			broken[name] = err.Error()
			continue
		}
		listeners = append(listeners, listener)
	}
	file := filepath.Join(dir, "listeners.json")
	resources, err := json.Marshal(map[string]any{"resources": listeners})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, resources, 0o600); err != nil {
		t.Fatal(err)
	}
	config := exportConfig(t, u.addr) + fmt.Sprintf("node: {id: test, cluster: test}\ndynamic_resources: {lds_config: {resource_api_version: V3, path_config_source: {path: %q}}}\n", file)
	e := envoy.Start(t, strings.Replace(config, "  listeners:\n", "", 1))
	addrs := e.Addrs()
	if addrs["whole"] == "" {
		t.Fatal("Envoy does not take the whole export")
	}
	requests := lineRequests()
	want := make([]string, len(requests))
	counts := map[string]int{"broken": len(broken), "refused": len(listeners) - len(addrs)}
	for name := range texts {
		addr := addrs[name]
		if addr == "" || name == "whole" {
			continue
		}
		whole, without := throughProgram(addrs["whole"]), throughProgram(addr)
		noticed := false
		for i := 0; i < len(requests) && !noticed; i++ {
			if want[i] == "" {
				want[i] = requests[i].answer(t, u, whole)
			}
			noticed = requests[i].answer(t, u, without) != want[i]
		}
		whole.CloseIdleConnections()
		without.CloseIdleConnections()
		counts["answered"]++
		if !noticed {
			var n int
			_, _ = fmt.Sscanf(name, "without line %d", &n)
			t.Errorf("nobody notices that line %d is missing: %s", n, lines[n-1])
		}
	}
	t.Log(counts)
	t.Run("broken", func(t *testing.T) {
		for _, name := range slices.Sorted(maps.Keys(broken)) {
			if problem := envoy.Problem(t, exportConfig(t, u.addr, texts[name])); problem == "" {
				t.Errorf("%s: Envoy takes a configuration that is broken: %s", name, broken[name])
			}
		}
	})
	if counts["answered"] < 50 || counts["broken"]+counts["refused"] < 10 {
		t.Error("few lines are removed")
	}
}

// exportedListener returns a listener with an export, in JSON, as Envoy's discovery has it.
func exportedListener(name, text string) (json.RawMessage, error) {
	manager := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &manager); err != nil {
		return nil, err
	}
	manager["@type"] = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
	manager["stat_prefix"] = "export"
	manager["upgrade_configs"] = []any{map[string]any{"upgrade_type": "websocket"}}
	text2, err := json.Marshal(map[string]any{
		"name":          name,
		"address":       map[string]any{"socket_address": map[string]any{"address": "127.0.0.1", "port_value": 0}},
		"filter_chains": []any{map[string]any{"filters": []any{map[string]any{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}}}},
	})
	if err != nil {
		return nil, err
	}
	if err := protojson.Unmarshal(text2, new(listenerv3.Listener)); err != nil {
		return nil, err
	}
	return json.RawMessage(bytes.Replace(text2, []byte("{"), []byte(`{"@type":"type.googleapis.com/envoy.config.listener.v3.Listener",`), 1)), nil
}

// lineRequest is a request of TestExportEnvoyLines.
type lineRequest struct {
	method, host, path string
	header             http.Header
}

// lineRequests returns requests with all combinations of what a policy depends on, in a random order.
func lineRequests() (all []lineRequest) {
	values := map[string][]string{
		"Origin": {"", ownOrigin, "http://[::1]:8080", "https://app.example.com", "https://evil.example", "https://a.preview.example.com", "https://pr-1.example.net", "null", "capacitor://localhost", "*"},
		"Sec-Fetch-Site": {"", "cross-site", "same-origin"}, "Sec-Fetch-Mode": {"", "cors", "no-cors", "navigate"},
		"Cookie": {"", "a=1"}, "Authorization": {"", "a"}, "Upgrade": {"", "websocket"},
	}
	combined := []http.Header{{}}
	for _, name := range sortedNames(values) {
		var more []http.Header
		for _, header := range combined {
			for _, value := range values[name] {
				with := header.Clone()
				if value != "" {
					with[name] = []string{value}
				}
				more = append(more, with)
			}
		}
		combined = more
	}
	paths := []string{
		"/Greeter/Hello", "/acme.catalog.v1.CatalogService/List", "/acme.catalog.v1.CatalogService/Get", "/acme.catalog.v1.CatalogService/Watch", "/acme.catalog.v1.StockService/Get", "/acme.account.v1.AccountService/Get",
		"/acme.account.v1.AccountService/Update", "/acme.account.v1.AccountService/Close", "/acme.internal.v1.AdminService/Reset", "/acme.catalog.v1.CatalogService/Other", "/acme.catalog.v1.OtherService/M", "/healthz", "/HEALTHZ",
		"/files/a", "/files", "/FILES/a", "/files/secret", "/files/secret/", "/v1/7", "/v1/7/", "/V1/7", "/nobody", "/nobody/", "/none", "/none//", "/x.y/z?encoding=json",
	}
	for _, path := range paths {
		for _, header := range combined {
			for _, method := range []string{"GET", "POST", "PUT", "OPTIONS"} {
				r := lineRequest{method, "api.example.com", path, header}
				if r.header["Upgrade"] != nil {
					if method == "PUT" || method == "OPTIONS" {
						continue
					}
					r.header = r.header.Clone()
					r.header["Connection"] = []string{"Upgrade"}
				}
				if method == "OPTIONS" {
					r.header = r.header.Clone()
					r.header["Access-Control-Request-Method"] = []string{"POST"}
				}
				all = append(all, r)
			}
		}
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var hosts []lineRequest
	for _, host := range []string{"api.example.com:8443", "[::1]", "[::1]:8080"} {
		hosts = append(hosts, lineRequest{"GET", host, "/healthz", http.Header{}})
	}
	return append(hosts, all...)
}

// answer sends the request, and returns what comes back and whether the server saw it.
func (r lineRequest) answer(t *testing.T, u *upstream, transport http.RoundTripper) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), r.method, "http://"+r.host+r.path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = r.header.Clone()
	before := u.hits()
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatalf("%+v: %v", r, err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body) // the header tells enough
	for _, name := range []string{"Date", "X-Envoy-Upstream-Service-Time"} {
		response.Header.Del(name)
	}
	return fmt.Sprint(response.StatusCode, u.hits()-before, response.Header)
}
