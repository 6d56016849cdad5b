package probed

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A server is a server that runs until the test ends.
type server struct {
	// url is how the command line names it: SCHEME://HOST:PORT.
	url string
	// args are what the command line needs besides, such as --ca FILE.
	args []string
	// roots are the authorities that signed its certificate.
	roots *x509.CertPool
}

// transport returns an HTTP client's transport to the server, and the server's URL as scripts write it.
func (s server) transport(t *testing.T) (transport http.RoundTripper, url string) {
	t.Helper()
	tr := &http.Transport{Protocols: new(http.Protocols), TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.roots}}
	t.Cleanup(tr.CloseIdleConnections)
	if rest, ok := strings.CutPrefix(s.url, "h2c"); ok {
		tr.Protocols.SetUnencryptedHTTP2(true)
		return tr, "http" + rest
	}
	tr.Protocols.SetHTTP1(true)
	tr.Protocols.SetHTTP2(strings.HasPrefix(s.url, "https"))
	return tr, s.url
}

// newServer starts a server of HTTP/1.
func newServer(t *testing.T, h http.Handler) server {
	t.Helper()
	s := unstarted(t, h)
	s.Start()
	return server{url: s.URL}
}

// newH2C starts a server of HTTP/2 without TLS, and without HTTP/1.
func newH2C(t *testing.T, h http.Handler) server {
	t.Helper()
	s := unstarted(t, h)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	return server{url: "h2c" + s.URL[len("http"):]}
}

// newHTTP2 starts a server of HTTP/2 with TLS, whose certificate is signed by an authority of its own.
func newHTTP2(t *testing.T, h http.Handler) server {
	t.Helper()
	s := unstarted(t, h)
	s.EnableHTTP2 = true
	certificate, authority := certificates(t)
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}}
	s.StartTLS()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	return server{url: s.URL, args: []string{"--ca", write(t, "ca.pem", string(authority))}, roots: roots}
}

func unstarted(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(s.Close)
	return s
}

// certificates returns a certificate for 127.0.0.1, and in PEM the authority that signed it.
func certificates(t *testing.T) (leaf tls.Certificate, authority []byte) {
	t.Helper()
	now := time.Now()
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	host := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "api"}, NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	caKey, caDER := signed(t, ca, ca, nil)
	hostKey, hostDER := signed(t, host, ca, caKey)
	return tls.Certificate{Certificate: [][]byte{hostDER}, PrivateKey: hostKey}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER})
}

// signed makes a key, and a certificate for it that the key of its issuer signs; nil: that it signs itself.
func signed(t *testing.T, c, issuer *x509.Certificate, issuerKey *ecdsa.PrivateKey) (key *ecdsa.PrivateKey, der []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if issuerKey == nil {
		issuerKey = key
	}
	der, err = x509.CreateCertificate(rand.Reader, c, issuer, key.Public(), issuerKey)
	if err != nil {
		t.Fatal(err)
	}
	return key, der
}

// answerRaw reads one request, and writes bytes.
func answerRaw(connection net.Conn, seen *traffic, answer string) {
	defer connection.Close()
	r, err := http.ReadRequest(bufio.NewReader(connection))
	if err != nil {
		return // a connection without a request
	}
	seen.count(r)
	_, _ = io.WriteString(connection, answer)
}

// newRaw starts a server that answers each request with bytes.
func newRaw(t *testing.T, seen *traffic, answer string) server {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			connection, err := listener.Accept()
			if err != nil {
				return // closed
			}
			answerRaw(connection, seen, answer)
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-ended
	})
	return server{url: "http://" + listener.Addr().String()}
}
