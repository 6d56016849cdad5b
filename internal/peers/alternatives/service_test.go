package alternatives

import (
	"context"
	"errors"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// The procedures of the service, of which Get has no side effects, and Watch is a stream.
const (
	get   = "/acme.v1.Shop/Get"
	buy   = "/acme.v1.Shop/Buy"
	watch = "/acme.v1.Shop/Watch"
)

// fail is the request that the service answers with an error.
const fail = "fail"

// The names of the metadata of the service.
const (
	inHeader  = "X-Shop-Header"
	inTrailer = "X-Shop-Trailer"
	inError   = "X-Shop-Error"
)

type text = wrapperspb.StringValue

// newConnect returns the service by connect-go.
func newConnect() http.Handler {
	failure := func() error {
		err := connect.NewError(connect.CodeFailedPrecondition, errors.New("on purpose"))
		err.Meta().Set(inError, "1")
		return err
	}
	unary := func(_ context.Context, r *connect.Request[text]) (*connect.Response[text], error) {
		if r.Msg.GetValue() == fail {
			return nil, failure()
		}
		response := connect.NewResponse(wrapperspb.String("yes"))
		response.Header().Set(inHeader, "1")
		response.Trailer().Set(inTrailer, "1")
		return response, nil
	}
	mux := http.NewServeMux()
	mux.Handle(get, connect.NewUnaryHandler(get, unary, connect.WithIdempotency(connect.IdempotencyNoSideEffects)))
	mux.Handle(buy, connect.NewUnaryHandler(buy, unary))
	mux.Handle(watch, connect.NewServerStreamHandler(watch, func(_ context.Context, r *connect.Request[text], stream *connect.ServerStream[text]) error {
		stream.ResponseHeader().Set(inHeader, "1")
		if err := stream.Send(wrapperspb.String("yes")); err != nil {
			return err
		}
		if r.Msg.GetValue() == fail {
			return failure()
		}
		stream.ResponseTrailer().Set(inTrailer, "1")
		return nil
	}))
	return mux
}

// newGRPC returns the service by grpc-go.
func newGRPC() *grpc.Server {
	failure := status.Error(codes.FailedPrecondition, "on purpose")
	unary := func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		request := &text{}
		if err := decode(request); err != nil {
			return nil, err
		}
		if request.GetValue() == fail {
			_ = grpc.SetTrailer(ctx, metadata.Pairs(inError, "1"))
			return nil, failure
		}
		_ = grpc.SetHeader(ctx, metadata.Pairs(inHeader, "1"))
		_ = grpc.SetTrailer(ctx, metadata.Pairs(inTrailer, "1"))
		return wrapperspb.String("yes"), nil
	}
	server := grpc.NewServer()
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "acme.v1.Shop",
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Get", Handler: unary}, {MethodName: "Buy", Handler: unary}},
		Streams: []grpc.StreamDesc{{StreamName: "Watch", ServerStreams: true, Handler: func(_ any, stream grpc.ServerStream) error {
			request := &text{}
			if err := stream.RecvMsg(request); err != nil {
				return err
			}
			_ = stream.SetHeader(metadata.Pairs(inHeader, "1"))
			if err := stream.SendMsg(wrapperspb.String("yes")); err != nil {
				return err
			}
			if request.GetValue() == fail {
				stream.SetTrailer(metadata.Pairs(inError, "1"))
				return failure
			}
			stream.SetTrailer(metadata.Pairs(inTrailer, "1"))
			return nil
		}}},
	}, nil)
	return server
}

// schema returns the schema of the service.
func schema() *protoregistry.Files {
	method := func(name string, stream bool, level descriptorpb.MethodOptions_IdempotencyLevel) *descriptorpb.MethodDescriptorProto {
		const message = ".google.protobuf.StringValue"
		return &descriptorpb.MethodDescriptorProto{
			Name: &name, InputType: proto.String(message), OutputType: proto.String(message), ServerStreaming: &stream,
			Options: &descriptorpb.MethodOptions{IdempotencyLevel: &level},
		}
	}
	const unknown, noSideEffects = descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN, descriptorpb.MethodOptions_NO_SIDE_EFFECTS
	files, err := protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{
		protodesc.ToFileDescriptorProto(wrapperspb.File_google_protobuf_wrappers_proto),
		{
			Name: proto.String("shop.proto"), Syntax: proto.String("proto3"), Package: proto.String("acme.v1"),
			Dependency: []string{wrapperspb.File_google_protobuf_wrappers_proto.Path()},
			Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("Shop"), Method: []*descriptorpb.MethodDescriptorProto{
				method("Get", false, noSideEffects), method("Buy", false, unknown), method("Watch", true, unknown),
			}}},
		},
	}})
	if err != nil {
		panic(err)
	}
	return files
}
