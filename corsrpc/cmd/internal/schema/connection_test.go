package schema

import (
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/reflection"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
)

// connect connects to a server until the test ends.
func connect(t *testing.T, s Server) *Connection {
	t.Helper()
	c, err := s.Connect(5 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// awaitMade waits until a connection is made.
func awaitMade(t *testing.T, c *Connection) {
	t.Helper()
	select {
	case <-c.Made():
	case <-time.After(20 * time.Second):
		t.Fatal("no connection after 20 s")
	}
}

// listenOn listens on an address, on which a server has listened before.
func listenOn(t *testing.T, address string) net.Listener {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		l, err := net.Listen("tcp", address)
		if err == nil {
			return l
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		<-time.After(10 * time.Millisecond)
	}
}

// TestReconnect: a connection is made again after the server was away, and Made tells of each connection.
func TestReconnect(t *testing.T) {
	t.Parallel()
	l := listenOn(t, "127.0.0.1:0")
	address := l.Addr().String()
	var c *Connection
	for i := range 5 {
		s := shopServer()
		reflectionpb.RegisterServerReflectionServer(s, reflection.NewServerV1(reflection.ServerOptions{Services: s, DescriptorResolver: shopFiles(t)}))
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(l) }()
		if c == nil {
			c = connect(t, Server{URL: "h2c://" + address})
		}
		awaitMade(t, c)
		part, err := c.Read(t.Context())
		if err != nil || !slices.Contains(part.listed, "shop.v1.Shop") || !c.Ready() {
			t.Errorf("connection %d: %v", i, err)
		}
		s.Stop()
		if err := <-ended; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			t.Error(err)
		}
		if _, err := c.Read(t.Context()); err == nil {
			t.Error("a server that is away answers")
		}
		l = listenOn(t, address)
	}
	_ = l.Close()
}

// TestReadWithoutConnection: Read fails at once without a connection, and names what is wrong in the given terms.
func TestReadWithoutConnection(t *testing.T) {
	t.Parallel()
	l := listenOn(t, "127.0.0.1:0")
	address := l.Addr().String()
	_ = l.Close()
	c := connect(t, Server{URL: "h2c://" + address, Name: "the upstream shop", Terms: strings.NewReplacer("listen", "LISTEN")})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err := c.Read(ctx)
	if ctx.Err() != nil || err == nil || !strings.HasPrefix(err.Error(), "the upstream shop: the server does not LISTEN at "+address) {
		t.Errorf("error %v", err)
	}
	if _, err := (Server{URL: "x://h", Name: "the upstream shop"}).Connect(time.Second); err == nil || !strings.HasPrefix(err.Error(), "the upstream shop: the scheme is not") {
		t.Errorf("error %v", err)
	}
}

// keyPair writes a certificate and its key to files.
func keyPair(t *testing.T, dir string, pair tls.Certificate) (certificate, key string) {
	t.Helper()
	der, err := x509.MarshalECPrivateKey(pair.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	return write(t, filepath.Join(dir, "tls.crt"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}))),
		write(t, filepath.Join(dir, "tls.key"), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})))
}

// TestClientCertificate: a server gets the client certificate. A connection that is made later reads the files
// again.
func TestClientCertificate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	serverPair, ca := newCertificate(t, "shop.example.com")
	first, firstCA := newCertificate(t, "first")
	second, secondCA := newCertificate(t, "second")
	var trusted *x509.CertPool
	config := &tls.Config{
		Certificates: []tls.Certificate{serverPair}, ClientAuth: tls.RequireAnyClientCert,
		VerifyConnection: func(state tls.ConnectionState) error {
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: trusted, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
			return err
		},
	}
	trust := func(ca string) {
		trusted = x509.NewCertPool()
		trusted.AppendCertsFromPEM([]byte(ca))
	}
	l := listenOn(t, "127.0.0.1:0")
	address := l.Addr().String()
	run := func(use func()) {
		t.Helper()
		s := shopServer(grpc.Creds(credentials.NewTLS(config)))
		reflectionpb.RegisterServerReflectionServer(s, reflection.NewServerV1(reflection.ServerOptions{Services: s, DescriptorResolver: shopFiles(t)}))
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(l) }()
		use()
		s.Stop()
		<-ended
		l = listenOn(t, address)
	}
	certificate, key := keyPair(t, dir, first)
	server := Server{
		URL: "https://" + address, CAFile: write(t, filepath.Join(dir, "ca.crt"), ca), ServerName: "shop.example.com",
		CertificateFile: certificate, KeyFile: key, Name: "the upstream shop",
	}
	trust(firstCA)
	var c *Connection
	run(func() {
		c = connect(t, server)
		awaitMade(t, c)
		if _, err := c.Read(t.Context()); err != nil {
			t.Error(err)
		}
	})
	trust(secondCA)
	keyPair(t, dir, second)
	run(func() {
		awaitMade(t, c)
		if _, err := c.Read(t.Context()); err != nil {
			t.Errorf("the second certificate: %v", err)
		}
	})
	_ = l.Close()
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Connect(time.Second); err == nil || !strings.Contains(err.Error(), "the upstream shop: the client certificate cannot be used: open "+key) {
		t.Errorf("without a key: %v", err)
	}
}
