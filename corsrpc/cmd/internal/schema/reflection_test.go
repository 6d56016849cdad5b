package schema

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	alphapb "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// serve serves a gRPC server on a port of the system's choice, and returns its address.
func serve(t *testing.T, s *grpc.Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Stop()
		if err := <-done; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// shopServer returns a server with the services shop.v1.Shop and grpc.health.v1.Health.
func shopServer(opts ...grpc.ServerOption) *grpc.Server {
	s := grpc.NewServer(opts...)
	s.RegisterService(&grpc.ServiceDesc{ServiceName: "shop.v1.Shop", HandlerType: (*any)(nil)}, struct{}{})
	grpc_health_v1.RegisterHealthServer(s, health.NewServer())
	return s
}

// linkedAndShop resolves the files of the test's schema, and those that are linked in.
type linkedAndShop struct{ *protoregistry.Files }

func shopFiles(t *testing.T) linkedAndShop {
	t.Helper()
	set, err := parseBinary(unzip(t, "testdata/image.binpb.gz"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"grpc/health/v1/health.proto", "grpc/reflection/v1/reflection.proto", "grpc/reflection/v1alpha/reflection.proto"} {
		f, err := protoregistry.GlobalFiles.FindFileByPath(name)
		if err == nil {
			err = files.RegisterFile(f)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return linkedAndShop{files}
}

// TestReflect reads the schema of servers of grpc-go with either version of reflection.
func TestReflect(t *testing.T) {
	t.Parallel()
	files := shopFiles(t)
	for name, test := range map[string]struct {
		register func(*grpc.Server)
		want     []string
	}{
		"v1": {func(s *grpc.Server) {
			reflectionpb.RegisterServerReflectionServer(s, reflection.NewServerV1(reflection.ServerOptions{Services: s, DescriptorResolver: files}))
		}, []string{"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "shop.v1.Shop"}},
		"v1alpha": {func(s *grpc.Server) {
			alphapb.RegisterServerReflectionServer(s, reflection.NewServer(reflection.ServerOptions{Services: s, DescriptorResolver: files}))
		}, []string{"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection", "shop.v1.Shop"}},
		"both": {func(s *grpc.Server) {
			reflectionpb.RegisterServerReflectionServer(s, reflection.NewServerV1(reflection.ServerOptions{Services: s, DescriptorResolver: files}))
			alphapb.RegisterServerReflectionServer(s, reflection.NewServer(reflection.ServerOptions{Services: s, DescriptorResolver: files}))
		}, []string{"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection", "shop.v1.Shop"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := shopServer()
			test.register(s)
			address := serve(t, s)
			for _, url := range []string{"h2c://" + address, "http://" + address, "h2c://" + address + "/"} {
				got, err := Read(t.Context(), nil, Server{URL: url})
				if err != nil {
					t.Fatal(err)
				}
				if names := services(got); !slices.Equal(names, test.want) {
					t.Errorf("%s: services %q", url, names)
				}
				if options := optionsOf(t, got); len(options) != 3 {
					t.Errorf("%s: options %q", url, options)
				}
			}
		})
	}
}

// TestReflectAndFiles: a file adds the descriptor that a server does not tell.
func TestReflectAndFiles(t *testing.T) {
	t.Parallel()
	s := shopServer()
	reflection.Register(s) // by the linked files, without that of shop.v1.Shop
	server := Server{URL: "h2c://" + serve(t, s)}
	_, err := Read(t.Context(), nil, server)
	if err == nil || !strings.Contains(err.Error(), "lists shop.v1.Shop, and does not tell its descriptor: pass --descriptors FILE with it too") {
		t.Errorf("error %v", err)
	}
	files, err := Read(t.Context(), []string{"testdata/image.binpb.gz"}, server)
	if err != nil {
		t.Fatal(err)
	}
	if names := services(files); !slices.Contains(names, "shop.v1.Shop") || !slices.Contains(names, "grpc.health.v1.Health") {
		t.Errorf("services %q", names)
	}
}

// TestReflectWithTLS: the certificate has to be valid.
func TestReflectWithTLS(t *testing.T) {
	t.Parallel()
	certificate, ca := newCertificate(t, "shop.example.com")
	s := shopServer(grpc.Creds(credentials.NewServerTLSFromCert(&certificate)))
	reflectionpb.RegisterServerReflectionServer(s, reflection.NewServerV1(reflection.ServerOptions{Services: s, DescriptorResolver: shopFiles(t)}))
	address := serve(t, s)
	file := write(t, filepath.Join(t.TempDir(), "ca.pem"), ca)
	notPEM := write(t, filepath.Join(t.TempDir(), "ca.der"), "x")
	for name, test := range map[string]struct {
		server Server
		want   string // in the error; empty if there is not one
	}{
		"trusted":        {Server{URL: "https://" + address, CAFile: file, ServerName: "shop.example.com"}, ""},
		"another name":   {Server{URL: "https://" + address, CAFile: file}, "--reflect-server-name gives the name"},
		"wrong name":     {Server{URL: "https://" + address, CAFile: file, ServerName: "api.example.com"}, "--reflect-server-name gives the name"},
		"untrusted":      {Server{URL: "https://" + address, ServerName: "shop.example.com"}, "--reflect-ca FILE names the authority's certificate"},
		"without TLS":    {Server{URL: "h2c://" + address}, "write https://" + address + " if it speaks TLS"},
		"no such file":   {Server{URL: "https://" + address, CAFile: file + "x"}, "--reflect-ca: open "},
		"not PEM":        {Server{URL: "https://" + address, CAFile: notPEM}, "there is not a certificate in PEM form"},
		"CA for h2c":     {Server{URL: "h2c://" + address, CAFile: file}, "are for servers with TLS: write https://" + address},
		"a name for h2c": {Server{URL: "h2c://" + address, ServerName: "x"}, "are for servers with TLS: write https://" + address},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Read(t.Context(), nil, test.server)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// newCertificate returns a self-signed certificate for a name, and the same in PEM form.
func newCertificate(t *testing.T, name string) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// TestServersWithoutReflection: the error says what the server is and what to do.
func TestServersWithoutReflection(t *testing.T) {
	t.Parallel()
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html>"))
	})
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	denied := grpc.NewServer(grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error {
		return status.Error(codes.PermissionDenied, "not \x1b[31myou")
	}))
	h1 := httptest.NewServer(page)
	t.Cleanup(h1.Close)
	h2c := httptest.NewUnstartedServer(page)
	h2c.Config.Protocols = new(http.Protocols)
	h2c.Config.Protocols.SetUnencryptedHTTP2(true)
	h2c.Start()
	t.Cleanup(h2c.Close)
	h1TLS, ca := tlsServer(t, page, false)
	h2TLS, ca2 := tlsServer(t, page, true)
	for name, test := range map[string]struct {
		server Server
		want   string
	}{
		"refused":             {Server{URL: "h2c://" + closed.Addr().String()}, "the server does not listen at " + closed.Addr().String() + " (dial tcp " + closed.Addr().String() + ": connect: connection refused)"},
		"not registered":      {Server{URL: "h2c://" + serve(t, shopServer())}, "register it (in Go: reflection.Register(server)), or pass --descriptors"},
		"denied":              {Server{URL: "h2c://" + serve(t, denied)}, `refuses server reflection (PermissionDenied: not \x1b[31myou)`},
		"TLS against plain":   {Server{URL: "https://" + serve(t, shopServer())}, "does not speak TLS: write h2c://127.0.0.1:"},
		"a page over HTTP/1":  {Server{URL: "h2c://" + h1.Listener.Addr().String()}, "the server speaks HTTP/1.1 only"},
		"a page over h2c":     {Server{URL: "h2c://" + h2c.Listener.Addr().String()}, "the server answers, but not with gRPC"},
		"HTTP/1 over TLS":     {Server{URL: h1TLS, CAFile: ca}, "the server speaks TLS, but not HTTP/2"},
		"a page over TLS":     {Server{URL: h2TLS, CAFile: ca2}, "the server answers, but not with gRPC"},
		"no such host":        {Server{URL: "h2c://corsrpc.invalid:1"}, "corsrpc.invalid"},
		"a scheme of its own": {Server{URL: "grpc://127.0.0.1:1"}, "write h2c://127.0.0.1:1 for a server without TLS, or https://127.0.0.1:1"},
		"no scheme":           {Server{URL: "127.0.0.1:1"}, "write a URL such as h2c://127.0.0.1:9090"},
		"a host alone":        {Server{URL: "localhost:1"}, "write a URL such as h2c://127.0.0.1:9090"},
		"a path":              {Server{URL: "https://127.0.0.1:1/api"}, "below no path: write https://127.0.0.1:1;"},
		"a password":          {Server{URL: "https://a:b@127.0.0.1:1"}, "write https://127.0.0.1:1"},
		"a query":             {Server{URL: "https://127.0.0.1:1?a=%25d"}, "write https://127.0.0.1:1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Read(t.Context(), nil, test.server)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "--reflect ") {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "a:b@") {
				t.Errorf("the error has the password: %v", err)
			}
		})
	}
}

// tlsServer starts a server with TLS, and returns its URL and the file with its certificate.
func tlsServer(t *testing.T, h http.Handler, http2 bool) (url, ca string) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = http2
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	return s.URL, write(t, filepath.Join(t.TempDir(), "ca.pem"), string(text))
}

// TestPorts: a URL without a port means that of its scheme, and hosts may be IPv6 addresses.
func TestPorts(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"h2c://a.example.com": "a.example.com:80", "http://a.example.com/": "a.example.com:80", "https://a.example.com": "a.example.com:443",
		"https://[::1]": "[::1]:443", "h2c://[::1]:9090": "[::1]:9090",
	} {
		if got, _, err := (Server{URL: url}).dialer(); got != want || err != nil {
			t.Errorf("%s: %s, %v", url, got, err)
		}
	}
}

// hostile is a server whose reflection answers the i-th request, from 0 on, by answer.
func hostile(t *testing.T, answer func(i int, request *reflectionpb.ServerReflectionRequest) (*reflectionpb.ServerReflectionResponse, error)) Server {
	t.Helper()
	s := grpc.NewServer()
	over := make(chan struct{})
	reflectionpb.RegisterServerReflectionServer(s, answers{answer: answer, over: over})
	server := Server{URL: "h2c://" + serve(t, s)}
	t.Cleanup(func() { close(over) })
	return server
}

// errHang makes the server hang until the test is over.
var errHang = errors.New("hang")

type answers struct {
	reflectionpb.UnimplementedServerReflectionServer
	answer func(int, *reflectionpb.ServerReflectionRequest) (*reflectionpb.ServerReflectionResponse, error)
	over   chan struct{} // closed when the test is over
}

func (a answers) ServerReflectionInfo(stream reflectionpb.ServerReflection_ServerReflectionInfoServer) error {
	for i := 0; ; i++ {
		request, err := stream.Recv()
		if err != nil {
			return err
		}
		response, err := a.answer(i, request)
		if errors.Is(err, errHang) {
			<-a.over
		}
		if err != nil {
			return err
		}
		if err := stream.Send(response); err != nil {
			return err
		}
	}
}

// listing is the response with services.
func listing(names ...string) *reflectionpb.ServerReflectionResponse {
	list := &reflectionpb.ListServiceResponse{}
	for _, name := range names {
		list.Service = append(list.Service, &reflectionpb.ServiceResponse{Name: name})
	}
	return &reflectionpb.ServerReflectionResponse{MessageResponse: &reflectionpb.ServerReflectionResponse_ListServicesResponse{ListServicesResponse: list}}
}

// sending is the response with files.
func sending(files ...*descriptorpb.FileDescriptorProto) *reflectionpb.ServerReflectionResponse {
	response := &reflectionpb.FileDescriptorResponse{}
	for _, f := range files {
		data, _ := proto.Marshal(f)
		response.FileDescriptorProto = append(response.FileDescriptorProto, data)
	}
	return &reflectionpb.ServerReflectionResponse{MessageResponse: &reflectionpb.ServerReflectionResponse_FileDescriptorResponse{FileDescriptorResponse: response}}
}

func refusing(code codes.Code, message string) *reflectionpb.ServerReflectionResponse {
	return &reflectionpb.ServerReflectionResponse{MessageResponse: &reflectionpb.ServerReflectionResponse_ErrorResponse{ErrorResponse: &reflectionpb.ErrorResponse{ErrorCode: int32(code), ErrorMessage: message}}}
}

// TestOddServers: a row has the responses of a server in their order, of which the last is repeated, and
// the services or the error that result.
func TestOddServers(t *testing.T) {
	t.Parallel()
	type responses = []*reflectionpb.ServerReflectionResponse
	file := func(data string) *reflectionpb.ServerReflectionResponse {
		r := sending()
		r.GetFileDescriptorResponse().FileDescriptorProto = [][]byte{[]byte(data)}
		return r
	}
	a, b := declaring("a.proto", "a.v1", "A"), declaring("b.proto", "b.v1", "B")
	cycle := importing(declaring("a.proto", "a.v1", "A"), "b.proto")
	back := importing(declaring("b.proto", "b.v1", "B"), "a.proto")
	many := make([]string, usualBounds.services+1)
	for i := range many {
		many[i] = fmt.Sprintf("a.v1.S%d", i)
	}
	for name, test := range map[string]struct {
		responses responses
		want      string // services, or in the error
	}{
		"imports first":             {responses{listing("a.v1.A"), sending(b, importing(declaring("a.proto", "a.v1", "A"), "b.proto"))}, "a.v1.A b.v1.B"},
		"an import that is missing": {responses{listing("a.v1.A"), sending(importing(declaring("a.proto", "a.v1", "A"), "b.proto"))}, "a.v1.A"},
		"a cycle":                   {responses{listing("a.v1.A", "b.v1.B"), sending(cycle, back)}, "a.v1.A b.v1.B"},
		"a file twice":              {responses{listing("a.v1.A", "b.v1.B"), sending(a, a), sending(a, b)}, "a.v1.A b.v1.B"},
		"a service twice":           {responses{listing("a.v1.A", "a.v1.A"), sending(a)}, "a.v1.A"},
		"an operational service":    {responses{listing("grpc.health.v1.Health", "a.v1.A"), sending(a), refusing(codes.NotFound, "")}, "a.v1.A"},
		"two contents":              {responses{listing("a.v1.A", "b.v1.B"), sending(a), sending(declaring("a.proto", "a.v1", "A2"), b)}, "has two different files with the name a.proto"},
		"names that do not match":   {responses{listing("a.v1.A"), sending(b)}, "lists a.v1.A, and does not tell its descriptor"},
		"no file":                   {responses{listing("a.v1.A"), sending()}, "lists a.v1.A, and does not tell its descriptor"},
		"another kind of response":  {responses{listing("a.v1.A"), listing()}, "lists a.v1.A, and does not tell its descriptor"},
		"no list":                   {responses{sending(a)}, "it answers something else when it is asked for its services"},
		"an empty response":         {responses{{}}, "it answers something else when it is asked for its services"},
		"no services":               {responses{listing()}, "there is not a single service"},
		"too many services":         {responses{listing(many...)}, "it lists 10001 services; at most 10000 are read"},
		"a name with an escape":     {responses{listing("a\x1b[31m")}, `it lists a service "a\x1b[31m", which is not a full name`},
		"an error for the list":     {responses{refusing(codes.Internal, "no\n::error::x")}, `it answers Internal "no\n::error::x" when it is asked for its services`},
		"an error for a service":    {responses{listing("a.v1.A"), refusing(codes.Internal, "no")}, `it answers Internal "no" when it is asked for the file of a.v1.A`},
		"not a descriptor":          {responses{listing("a.v1.A"), file("\xff")}, "it sent a file that is not a descriptor"},
		"a file without a name":     {responses{listing("a.v1.A"), sending(declaring("", "a.v1", "A"))}, "is not valid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := hostile(t, func(i int, _ *reflectionpb.ServerReflectionRequest) (*reflectionpb.ServerReflectionResponse, error) {
				return test.responses[min(i, len(test.responses)-1)], nil
			})
			files, err := Read(t.Context(), nil, server)
			got := ""
			if err != nil {
				got = err.Error()
			} else {
				got = strings.Join(services(files), " ")
			}
			if got != test.want && (err == nil || !strings.Contains(got, test.want)) {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// TestHangingServers: the context ends the reading, at each step.
func TestHangingServers(t *testing.T) {
	t.Parallel()
	mute, err := net.Listen("tcp", "127.0.0.1:0") // connections wait in its queue
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mute.Close() })
	for name, server := range map[string]Server{
		"a server that accepts nothing":  {URL: "h2c://" + mute.Addr().String()},
		"a TLS server that says nothing": {URL: "https://" + mute.Addr().String()},
		"the list": hostile(t, func(int, *reflectionpb.ServerReflectionRequest) (*reflectionpb.ServerReflectionResponse, error) {
			return nil, errHang
		}),
		"a file": hostile(t, func(i int, _ *reflectionpb.ServerReflectionRequest) (*reflectionpb.ServerReflectionResponse, error) {
			if i == 0 {
				return listing("a.v1.A"), nil
			}
			return nil, errHang
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			_, err := Read(ctx, nil, server)
			wantError(t, err, server.URL+": the server did not answer in time")
		})
	}
}

// TestEndsOfACall: the program may be stopped, and the server may end the call.
func TestEndsOfACall(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Read(ctx, nil, hostile(t, func(int, *reflectionpb.ServerReflectionRequest) (*reflectionpb.ServerReflectionResponse, error) {
		cancel()
		return nil, errHang
	}))
	wantError(t, err, "the program was stopped before the server had answered")
	ended := grpc.NewServer(grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error { return nil }))
	_, err = Read(t.Context(), nil, Server{URL: "h2c://" + serve(t, ended)})
	wantError(t, err, "the server ended the call before it had answered")
}

