package envoy_test

import (
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/fleet/envoy"
)

func TestEnvoyForwards(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
	}))
	defer upstream.Close()
	e := envoy.Start(t, envoy.Config{
		Upstream:      upstream.Listener.Addr().String(),
		UpstreamHTTP1: true,
	}.YAML(t))

	resp, err := http.Get("http://" + e.Addr(envoy.Listener) + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || string(body) != "hello" {
		t.Errorf("body %q, error %v", body, err)
	}
	if got := e.Stats("http.public.downstream_rq_2xx"); got != 1 {
		t.Errorf("downstream_rq_2xx is %d, want 1", got)
	}
	if got := e.Stats("http.public.no_such_counter"); got != 0 {
		t.Errorf("a counter that does not exist is %d, want 0", got)
	}
}

func TestConfigWithEverythingIsValid(t *testing.T) {
	envoy.Validate(t, envoy.Config{
		Upstream:      "127.0.0.1:1",
		Processor:     &envoy.Processor{Addresses: []string{"127.0.0.1:2", "127.0.0.1:3"}, AllowOverride: true},
		GRPCWeb:       true,
		ConnectBridge: true,
		JWKS:          `{"keys":[{"kty":"oct","alg":"HS256","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}]}`,
		Authorization: "127.0.0.1:4",
		RateLimit:     1,
		Upgrades:      []string{"websocket", "CONNECT"},
	}.YAML(t))
}

func TestProblemNamesTheField(t *testing.T) {
	config := envoy.Config{Upstream: "127.0.0.1:1", Manager: "no_such_field: 1"}.YAML(t)
	if problem := envoy.Problem(t, config); !strings.Contains(problem, "no_such_field") {
		t.Errorf("the problem is %q", problem)
	}
}

func TestListenerWithTLSServesBothVersions(t *testing.T) {
	upstream := httptest.NewTLSServer(nil) // for its certificate
	defer upstream.Close()
	dir := t.TempDir()
	key, err := x509.MarshalPKCS8PrivateKey(upstream.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	files := envoy.TLS{Certificate: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	writePEM(t, files.Certificate, "CERTIFICATE", upstream.Certificate().Raw)
	writePEM(t, files.Key, "PRIVATE KEY", key)
	e := envoy.Start(t, envoy.Config{
		TLS:      &files,
		Upstream: "127.0.0.1:1",
		Routes:   []string{"match: {prefix: /}\ndirect_response: {status: 418}"},
	}.YAML(t))

	for _, version := range []int{1, 2} {
		transport := upstream.Client().Transport.(*http.Transport).Clone()
		transport.ForceAttemptHTTP2 = version == 2
		client := http.Client{Transport: transport}
		resp, err := client.Get("https://" + e.Addr(envoy.Listener) + "/")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		client.CloseIdleConnections()
		if resp.StatusCode != 418 || resp.ProtoMajor != version {
			t.Errorf("status %d in %s, want 418 in HTTP/%d", resp.StatusCode, resp.Proto, version)
		}
	}
}

func writePEM(t *testing.T, name, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}
