//go:build fleet

package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/reflection"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// runUpstream is the environment variable that makes the test's program an upstream: see serveUpstream.
const runUpstream = "CORSRPC_FLEET_UPSTREAM"

// TestMain runs the upstream instead of the tests if it is asked to.
func TestMain(m *testing.M) {
	if text := os.Getenv(runUpstream); text != "" {
		fmt.Fprintln(os.Stderr, serveUpstream(text))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// The methods of the upstream. Each has a StringValue as its request and its responses.
const (
	linkService = "fleet.v1.LinkService"
	// echo answers with its request.
	echo = "/fleet.v1.LinkService/Echo"
	// read answers with its request too. The schema called readable says that it has no side effects.
	read = "/fleet.v1.LinkService/Read"
	// ticks sends messages. The request is their number and the pause after each, such as "3 10ms".
	ticks = "/fleet.v1.LinkService/Ticks"
)

// The schemas that an upstream tells.
const (
	readable = "readable"
	plain    = "plain"
)

// The kinds of upstreams.
const (
	grpcGo    = "grpc-go"
	connectGo = "connect-go"
)

// serveUpstream serves as a text says: the kind, the address and the schema, with spaces between. It returns
// when it cannot serve any longer.
func serveUpstream(text string) error {
	var kind, address, schema string
	if _, err := fmt.Sscan(text, &kind, &address, &schema); err != nil {
		return err
	}
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err != nil {
		return err
	}
	files, err := linkFiles(schema)
	if err != nil {
		return err
	}
	server := grpc.NewServer() // with the usual bounds for pings of clients
	server.RegisterService(&linkDesc, nil)
	reflectionpb.RegisterServerReflectionServer(server, reflection.NewServerV1(reflection.ServerOptions{Services: server, DescriptorResolver: files}))
	if kind == grpcGo {
		return server.Serve(l)
	}
	mux := http.NewServeMux()
	mux.Handle(echo, connect.NewUnaryHandler(echo, answer))
	mux.Handle(read, connect.NewUnaryHandler(read, answer, connect.WithIdempotency(connect.IdempotencyNoSideEffects)))
	mux.Handle(ticks, connect.NewServerStreamHandler(ticks, func(ctx context.Context, r *connect.Request[wrapperspb.StringValue], s *connect.ServerStream[wrapperspb.StringValue]) error {
		return tick(ctx, r.Msg.GetValue(), s.Send)
	}))
	mux.Handle("/grpc.reflection.v1.ServerReflection/", server)
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return (&http.Server{Handler: mux, Protocols: protocols, ReadHeaderTimeout: time.Minute}).Serve(l)
}

// answer answers a unary call.
func answer(_ context.Context, r *connect.Request[wrapperspb.StringValue]) (*connect.Response[wrapperspb.StringValue], error) {
	return connect.NewResponse(r.Msg), nil
}

// tick sends what a request of ticks asks for.
func tick(ctx context.Context, text string, send func(*wrapperspb.StringValue) error) error {
	var count int
	var pause string
	if _, err := fmt.Sscan(text, &count, &pause); err != nil {
		return err
	}
	d, err := time.ParseDuration(pause)
	if err != nil {
		return err
	}
	for i := range count {
		if err := send(wrapperspb.String(fmt.Sprint(i))); err != nil {
			return err
		}
		select {
		case <-time.After(d):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// linkDesc is the service for grpc-go.
var linkDesc = grpc.ServiceDesc{
	ServiceName: linkService, HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Echo", Handler: answerGRPC}, {MethodName: "Read", Handler: answerGRPC}},
	Streams: []grpc.StreamDesc{{StreamName: "Ticks", ServerStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
		in := &wrapperspb.StringValue{}
		if err := s.RecvMsg(in); err != nil {
			return err
		}
		return tick(s.Context(), in.GetValue(), func(m *wrapperspb.StringValue) error { return s.SendMsg(m) })
	}}},
}

func answerGRPC(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	in := &wrapperspb.StringValue{}
	return in, decode(in)
}

// linkFiles returns the descriptors of a schema.
func linkFiles(schema string) (*protoregistry.Files, error) {
	method := func(name string) *descriptorpb.MethodDescriptorProto {
		return &descriptorpb.MethodDescriptorProto{
			Name: &name, InputType: new(".google.protobuf.StringValue"), OutputType: new(".google.protobuf.StringValue"),
			ServerStreaming: new(name == "Ticks"), Options: &descriptorpb.MethodOptions{},
		}
	}
	methods := []*descriptorpb.MethodDescriptorProto{method("Echo"), method("Read"), method("Ticks")}
	switch schema {
	case readable:
		methods[1].Options.IdempotencyLevel = descriptorpb.MethodOptions_NO_SIDE_EFFECTS.Enum()
	case plain:
	default:
		return nil, errors.New("the schema " + schema + " is not one of readable and plain")
	}
	f, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: new("fleet.proto"), Package: new("fleet.v1"), Syntax: new("proto3"), Dependency: []string{"google/protobuf/wrappers.proto"},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: new("LinkService"), Method: methods}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		return nil, err
	}
	files := new(protoregistry.Files)
	return files, files.RegisterFile(f)
}

// upstreamURL returns the URL of an upstream as a gateway file has it.
func upstreamURL(kind, address string) string {
	return map[string]string{grpcGo: "grpc://", connectGo: "h2c://"}[kind] + address
}

// isReady reports whether an answer of /readyz says that the gateway is ready.
func isReady(status int, text string) bool {
	return status == http.StatusOK && strings.Contains(text, ": ready")
}