// TestBoundsOfReflection: an endless list of services, and files without end, end at the bounds.
func TestBoundsOfReflection(t *testing.T) {
	t.Parallel()
	large := declaring("large.proto", "a.v1", "A")
	large.Service[0].Options = &descriptorpb.ServiceOptions{}
	large.Service[0].Options.ProtoReflect().SetUnknown(append([]byte{0xfa, 0x3f, 0x88, 0x27}, make([]byte, 5000)...)) // field 1023
	names := make([]string, 100)
	for i := range names {
		names[i] = fmt.Sprintf("a.v1.S%d", i)
	}
	asked := make(chan int, 1)
	endless := hostile(t, func(i int, _ *reflectionpb.ServerReflectionRequest) (*reflectionpb.ServerReflectionResponse, error) {
		if i == 0 {
			return listing(names...), nil
		}
		select {
		case <-asked:
		default:
		}
		asked <- i
		return sending(declaring(fmt.Sprintf("f%d.proto", i), "x.v1", fmt.Sprintf("%s%d", strings.Repeat("X", 900), i))), nil
	})
	_, err := endless.read(t.Context(), bounds{message: 1 << 20, received: 10_000, services: 100})
	wantError(t, err, "it sent more than 10000 bytes")
	if n := <-asked; n > 11 {
		t.Errorf("asked %d times", n)
	}
	_, err = endless.read(t.Context(), bounds{message: 1 << 20, received: 1 << 20, services: 99})
	wantError(t, err, "it lists 100 services; at most 99 are read")
	huge := hostile(t, func(i int, _ *reflectionpb.ServerReflectionRequest) (*reflectionpb.ServerReflectionResponse, error) {
		if i == 0 {
			return listing("a.v1.A"), nil
		}
		return sending(large), nil
	})
	_, err = huge.read(t.Context(), bounds{message: 4096, received: 1 << 20, services: 1})
	wantError(t, err, "a message of the server is too large")
	if _, err = huge.read(t.Context(), bounds{message: 8192, received: 1 << 20, services: 1}); err != nil {
		t.Errorf("within its bounds: %v", err)
	}
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}
