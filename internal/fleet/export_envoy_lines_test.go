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
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
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
	s := &countingServer{Handler: http.HandlerFunc(allFields)}
	listening := httptest.NewServer(s)
	defer listening.Close()
	server := listening.Listener.Addr().String()
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
	twice := map[string]string{} // with a field twice, which Envoy takes
	var static []string
	for _, name := range slices.Sorted(maps.Keys(broken)) {
		problem := envoy.Problem(t, exportConfig(t, server, texts[name]))
		if problem != "" {
			continue
		}
		twice[exportListener(len(static))] = name
		static = append(static, withDetails(texts[name]))
	}
	config := exportConfig(t, server, static...) + fmt.Sprintf("node: {id: test, cluster: test}\ndynamic_resources: {lds_config: {resource_api_version: V3, path_config_source: {path: %q}}}\n", file)
	e := envoy.Start(t, config)
	addrs := e.Addrs()
	for listener, name := range twice {
		addrs[name] = addrs[listener]
		delete(addrs, listener)
	}
	if addrs["whole"] == "" {
		t.Fatal("Envoy does not take the whole export")
	}
	requests := lineRequests()
	want := make([]string, len(requests))
	unused := slices.Clone(twiceRefused)
	counts := map[string]int{"refused": len(texts) - len(addrs), "a field twice": len(twice)}
	for name := range texts {
		addr := addrs[name]
		if addr == "" || name == "whole" {
			continue
		}
		whole, without := throughProgram(addrs["whole"]), throughProgram(addr)
		noticed := false
		for i := 0; i < len(requests) && !noticed; i++ {
			if want[i] == "" {
				want[i] = requests[i].answer(t, s, whole)
			}
			noticed = requests[i].answer(t, s, without) != want[i]
		}
		whole.CloseIdleConnections()
		without.CloseIdleConnections()
		counts["answered"]++
		var n int
		_, _ = fmt.Sscanf(name, "without line %d", &n)
		if i := slices.Index(unused, strings.TrimSpace(lines[n-1])); i >= 0 && !noticed {
			unused = slices.Delete(unused, i, i+1)
		}
		if !noticed && !slices.Contains(twiceRefused, strings.TrimSpace(lines[n-1])) {
			t.Errorf("the answers are the same without line %d: %s", n, lines[n-1])
		}
	}
	t.Log(counts)
	if len(unused) > 0 {
		t.Errorf("these lines make a difference now: %q", unused)
	}
	if counts["answered"] < 50 || counts["refused"] < 10 {
		t.Error("few lines are removed")
	}
}

// twiceRefused are lines that make no difference: each path that they refuse matches a selector too, whose route below refuses it.
var twiceRefused = []string{
	`- match: {safe_regex: {regex: "(?i)/acme[.]catalog[.]v1[.]CatalogService/.*"}}`,
	`- match: {safe_regex: {regex: "(?i)/acme[.]catalog[.]v1[.]StockService/.*"}}`,
}

