package gateway_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/gateway"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/gatewayfile"
)

// connect returns a client connection to a processor.
func connect(t *testing.T, address string, security credentials.TransportCredentials) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(security))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// callOf is the header of a Connect call of a page to a host, as Envoy sends it.
func callOf(host, origin string) *extprocv3.ProcessingRequest {
	fields := &corev3.HeaderMap{}
	for _, f := range [][2]string{
		{":method", "POST"}, {":authority", host}, {":scheme", "https"}, {":path", "/acme.v1.CatalogService/Get"},
		{"origin", origin}, {"sec-fetch-site", "cross-site"}, {"sec-fetch-mode", "cors"}, {"content-type", "application/json"},
	} {
		fields.Headers = append(fields.Headers, &corev3.HeaderValue{Key: f[0], RawValue: []byte(f[1])})
	}
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestHeaders{RequestHeaders: &extprocv3.HttpHeaders{Headers: fields}}}
}

// responded is the header of a response, as Envoy sends it.
func responded() *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseHeaders{ResponseHeaders: &extprocv3.HttpHeaders{
		Headers: &corev3.HeaderMap{Headers: []*corev3.HeaderValue{{Key: ":status", RawValue: []byte("200")}}},
	}}}
}

// decide asks a processor about a call, and returns the status that Envoy answers with; 0 if it forwards the call.
func decide(t *testing.T, conn *grpc.ClientConn, host, origin string, md ...string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(t.Context(), md...), 30*time.Second)
	defer cancel()
	stream, err := extprocv3.NewExternalProcessorClient(conn).Process(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(callOf(host, origin)); err != nil {
		t.Fatal(err)
	}
	answer, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	return int(answer.GetImmediateResponse().GetStatus().GetCode())
}

const twoHosts = `
PORTS
virtual_hosts:
  - {name: shop, hosts: [shop.example.com], policy: cors.yaml}
  - {name: admin, hosts: ["*.admin.example.com"], policy: admin.yaml}
limits: {max_streams: 5}
`

// TestProcessor checks that a request gets the policy of its host, or of the virtual host that Envoy names, that
// changes take effect, and that the internal port tells of it.
func TestProcessor(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write(t, filepath.Join(folder, "admin.yaml"), "defaults: {allow_origins: [https://admin.example.com]}\n")
	p := startProgram(t, gatewayfile.Processor, folder, twoHosts)
	conn := connect(t, p.public, insecure.NewCredentials())
	for _, c := range []struct {
		host, origin string
		metadata     []string
		status       int
	}{
		{"shop.example.com", page, nil, 0},
		{"SHOP.example.com.:443", page, nil, 0},
		{"shop.example.com", "https://admin.example.com", nil, 403},
		{"eu.admin.example.com", "https://admin.example.com", nil, 0},
		{"eu.admin.example.com", page, nil, 403},
		{"other.example.com", page, nil, 421},
		{"shop.example.com", "https://admin.example.com", []string{"corsrpc-policy", "admin"}, 0},
		{"shop.example.com", page, []string{"corsrpc-policy", "nobody"}, 421},
		{"shop.example.com", page, []string{"corsrpc-policy", "shop", "corsrpc-policy", "admin"}, 421},
	} {
		if got := decide(t, conn, c.host, c.origin, c.metadata...); got != c.status {
			t.Errorf("%+v: %d", c, got)
		}
	}
	write(t, filepath.Join(folder, "cors.yaml"), "defaults: {allow_origins: [https://new.example.com]}\n")
	eventually(t, "the new policy", func() bool { return decide(t, conn, "shop.example.com", page) == 403 })
	if !strings.Contains(p.log.String(), `"fields":["limits"]`) {
		t.Errorf("the log does not name the field that has no effect:\n%s", p.log)
	}
	_, metrics := p.inspect("/metrics")
	for _, want := range []string{"corsrpc_extproc_streams_total{", `rpc_grpc_status_code="OK"`, "corsrpc_policy_ready", "corsrpc_decisions"} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics does not have %s", want)
		}
	}
	if code, text := p.inspect("/readyz"); code != 200 {
		t.Errorf("/readyz: %d %s", code, text)
	}
}

