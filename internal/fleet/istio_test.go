//go:build fleet

package fleet_test

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/corsrpc/corsrpc-go/internal/fleet/envoy"
)

// istioFilter returns the HTTP filter of the example for Istio, in YAML, and the name of its cluster.
func istioFilter(t *testing.T) (filter, cluster string) {
	t.Helper()
	text, err := os.ReadFile("../../examples/envoy/kubernetes/istio.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Spec struct {
			ConfigPatches []struct {
				ApplyTo string `yaml:"applyTo"`
				Patch   struct {
					Operation string
					Value     map[string]any
				}
			} `yaml:"configPatches"`
		}
	}
	if err := yaml.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	patches := manifest.Spec.ConfigPatches
	if len(patches) != 1 || patches[0].ApplyTo != "HTTP_FILTER" || patches[0].Patch.Operation != "INSERT_FIRST" {
		t.Fatalf("the patches are %+v", patches)
	}
	value, err := yaml.Marshal(patches[0].Patch.Value)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "cluster_name: ")
	cluster, _, _ = strings.Cut(rest, "\n")
	return string(value), cluster
}

// istioConfig is an Envoy with the filter, whose cluster leads to a processor.
func istioConfig(filter, cluster, socket string, upstream *upstream) envoy.Config {
	return envoy.Config{
		Upstream:      upstream.addr,
		UpstreamHTTP1: true,
		Before:        []string{filter},
		RateLimit:     1,
		Clusters: []string{fmt.Sprintf(`name: %q
type: STATIC
typed_extension_protocol_options:
  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
    "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
    explicit_http_config: {http2_protocol_options: {}}
load_assignment: {cluster_name: %[1]q, endpoints: [{lb_endpoints: [{endpoint: {address: {pipe: {path: %q}}}}]}]}`, cluster, socket)},
	}
}

// The filter of the example for Istio sends the header of the request and of its response, that of a refusal by a later
// filter too, and refuses calls without a processor.
func TestIstioFilter(t *testing.T) {
	filter, cluster := istioFilter(t)
	u := serveUpstream(t, nil)
	p := serveProcessor(t, proceed(overwrite("x-seen", "yes")))
	e := envoy.Start(t, istioConfig(filter, cluster, p.socket, u).YAML(t))
	for _, want := range []int{http.StatusOK, http.StatusTooManyRequests} {
		if got := send(t, e.Addr(envoy.Listener), "GET / HTTP/1.1"); got.status != want || got.header.Get("X-Seen") != "yes" {
			t.Errorf("status %d, %v, want %d with X-Seen", got.status, got.header, want)
		}
	}
	if got, want := p.kinds(), []string{"request_headers", "response_headers", "request_headers", "response_headers"}; !slices.Equal(got, want) {
		t.Errorf("the messages are %q", got)
	}
	p.server.Stop()
	if got := send(t, e.Addr(envoy.Listener), "GET / HTTP/1.1"); got.status < http.StatusInternalServerError || u.hits() != 1 {
		t.Errorf("without a processor: status %d, and the server has got %d calls", got.status, u.hits())
	}
}

// Faults in the filter of the example are found.
func TestIstioFilterFaults(t *testing.T) {
	filter, cluster := istioFilter(t)
	for old, fault := range map[string]string{
		"failure_mode_allow":  "failure_mode_deny",
		"SEND":                "SENT",
		"message_timeout: 1s": "message_timeout: 1",
		"ExternalProcessor":   "ExternalProcesor",
	} {
		if !strings.Contains(filter, old) {
			t.Errorf("the filter does not have %q", old)
		}
		u := &upstream{addr: "127.0.0.1:1"}
		if problem := envoy.Problem(t, istioConfig(strings.ReplaceAll(filter, old, fault), cluster, "socket", u).YAML(t)); problem == "" {
			t.Errorf("Envoy takes %q", fault)
		}
	}
}

// Envoy Gateway writes a timeout into grpc_service. It does not end the streams of calls that take longer.
func TestTimeoutOfGRPCService(t *testing.T) {
	filter, cluster := istioFilter(t)
	filter = regexp.MustCompile("( +)envoy_grpc:").ReplaceAllString(filter, "${1}timeout: 0.1s\n${0}")
	slow := serveUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(time.Second) // longer than the timeout
		w.WriteHeader(http.StatusNoContent)
	})
	p := serveProcessor(t, proceed(overwrite("x-seen", "yes")))
	e := envoy.Start(t, istioConfig(filter, cluster, p.socket, slow).YAML(t))
	if got := send(t, e.Addr(envoy.Listener), "GET / HTTP/1.1"); got.status != http.StatusNoContent || got.header.Get("X-Seen") != "yes" {
		t.Errorf("status %d, %v", got.status, got.header)
	}
}
