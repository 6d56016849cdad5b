package probe

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
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
)

// authority is a certificate authority of its own.
type authority struct {
	file        string // with its certificate
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{file: filepath.Join(t.TempDir(), "ca.pem"), key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign returns a certificate for names that is valid until a time.
func (a *authority) sign(t *testing.T, until time.Time, names ...string) tls.Certificate {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until, KeyUsage: x509.KeyUsageDigitalSignature}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// withTLS starts a server with a certificate, which speaks HTTP/2 and HTTP/1.1.
func withTLS(certificate tls.Certificate) func(*httptest.Server) {
	return func(s *httptest.Server) {
		s.EnableHTTP2 = true
		s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.StartTLS()
	}
}

// withoutTLS starts a server that speaks HTTP/2 without TLS only.
func withoutTLS(s *httptest.Server) {
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
}

// TestTransports: a sound server passes over HTTP/1.1, over TLS with an authority of its own and another name,
// and over HTTP/2 with and without TLS.
func TestTransports(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t)
	for _, c := range []struct {
		name, scheme, proto, serverName string
		start                           func(*httptest.Server)
	}{
		{"HTTP/1.1", "http", "HTTP/1.1", "", (*httptest.Server).Start},
		{"h2c", "h2c", "HTTP/2.0", "", withoutTLS},
		{"TLS", "https", "HTTP/2.0", "", withTLS(ours.sign(t, time.Now().Add(time.Hour), "127.0.0.1"))},
		{"TLS with another name", "https", "HTTP/2.0", "api.example.com", withTLS(ours.sign(t, time.Now().Add(time.Hour), "api.example.com"))},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, answers(204, grants, 200, grants), c.start)
			s.URL.Scheme, s.ServerName = c.scheme, c.serverName
			if c.scheme == "https" {
				if err := s.Trust("--ca", ours.file); err != nil {
					t.Fatal(err)
				}
			}
			trial := probeSite(t, s, connectCall("a.v1.S.M"), true)
			if Exit([]*Trial{trial}) != Fine {
				t.Fatal(trial.Views(s.Server)[0].Verdict)
			}
			for _, e := range trial.Outcomes[0].Exchanges {
				if e.Proto != c.proto {
					t.Errorf("%s %s: %s, want %s", e.Method, e.URL, e.Proto, c.proto)
				}
			}
		})
	}
}

// raw starts a server that answers each connection with these bytes, or with nothing, and closes it.
func raw(t *testing.T, reply string) *url.URL {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if reply == "" {
					return
				}
				_, _ = bufio.NewReader(conn).ReadString('\n')
				_, _ = io.WriteString(conn, reply)
			}()
		}
	}()
	return &url.URL{Host: listener.Addr().String()}
}