// TestProcessorDrain checks that a stream that waits for its response keeps the program alive and is answered,
// and that Envoy's health checks notice the drain before.
func TestProcessorDrain(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := startProgram(t, gatewayfile.Processor, folder, "PORTS\nvirtual_hosts: [{policy: cors.yaml}]\ndrain: {delay: 1s}\n")
	conn := connect(t, p.public, insecure.NewCredentials())
	health := func() healthpb.HealthCheckResponse_ServingStatus {
		got, err := healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{})
		if err != nil {
			return healthpb.HealthCheckResponse_UNKNOWN
		}
		return got.GetStatus()
	}
	if got := health(); got != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("health: %v", got)
	}
	stream, err := extprocv3.NewExternalProcessorClient(conn).Process(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(callOf("api", page)); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	close(p.terminate)
	eventually(t, "not serving", func() bool { return health() == healthpb.HealthCheckResponse_NOT_SERVING })
	eventually(t, "the end of the delay, when the port is closed", func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", p.public)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	select {
	case err := <-p.ended:
		t.Fatalf("the program ended with an open stream: %v", err)
	default:
	}
	if err := stream.Send(responded()); err != nil {
		t.Fatal(err)
	}
	answer, err := stream.Recv()
	if err != nil || len(answer.GetResponseHeaders().GetResponse().GetHeaderMutation().GetSetHeaders()) == 0 {
		t.Errorf("%v, %v", answer, err)
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	if err := <-p.ended; err != nil {
		t.Error(err)
	}
	p.ended <- nil // for the clean-up
}

// TestProcessorDrainTimeout checks that streams which are not decided on at the end of the drain end with an error.
func TestProcessorDrainTimeout(t *testing.T) {
	t.Parallel()
	p := startProgram(t, gatewayfile.Processor, t.TempDir(), "PORTS\nvirtual_hosts: [{policy: cors.yaml}]\ndrain: {delay: 0s, timeout: 0.1s}\n")
	stream, err := extprocv3.NewExternalProcessorClient(connect(t, p.public, insecure.NewCredentials())).Process(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(callOf("api", page)); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	close(p.terminate)
	if _, err := stream.Recv(); errors.Is(err, io.EOF) || status.Code(err) == codes.OK {
		t.Errorf("the stream ends with %v", err)
	}
	if err := <-p.ended; err != nil {
		t.Error(err)
	}
	p.ended <- nil // for the clean-up
}

// TestProcessorSocket checks a Unix socket: its mode, one that an ended process has left, and one in use.
func TestProcessorSocket(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	socket := filepath.Join(folder, "s.sock")
	left, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	left.Close()
	const file = `
listen: {address: "unix:s.sock"}
internal: {address: "127.0.0.1:0"}
virtual_hosts: [{policy: cors.yaml}]
`
	p := startProgram(t, gatewayfile.Processor, folder, file)
	if p.public != "unix:"+socket {
		t.Errorf("the log names %q", p.public)
	}
	if info, err := os.Stat(socket); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("%v, %v", info, err)
	}
	if got := decide(t, connect(t, p.public, insecure.NewCredentials()), "api", page); got != 0 {
		t.Errorf("status %d", got)
	}
	read, err := gatewayfile.Read(filepath.Join(folder, "gateway.yaml"), gatewayfile.Processor)
	if err != nil {
		t.Fatal(err)
	}
	err = gateway.Run(t.Context(), read, gateway.Options{Program: gatewayfile.Processor, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "another process listens there") {
		t.Errorf("a second processor: %v", err)
	}
	if got := decide(t, connect(t, p.public, insecure.NewCredentials()), "api", page); got != 0 {
		t.Errorf("after a second processor has tried: status %d", got)
	}
}

// TestProcessorSocketOfBusyProcess checks that the socket of a process that is too busy to accept connections is not
// taken from it.
func TestProcessorSocketOfBusyProcess(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	socket := filepath.Join(folder, "s.sock")
	busy, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(busy)
	if err := errors.Join(syscall.Bind(busy, &syscall.SockaddrUnix{Name: socket}), syscall.Listen(busy, 0)); err != nil {
		t.Fatal(err)
	}
	for full := false; !full; { // the queue takes few connections, and none of them is accepted
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
		cancel()
		if full = err != nil; !full {
			defer conn.Close()
		}
	}
	for name, text := range map[string]string{
		"gateway.yaml": `{listen: {address: "unix:s.sock"}, internal: {address: "127.0.0.1:0"}, virtual_hosts: [{policy: cors.yaml}]}`,
		"cors.yaml":    "defaults: {allow_origins: [\"" + page + "\"]}",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read, err := gatewayfile.Read(filepath.Join(folder, "gateway.yaml"), gatewayfile.Processor)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err = gateway.Run(ctx, read, gateway.Options{Program: gatewayfile.Processor, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "another process listens there") {
		t.Errorf("%v", err)
	}
}

// TestProcessorTLS checks that a processor with client authorities serves only those who have a certificate.
func TestProcessorTLS(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	pair := selfSigned(t, folder)
	p := startProgram(t, gatewayfile.Processor, folder, `
listen: {address: "127.0.0.1:0", tls: {certificate: tls.crt, key: tls.key, client_ca: tls.crt}}
internal: {address: "127.0.0.1:0"}
virtual_hosts: [{policy: cors.yaml}]
`)
	authorities := x509.NewCertPool()
	authorities.AddCert(pair.Leaf)
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: authorities, ServerName: "processor.internal"}
	stranger := connect(t, p.public, credentials.NewTLS(config))
	stream, err := extprocv3.NewExternalProcessorClient(stranger).Process(t.Context())
	if err == nil {
		_, err = stream.Recv()
	}
	if status.Code(err) != codes.Unavailable {
		t.Errorf("without a certificate: %v", err)
	}
	config = config.Clone()
	config.Certificates = []tls.Certificate{pair}
	if got := decide(t, connect(t, p.public, credentials.NewTLS(config)), "api", page); got != 0 {
		t.Errorf("status %d", got)
	}
}

// selfSigned writes a certificate and its key into a folder.
func selfSigned(t *testing.T, folder string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"processor.internal"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "tls.crt"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(t, filepath.Join(folder, "tls.key"), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
