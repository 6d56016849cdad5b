package cli

import (
	"bytes"
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/reflection"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// services are the services of the corpus, as a gRPC server tells them.
type services struct{ t *testing.T }

func (s services) GetServiceInfo() map[string]grpc.ServiceInfo {
	all := map[string]grpc.ServiceInfo{}
	filesOf(s.t).RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			all[string(f.Services().Get(i).FullName())] = grpc.ServiceInfo{}
		}
		return true
	})
	return all
}

// reflectingServer starts a gRPC server that tells the schema of the corpus, and returns its address.
func reflectingServer(t *testing.T) string {
	t.Helper()
	server := grpc.NewServer()
	reflectionpb.RegisterServerReflectionServer(server, reflection.NewServerV1(reflection.ServerOptions{Services: services{t}, DescriptorResolver: filesOf(t)}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	return l.Addr().String()
}

// ofGateway returns the words of a command line of the gateway with free ports, and with a running server for
// the one of the example.
func ofGateway(t *testing.T, words []string) []string {
	t.Helper()
	words = slices.Clone(words)
	if slices.Contains(words, "--config") {
		return words
	}
	at := slices.Index(words, "grpc://127.0.0.1:9090")
	if at < 0 {
		t.Fatalf("%q does not name grpc://127.0.0.1:9090", words)
	}
	words[at] = "grpc://" + reflectingServer(t)
	return append(words, "--listen", "127.0.0.1:0", "--internal", "127.0.0.1:0")
}

// output collects what a program writes, and ends it when a text is written.
type output struct {
	mu     sync.Mutex
	text   bytes.Buffer
	until  string
	cancel context.CancelFunc
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	if strings.Contains(o.text.String(), o.until) {
		o.cancel()
	}
	return len(p), nil
}

// runGateway runs the gateway until it is ready, and returns its exit code and its log.
func runGateway(t *testing.T, args ...string) (code int, log string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	errs := &output{until: "msg=ready", cancel: cancel}
	code = Run(ctx, Streams{In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: errs}, args)
	return code, errs.text.String()
}
