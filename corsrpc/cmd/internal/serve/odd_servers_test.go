package serve

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"iter"
	"math/big"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/reflection"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// certificate returns a self-signed certificate for a name, and the files with it and its key.
func certificate(t *testing.T, name string) (pair tls.Certificate, file, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file = write(t, filepath.Join(dir, "tls.crt"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	key = write(t, filepath.Join(dir, "tls.key"), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, file, key
}

// serveUntilEnd serves a gRPC server until the test ends, and returns its address.
func serveUntilEnd(t *testing.T, s *grpc.Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.Serve(l) })
	t.Cleanup(func() {
		s.Stop()
		serving.Wait()
	})
	return l.Addr().String()
}

// TestUpstreamWithTLS: an upstream of a gateway file with TLS and a client certificate tells its schema. The
// reason of one that is set wrongly names the setting of the gateway file.
func TestUpstreamWithTLS(t *testing.T) {
	t.Parallel()
	pair, ca, _ := certificate(t, "shop.internal.example")
	client, clientFile, clientKey := certificate(t, "gateway")
	trusted := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(client.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	trusted.AddCert(leaf)
	address := serveUntilEnd(t, reflectionServer(t, grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAnyClientCert,
		VerifyConnection: func(state tls.ConnectionState) error {
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: trusted, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
			return err
		},
	}))))
	upstream := func(scheme string, tls *corsrpcv1.ClientTLS) ReflectedServer {
		return ReflectedUpstream(&corsrpcv1.Upstream{Name: "shop", Url: scheme + "://" + address, Tls: tls, ConnectTimeout: durationpb.New(time.Second)})
	}
	for _, scheme := range []string{"grpcs", "https"} {
		r := newRunning(t, PolicyConfig{File: policyFile(t, appPolicy), Reflect: []ReflectedServer{
			upstream(scheme, &corsrpcv1.ClientTLS{Ca: ca, Certificate: clientFile, Key: clientKey, ServerName: "shop.internal.example"}),
		}})
		r.awaitReady()
		if !r.Streams("acme.v1.Shop", "Watch") {
			t.Errorf("%s: not the schema", scheme)
		}
	}
	for want, server := range map[string]ReflectedServer{
		"server_name in tls of the upstream gives the name":       upstream("grpcs", &corsrpcv1.ClientTLS{Ca: ca, Certificate: clientFile, Key: clientKey}),
		"ca in tls of the upstream names the authority":           upstream("grpcs", &corsrpcv1.ClientTLS{ServerName: "shop.internal.example"}),
		"write grpcs://" + address + " if it speaks TLS":          upstream("grpc", nil),
		"the client certificate cannot be used: open /none":       upstream("grpcs", &corsrpcv1.ClientTLS{Ca: ca, Certificate: "/none", Key: "/none"}),
		"the upstream shop (grpcs://" + address + "): open /none": upstream("grpcs", &corsrpcv1.ClientTLS{Ca: "/none"}),
	} {
		r := newRunning(t, PolicyConfig{File: policyFile(t, appPolicy), Reflect: []ReflectedServer{server}})
		why := ""
		for deadline := time.Now().Add(20 * time.Second); !strings.Contains(why, want) && time.Now().Before(deadline); <-time.After(5 * time.Millisecond) {
			_, why = r.Ready()
		}
		if !strings.Contains(why, want) {
			t.Errorf("waits for %s, want %q", why, want)
		}
	}
}

// reflectionServer returns a server with the schema of a shop.
func reflectionServer(t *testing.T, options ...grpc.ServerOption) *grpc.Server {
	t.Helper()
	s := grpc.NewServer(options...)
	reflectionpb.RegisterServerReflectionServer(s, reflection.NewServerV1(reflection.ServerOptions{
		Services: shopService{}, DescriptorResolver: registry(t, declared("shop.proto", "acme.v1.Shop/Get Watch*")),
	}))
	return s
}

// shopService is the list of services of a shop.
type shopService struct{}

func (shopService) GetServiceInfo() map[string]grpc.ServiceInfo {
	return map[string]grpc.ServiceInfo{"acme.v1.Shop": {}}
}

