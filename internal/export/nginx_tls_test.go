//go:build nginx

package export_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	cryptorand "crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/export"
	"github.com/corsrpc/corsrpc-go/internal/nginx"
)

// certificateOf writes the files of a certificate for one test, and returns the pool that trusts it.
func certificateOf(t *testing.T, host string) (certificate, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), cryptorand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{host}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(cryptorand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	certificate, key, pool = write("certificate", "CERTIFICATE", der), write("key", "PRIVATE KEY", keyDER), x509.NewCertPool()
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(parsed)
	return certificate, key, pool
}

// TestNginxHTTP2 checks the cases over HTTP/2 with TLS, with the lines that the comments of an export name.
func TestNginxHTTP2(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	m := richModel(t)
	m.Options.Upstream = b.url
	x, err := export.Write(export.Nginx, m)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key, pool := certificateOf(t, "api.example.com")
	text := strings.Replace(x.Text, "listen 443 ssl;", "listen unix:"+nginx.Socket+" ssl http2;", 1)
	text = strings.Replace(text, "    # ssl_certificate FILE;\n    # ssl_certificate_key FILE;\n", fmt.Sprintf("    ssl_certificate %s;\n    ssl_certificate_key %s;\n", certificate, key), 1)
	text = strings.Replace(text, "listen 8080;", "listen unix:"+nginx.Socket+"2;", 1)
	s := nginx.Start(t, text)
	client := &http.Transport{
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool}, DisableCompression: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", s.Socket)
		},
	}
	t.Cleanup(client.CloseIdleConnections)
	for _, wrong := range checkNginxCases(t, b, overTLS{t, client}) {
		if !strings.HasPrefix(wrong, "a handshake") && !strings.HasPrefix(wrong, "a method in another letter case") { // HTTP/2 has neither
			t.Error(wrong)
		}
	}
	if got := b.last.Load().Host; got != "api.example.com" {
		t.Errorf("the server gets the host %q", got)
	}
}

// overTLS sends requests to https URLs, over HTTP/2 except for handshakes.
type overTLS struct {
	t    testing.TB
	next http.RoundTripper
}

func (o overTLS) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header["Upgrade"] != nil || r.Method == "post" {
		return &http.Response{Body: io.NopCloser(strings.NewReader("")), Header: http.Header{}}, nil
	}
	r.URL.Scheme = "https"
	response, err := o.next.RoundTrip(r)
	if err == nil && response.ProtoMajor != 2 {
		o.t.Errorf("HTTP/%d", response.ProtoMajor)
	}
	return response, err
}

// TestNginxCertificate checks that nginx does not start before there is a certificate: an export never serves an https origin without TLS.
func TestNginxCertificate(t *testing.T) {
	t.Parallel()
	x, err := export.Write(export.Nginx, richModel(t))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(x.Text, "listen 443 ssl;", "listen unix:"+nginx.Socket+" ssl;", 1)
	text = strings.Replace(text, "listen 8080;", "listen unix:"+nginx.Socket+"2;", 1)
	if _, log, ok := nginx.Starts(t, text); ok || !strings.Contains(log, "ssl_certificate") {
		t.Errorf("it starts: %v; nginx says: %s", ok, log)
	}
}