// TestFailures: what keeps a request from being answered is told, with what to write instead.
func TestFailures(t *testing.T) {
	t.Parallel()
	ours, theirs := newAuthority(t), newAuthority(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	started := func(start func(*httptest.Server)) *url.URL {
		return newSite(t, answers(204, grants, 200, nil), start).URL
	}
	hour := time.Now().Add(time.Hour)
	for _, c := range []struct {
		name, scheme string
		url          *url.URL
		text         string
	}{
		{"nothing listens", "http", &url.URL{Host: closed.Addr().String()}, "does not listen at " + closed.Addr().String()},
		{"unknown host", "https", &url.URL{Host: "corsrpc.invalid"}, "corsrpc.invalid"},
		{"unknown authority", "https", started(withTLS(theirs.sign(t, hour, "127.0.0.1"))), "--ca FILE"},
		{"another name", "https", started(withTLS(ours.sign(t, hour, "api.example.com"))), "is for api.example.com, and not for 127.0.0.1"},
		{"no name", "https", started(withTLS(ours.sign(t, hour))), "127.0.0.1"},
		{"expired", "https", started(withTLS(ours.sign(t, time.Now().Add(-time.Hour), "127.0.0.1"))), "has expired"},
		{"TLS where there is none", "https", started((*httptest.Server).Start), "write http://"},
		{"none where there is TLS, h2c", "h2c", started(withTLS(ours.sign(t, hour, "127.0.0.1"))), "write https://"},
		{"HTTP/2 where there is HTTP/1.1", "h2c", started((*httptest.Server).Start), "write http://"},
		{"HTTP/1.1 where there is HTTP/2", "http", started(withoutTLS), "write h2c://"},
		{"closed at once", "http", raw(t, ""), "closed the connection"},
		{"closed at once, TLS", "https", raw(t, ""), "closed the connection"},
		{"closed at once, h2c", "h2c", raw(t, ""), "closed the connection"},
		{"not HTTP", "http", raw(t, "220 mail.example.com ESMTP\r\n"), "does not answer in HTTP"},
		{"an alert of TLS", "http", raw(t, "\x15\x03\x01\x00\x02\x02\x16"), "write https://"},
		{"a protocol that was not asked for", "http", raw(t, "HTTP/1.1 101 Switching Protocols\r\nAccess-Control-Allow-Origin: *\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"), "answered with status 101"},
		{"a status that is none", "http", raw(t, "HTTP/1.1 000 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 0\r\n\r\n"), "answered with status 0,"},
		{"a control character", "http", raw(t, "HTTP/1.1 204 No Content\r\nServer: \x1b[2J\r\n\r\n"), "the header of the response is not valid"},
		{"two lengths", "http", raw(t, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"), "the header of the response is not valid"},
		{"a header that is too large", "http", raw(t, "HTTP/1.1 204 No Content\r\nX: "+strings.Repeat("x", 2<<20)+"\r\n\r\n"), "larger than 1 MiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			u := *c.url
			u.Scheme = c.scheme
			s := Server{URL: &u}
			if err := s.Trust("--ca", ours.file); err != nil {
				t.Fatal(err)
			}
			w := NewWire(s)
			defer w.Close()
			trial, err := Try(t.Context(), w, connectCall("a.v1.S.M"), []corsbrowser.Engine{corsbrowser.Chromium})
			if err != nil {
				t.Fatal(err)
			}
			o := trial.Outcomes[0]
			if o.Result != Unreachable || Exit([]*Trial{trial}) != NotReached {
				t.Fatalf("%s", o.Result)
			}
			if text := s.Failure(o.Err); !strings.Contains(text, c.text) {
				t.Errorf("%s (%v)\ndoes not have %q", text, o.Err, c.text)
			}
		})
	}
}

// TestPlainRequestToTLS: servers with TLS answer requests without TLS by a page about it.
func TestPlainRequestToTLS(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t)
	s := newSite(t, answers(204, grants, 200, nil), withTLS(ours.sign(t, time.Now().Add(time.Hour), "127.0.0.1")))
	s.URL.Scheme = "http"
	w := NewWire(s.Server)
	defer w.Close()
	trial, err := Try(t.Context(), w, connectCall("a.v1.S.M"), []corsbrowser.Engine{corsbrowser.Chromium})
	if err != nil {
		t.Fatal(err)
	}
	if v := trial.Views(s.Server)[0]; len(v.Causes) != 1 || !strings.Contains(v.Causes[0], "write https://") {
		t.Errorf("%s %q", v.Verdict, v.Causes)
	}
}

// TestTimeout: a server that does not answer in time is told from one that is not there.
func TestTimeout(t *testing.T) {
	t.Parallel()
	s := newSite(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), (*httptest.Server).Start)
	w := NewWire(s.Server)
	w.timeout = 50 * time.Millisecond
	defer w.Close()
	trial, err := Try(t.Context(), w, connectCall("a.v1.S.M"), corsbrowser.Engines())
	if err != nil {
		t.Fatal(err)
	}
	if text := s.Failure(trial.Outcomes[0].Err); Exit([]*Trial{trial}) != Unknown || !strings.Contains(text, "did not answer within") {
		t.Errorf("%s", text)
	}
}

// TestConnectionTimeout: an address that drops packets is told from a server that does not answer.
func TestConnectionTimeout(t *testing.T) {
	t.Parallel()
	s := Server{URL: &url.URL{Scheme: "https", Host: "api.example.com"}}
	err := &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
	if text := s.Failure(err); NoAnswer(err) || !strings.Contains(text, "api.example.com:443 was not made within 5s") {
		t.Errorf("%s", text)
	}
}