// exportedListener returns a listener with an export, in JSON, as Envoy's discovery has it.
func exportedListener(name, text string) (json.RawMessage, error) {
	manager := map[string]any{}
	if err := yaml.Unmarshal([]byte(withDetails(text)), &manager); err != nil {
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

// withDetails returns an export whose responses name the policy that refuses.
func withDetails(text string) string {
	return strings.Replace(text, "route_config:\n", "route_config:\n  response_headers_to_add: [{header: {key: x-details, value: \"%RESPONSE_CODE_DETAILS%\"}}]\n", 1)
}

// countingServer counts the requests of a handler.
type countingServer struct {
	http.Handler
	hits atomic.Int64
}

// ServeHTTP counts.
func (s *countingServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.hits.Add(1)
	s.Handler.ServeHTTP(w, r)
}

// lineRequest is a request of TestExportEnvoyLines.
type lineRequest struct {
	method, host, path string
	header             http.Header
}

// lineRequests returns requests in a random order: for a path of each answer all combinations of what a policy depends on, and for
// other spellings and other origins the simple ones.
func lineRequests() (all []lineRequest) {
	answers := []string{"/Greeter/Hello", "/acme.catalog.v1.CatalogService/List", "/acme.account.v1.AccountService/Update", "/healthz", "/files/a", "/v1/7", "/tenants", "/none"}
	few := combinations(map[string][]string{
		"Origin": {"", ownOrigin, "https://app.example.com", "https://evil.example"}, "Sec-Fetch-Site": {"", "cross-site", "same-origin"}, "Sec-Fetch-Mode": {"", "cors", "navigate"},
		"Cookie": {"", "a=1"}, "Authorization": {"", "a"}, "Upgrade": {"", "websocket"},
	})
	others := combinations(map[string][]string{
		"Origin":         {"", ownOrigin, "http://[::1]:8080", "https://app.example.com", "https://evil.example", "https://a.preview.example.com", "https://pr-1.example.net", "null", "capacitor://localhost", "*"},
		"Sec-Fetch-Site": {"", "cross-site"},
	})
	add := func(path string, headers []http.Header) {
		for _, header := range headers {
			for _, method := range []string{"GET", "HEAD", "POST", "PUT", "OPTIONS", "OPTIONS without a requested method", "POST with a requested method"} {
				r := lineRequest{method, "api.example.com", path, header.Clone()}
				r.method, _, _ = strings.Cut(method, " ")
				if header["Upgrade"] != nil {
					if method != "GET" && method != "POST" {
						continue
					}
					r.header["Connection"] = []string{"Upgrade"}
				}
				if method == "OPTIONS" || strings.Contains(method, "with a") {
					r.header["Access-Control-Request-Method"] = []string{"POST"}
				}
				all = append(all, r)
			}
		}
	}
	for _, path := range answers {
		add(path, few)
	}
	for _, header := range few { // the rule of this path allows the origin null, and not that of the app
		if header.Get("Origin") == "https://app.example.com" {
			header.Set("Origin", "null")
		}
	}
	add("/v1/7", few)
	for _, path := range append(answers, "/acme.catalog.v1.CatalogService/Get", "/acme.catalog.v1.CatalogService/Watch", "/acme.catalog.v1.StockService/Get", "/acme.account.v1.AccountService/Get", "/acme.account.v1.AccountService/Close",
		"/acme.internal.v1.AdminService/Reset", "/acme.catalog.v1.CatalogService/Other", "/acme.catalog.v1.OtherService/M", "/Greeter/x", "/acme.account.v1.AccountService/x", "/acme.account.v1/AccountService", "/acme.catalog.v1.StockService/x", "/acme.internal.v1.AdminService/x", "/acme.internal.v1/AdminService", "/grpc.health.v1.Health/x",
		"/grpc.reflection.v1.ServerReflection/x", "/HEALTHZ", "/files", "/FILES/a", "/files/secret", "/files/secret/", "/v1/7/", "/V1/7", "/tenants/", "/none//", "/x.y/z?encoding=json") {
		add(path, others)
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, host := range []string{"api.example.com:8443", "[::1]", "[::1]:8080"} {
		all = append(all, lineRequest{"GET", host, "/healthz", http.Header{}})
	}
	return all
}

// combinations returns all headers with one of the values of each field. The value "" stands for no field.
func combinations(values map[string][]string) []http.Header {
	all := []http.Header{{}}
	for _, name := range sortedNames(values) {
		var more []http.Header
		for _, header := range all {
			for _, value := range values[name] {
				with := header.Clone()
				if value != "" {
					with[name] = []string{value}
				}
				more = append(more, with)
			}
		}
		all = more
	}
	return all
}

// answer sends the request, and returns what comes back and whether the server saw it.
func (r lineRequest) answer(t *testing.T, s *countingServer, transport http.RoundTripper) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), r.method, "http://"+r.host+r.path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = r.header.Clone()
	before := s.hits.Load()
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatalf("%+v: %v", r, err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body) // the header tells enough
	for _, name := range []string{"Date", "X-Envoy-Upstream-Service-Time"} {
		response.Header.Del(name)
	}
	return fmt.Sprint(response.StatusCode, s.hits.Load()-before, response.Header)
}
