package service

import (
	"context"
	"errors"
	"io"
	"net/http"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	showcasev1 "github.com/corsrpc/corsrpc-go/examples/showcase/gen/showcase/v1"
)

// NewGRPC returns a grpc-go server of the service. It is also an http.Handler.
func NewGRPC() *grpc.Server {
	server := grpc.NewServer()
	showcasev1.RegisterShowcaseServiceServer(server, grpcService{})
	return server
}

type grpcService struct {
	showcasev1.UnimplementedShowcaseServiceServer
}

// describeGRPC sets the headers and trailers of every response.
func describeGRPC(ctx context.Context, method string) error {
	return errors.Join(
		grpc.SetHeader(ctx, metadata.Pairs(headerName, "head-"+method, binaryName, string(binaryValue))),
		grpc.SetTrailer(ctx, metadata.Pairs(trailerName, "trail-"+method)),
	)
}

// failureGRPC returns an error with a detail. Its metadata is in the trailers.
func failureGRPC(ctx context.Context, method, reason string) error {
	if err := grpc.SetTrailer(ctx, metadata.Pairs(errorName, "meta-"+method)); err != nil {
		return err
	}
	st, err := status.New(codes.FailedPrecondition, reason).WithDetails(hint())
	if err != nil {
		return err
	}
	return st.Err()
}

func (grpcService) Greet(ctx context.Context, r *showcasev1.GreetRequest) (*showcasev1.GreetResponse, error) {
	requestMetadata, _ := metadata.FromIncomingContext(ctx)
	return greeting(r, http.Header{"Cookie": requestMetadata.Get("cookie")}), describeGRPC(ctx, "Greet")
}

func (grpcService) Lookup(ctx context.Context, r *showcasev1.LookupRequest) (*showcasev1.LookupResponse, error) {
	if err := describeGRPC(ctx, "Lookup"); err != nil {
		return nil, err
	}
	if r.GetKey() == "" {
		return nil, failureGRPC(ctx, "Lookup", noKey)
	}
	return found(r, http.MethodPost), nil // gRPC requests are always POST
}

func (grpcService) Count(r *showcasev1.CountRequest, s grpc.ServerStreamingServer[showcasev1.CountResponse]) error {
	if err := describeGRPC(s.Context(), "Count"); err != nil {
		return err
	}
	return numbers(r.GetUpTo(), func(i int32) error { return s.Send(&showcasev1.CountResponse{Number: i}) })
}

func (grpcService) Silence(_ *showcasev1.SilenceRequest, s grpc.ServerStreamingServer[showcasev1.SilenceResponse]) error {
	return describeGRPC(s.Context(), "Silence")
}

func (grpcService) Fail(ctx context.Context, r *showcasev1.FailRequest) (*showcasev1.FailResponse, error) {
	if err := describeGRPC(ctx, "Fail"); err != nil {
		return nil, err
	}
	return nil, failureGRPC(ctx, "Fail", r.GetReason())
}

func (grpcService) FailStream(r *showcasev1.FailStreamRequest, s grpc.ServerStreamingServer[showcasev1.FailStreamResponse]) error {
	if err := describeGRPC(s.Context(), "FailStream"); err != nil {
		return err
	}
	err := numbers(r.GetAfter(), func(i int32) error { return s.Send(&showcasev1.FailStreamResponse{Number: i}) })
	if err != nil {
		return err
	}
	return failureGRPC(s.Context(), "FailStream", r.GetReason())
}

func (grpcService) Collect(s grpc.ClientStreamingServer[showcasev1.CollectRequest, showcasev1.CollectResponse]) error {
	var sum int32
	for {
		r, err := s.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		sum += r.GetNumber()
	}
	if err := describeGRPC(s.Context(), "Collect"); err != nil {
		return err
	}
	return s.SendAndClose(&showcasev1.CollectResponse{Sum: sum})
}

func (grpcService) Chat(s grpc.BidiStreamingServer[showcasev1.ChatRequest, showcasev1.ChatResponse]) error {
	if err := describeGRPC(s.Context(), "Chat"); err != nil {
		return err
	}
	for {
		r, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.Send(&showcasev1.ChatResponse{Text: "You said: " + r.GetText()}); err != nil {
			return err
		}
	}
}