// TestSchemaWithoutRestart: a server whose schema changes without a new connection, such as a proxy, is asked
// again after each period, and by Reload.
func TestSchemaWithoutRestart(t *testing.T) {
	t.Parallel()
	for name, every := range map[string]time.Duration{"a period": 20 * time.Millisecond, "Reload": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changing := &changingSchema{}
			changing.set(registry(t, declared("shop.proto", "acme.v1.Shop/Get")))
			s := grpc.NewServer()
			reflectionpb.RegisterServerReflectionServer(s, reflection.NewServerV1(reflection.ServerOptions{Services: shopService{}, DescriptorResolver: changing}))
			address := serveUntilEnd(t, s)
			r := newRunning(t, PolicyConfig{File: policyFile(t, appPolicy), ReflectEvery: every, Reflect: []ReflectedServer{{Name: "shop", URL: "grpc://" + address}}})
			r.awaitReady()
			changing.set(registry(t, declared("shop.proto", "acme.v1.Shop/Get*")))
			if every == time.Hour {
				r.Reload()
			}
			r.await("the second schema", func() bool { return r.Streams("acme.v1.Shop", "Get") })
		})
	}
}

// TestHalfOpenConnection: a server that neither answers nor closes its connection is asked again over another
// connection.
func TestHalfOpenConnection(t *testing.T) {
	t.Parallel()
	relay := newRelay(t, serveUntilEnd(t, reflectionServer(t)))
	r := newRunning(t, PolicyConfig{
		File: policyFile(t, appPolicy), ReflectEvery: 20 * time.Millisecond, Reflect: []ReflectedServer{{Name: "shop", URL: "grpc://" + relay.address}},
	}, func(p *Policy) { p.readTimeout = 500 * time.Millisecond })
	r.awaitReady()
	before := relay.connections.Load()
	relay.block()
	r.await("a failure", func() bool { return r.log.count("the server did not answer in time") == 1 })
	r.await("another connection", func() bool {
		return r.log.count("a server tells its schema again") == 1 && relay.connections.Load() > before
	})
	if ok, _ := r.Ready(); !ok {
		t.Error("not ready any more")
	}
}

// TestSourceThatHangs: an origin source that does not answer keeps the policy from being in force no longer than
// the wait, and does not keep Run from ending.
func TestSourceThatHangs(t *testing.T) {
	t.Parallel()
	var answers atomic.Bool
	source := corsrpc.OriginSourceFunc(func(ctx context.Context) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			if !answers.Load() {
				<-ctx.Done()
				yield("", ctx.Err())
				return
			}
			yield(shop, nil)
		}
	})
	start := time.Now()
	r := newRunning(t, PolicyConfig{File: policyFile(t, tenantsPolicy), Sources: map[string]Source{"tenants": {
		From: source, Options: []corsrpc.SourceOption{corsrpc.SourceTimeout(time.Second), corsrpc.SourceEvery(10 * time.Millisecond)},
	}}}, func(p *Policy) { p.sourcesWait = 300 * time.Millisecond })
	r.await("in force", func() bool { return r.Layer() != nil })
	if took := time.Since(start); took < 300*time.Millisecond {
		t.Errorf("in force after %v, without its source", took)
	}
	if ok, why := r.Ready(); ok || !strings.Contains(why, "took longer than 300ms") {
		t.Errorf("ready %v: %s", ok, why)
	}
	answers.Store(true)
	r.awaitReady()
}

// relay passes bytes between connections and a server. It is safe for concurrent use.
type relay struct {
	address     string
	connections atomic.Int32
	mu          sync.Mutex
	blocked     chan struct{} // closed when the connections so far pass nothing any more
	relaying    sync.WaitGroup
}

// newRelay returns a relay to a server until the test ends.
func newRelay(t *testing.T, server string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{address: l.Addr().String(), blocked: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	r.relaying.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			r.connections.Add(1)
			upstream, err := net.Dial("tcp", server)
			if err != nil {
				_ = client.Close()
				continue
			}
			r.mu.Lock()
			blocked := r.blocked
			r.mu.Unlock()
			r.relaying.Go(func() { pass(upstream, client, blocked) })
			r.relaying.Go(func() { pass(client, upstream, blocked) })
			context.AfterFunc(ctx, func() { _, _ = client.Close(), upstream.Close() })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		cancel()
		r.relaying.Wait()
	})
	return r
}

// pass copies bytes until one side ends. When the connection is blocked, it reads on and drops everything.
func pass(to io.Writer, from io.Reader, blocked <-chan struct{}) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		select {
		case <-blocked:
			continue
		default:
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// block makes the connections so far pass nothing any more.
func (r *relay) block() {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.blocked)
	r.blocked = make(chan struct{})
}
