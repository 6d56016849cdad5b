//go:build fleet

package e2e

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
	"github.com/corsrpc/corsrpc-go/internal/fleet/envoy"
)

// TestEnvoyMatrixOverHTTP2 makes every call of the table through Envoy over TLS and HTTP/2, in Chromium. It sends no cookies, since
// a page of http is of another site than a server of https.
func TestEnvoyMatrixOverHTTP2(t *testing.T) {
	certificate, spki := newCertificate(t)
	pool := browser.NewTrustingPool(bundle, spki)
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	page := pool.Page(t, browser.Chromium)
	tested := 0
	for _, server := range envoyServers {
		t.Run(server.name, func(t *testing.T) {
			config := server.config(t)
			config.TLS = certificate
			e := startEnvoy(t, page.Origin, fmt.Sprintf(matrixPolicy, false), config)
			_, port, err := net.SplitHostPort(e.Addr(envoy.Listener))
			if err != nil {
				t.Fatal(err)
			}
			var calls []call
			for _, c := range cells(server.implementation) {
				calls = append(calls, c.call(false))
			}
			readings := runCalls(t, page, &api{URL: "https://localhost:" + port}, calls...)
			for i, c := range cells(server.implementation) {
				t.Run(c.name(), func(t *testing.T) {
					tested++
					readings[i].seen().compare(t, server.differing(t, c, c.want(server.implementation, nil)))
				})
			}
			if one, two := e.Stats("http.public.downstream_cx_http1_total"), e.Stats("http.public.downstream_cx_http2_total"); one != 0 || two == 0 {
				t.Errorf("%d connections over HTTP/1.1 and %d over HTTP/2, want HTTP/2 only", one, two)
			}
		})
	}
	t.Logf("result: %d cells through Envoy over HTTP/2", tested)
}

// newCertificate writes a certificate and its key to files, and returns the hash of its public key, for browser.NewTrustingPool.
func newCertificate(t *testing.T) (certificate *envoy.TLS, spki string) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	server.Close()
	key, err := x509.MarshalPKCS8PrivateKey(server.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certificate = &envoy.TLS{Certificate: filepath.Join(dir, "certificate.pem"), Key: filepath.Join(dir, "key.pem")}
	for name, block := range map[string]*pem.Block{
		certificate.Certificate: {Type: "CERTIFICATE", Bytes: server.Certificate().Raw},
		certificate.Key:         {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hash := sha256.Sum256(server.Certificate().RawSubjectPublicKeyInfo)
	return certificate, base64.StdEncoding.EncodeToString(hash[:])
}
