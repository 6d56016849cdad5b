package gateway_test

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/reflection"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

var (
	swaps    = flag.Int("swaps", 50, "how often TestUnderLoad changes the policy")
	restarts = flag.Int("restarts", 5, "how often TestUnderLoad restarts the upstream")
)

// greeter is the implementation of a gRPC service with one method.
type greeter struct{}

var greeterDesc = grpc.ServiceDesc{
	ServiceName: "test.v1.Greeter", HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Greet", Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		in := &wrapperspb.StringValue{}
		if err := decode(in); err != nil {
			return nil, err
		}
		return wrapperspb.String("Hello, " + in.GetValue()), nil
	}}},
}

// greeterFiles returns the schema of the greeter.
func greeterFiles(t *testing.T) *protoregistry.Files {
	t.Helper()
	f, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: new("greeter.proto"), Package: new("test.v1"), Syntax: new("proto3"), Dependency: []string{"google/protobuf/wrappers.proto"},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: new("Greeter"), Method: []*descriptorpb.MethodDescriptorProto{{
			Name: new("Greet"), InputType: new(".google.protobuf.StringValue"), OutputType: new(".google.protobuf.StringValue"),
		}}}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	files := new(protoregistry.Files)
	if err := files.RegisterFile(f); err != nil {
		t.Fatal(err)
	}
	return files
}

// serveGreeter serves the greeter on an address, and waits until it is free.
func serveGreeter(t *testing.T, address string) (*grpc.Server, string) {
	t.Helper()
	var l net.Listener
	eventually(t, "the address is free", func() bool {
		var err error
		l, err = net.Listen("tcp", address)
		return err == nil
	})
	s := grpc.NewServer()
	s.RegisterService(&greeterDesc, greeter{})
	reflectionpb.RegisterServerReflectionServer(s, reflection.NewServerV1(reflection.ServerOptions{Services: s, DescriptorResolver: greeterFiles(t)}))
	go func() { _ = s.Serve(l) }()
	return s, l.Addr().String()
}

// outcome is how a call of the page ended.
type outcome int

const (
	answered outcome = iota
	unavailable
	refusedByPolicy
	lost // the page cannot tell what happened
)

// greet calls the greeter over gRPC-Web, as a page.
func greet(ctx context.Context, client *http.Client, address, origin string) (outcome, string) {
	message, _ := proto.Marshal(wrapperspb.String("Ada"))
	body := string(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))) + string(message)
	r, _ := http.NewRequestWithContext(ctx, "POST", "http://"+address+"/test.v1.Greeter/Greet", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/grpc-web+proto")
	r.Header.Set("Origin", origin)
	response, err := client.Do(r)
	if err != nil {
		return lost, err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	status := response.Header.Get("Grpc-Status")
	switch {
	case err != nil:
		return lost, err.Error()
	case response.StatusCode == http.StatusForbidden:
		return refusedByPolicy, ""
	case response.Header.Get("Access-Control-Allow-Origin") != origin:
		return lost, fmt.Sprint("not readable: ", response.StatusCode, response.Header)
	case strings.Contains(string(text), "Hello, Ada") && strings.Contains(string(text), "grpc-status: 0"):
		return answered, ""
	case status == "14" || strings.Contains(string(text), "grpc-status: 14"):
		return unavailable, ""
	}
	return lost, fmt.Sprintf("%d %v %q", response.StatusCode, response.Header, text)
}

// TestUnderLoad: while the policy changes and the upstream restarts, no call is lost that all policies allow: it is
// answered, or the page reads UNAVAILABLE while the upstream is away. A page that only some policies allow is either
// answered or refused.
func TestUnderLoad(t *testing.T) {
	t.Parallel()
	server, upstream := serveGreeter(t, "127.0.0.1:0")
	g := start(t, t.TempDir(), fmt.Sprintf(`PORTS
upstreams: [{name: greeter, url: "grpc://%s", reflect: true}]
virtual_hosts: [{policy: cors.yaml, routes: [{upstream: greeter}]}]
`, upstream))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var counts [2][4]atomic.Int64 // of the page that all policies allow, and of the other one
	var callers sync.WaitGroup
	var away atomic.Bool // whether the upstream is away, or was a moment ago
	var first atomic.Pointer[string]
	for i := range 8 {
		origin := page
		if i%4 == 3 {
			origin = "https://other.example.com"
		}
		callers.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for ctx.Err() == nil {
				wasAway := away.Load()
				got, why := greet(context.WithoutCancel(ctx), client, g.public, origin)
				if got == unavailable && !wasAway && !away.Load() {
					got, why = lost, "UNAVAILABLE while the upstream is there"
				}
				if got == lost || origin == page && got == refusedByPolicy {
					first.CompareAndSwap(nil, &why)
				}
				counts[i%4/3][got].Add(1)
			}
		})
	}
	policy := func(n int) string {
		text := fmt.Sprintf("defaults: {allow_origins: [%q], max_age: %ds}\n", page, n+1)
		if n%2 == 1 {
			text = strings.Replace(text, "]", `, "https://other.example.com"]`, 1)
		}
		return text
	}
	settled := func() (n int64) {
		for i := range counts {
			for j := range counts[i] {
				n += counts[i][j].Load()
			}
		}
		return n
	}
	for n := range *swaps {
		write(t, filepath.Join(g.folder, "cors.yaml"), policy(n))
		g.reload <- nil
		before := settled()
		eventually(t, "more calls", func() bool { return settled() > before+8 })
		if n%max(*swaps / *restarts, 1) == 0 {
			away.Store(true)
			server.Stop()
			before := settled()
			eventually(t, "calls without the upstream", func() bool { return settled() > before+8 })
			server, _ = serveGreeter(t, upstream)
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			eventually(t, "the upstream is back", func() bool { got, _ := greet(ctx, client, g.public, page); return got == answered })
			before = settled()
			eventually(t, "calls that began without the upstream have ended", func() bool { return settled() > before+16 })
			away.Store(false)
		}
	}
	stop()
	callers.Wait()
	server.Stop()
	all := &counts[0]
	t.Logf("%d answered, %d unavailable; the other page: %d answered, %d refused", all[answered].Load(), all[unavailable].Load(), counts[1][answered].Load(), counts[1][refusedByPolicy].Load())
	if n := all[lost].Load() + all[refusedByPolicy].Load() + counts[1][lost].Load(); n > 0 {
		t.Errorf("%d calls were lost; the first: %s", n, *first.Load())
	}
	if all[answered].Load() == 0 || all[unavailable].Load() == 0 || counts[1][refusedByPolicy].Load() == 0 {
		t.Error("a kind of outcome did not occur")
	}
	eventually(t, "the last policy is in force", func() bool {
		_, text := g.inspect("/metrics")
		return strings.Contains(text, "corsrpc_policy_reloads_total")
	})
}
