package service

import (
	"context"
	"errors"
	"io"
	"net/http"

	connectv2 "connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"
	"connectrpc.com/connect/v2/connectproto"

	showcasev1 "github.com/corsrpc/corsrpc-go/examples/showcase/gen/showcase/v1"
	"github.com/corsrpc/corsrpc-go/examples/showcase/gen/showcase/v1/showcasev1connectv2"
)

// NewConnectV2 returns the handler of the service with connect-go v2.
func NewConnectV2() http.Handler {
	server := connectv2.NewServer()
	showcasev1connectv2.RegisterShowcaseServiceHandler(server, connectV2{})
	mux := http.NewServeMux()
	connecthttp.Mount(mux, server, connecthttp.WithHTTPGet())
	return mux
}

type connectV2 struct{}

// describeV2 sets the headers and trailers of every response.
func describeV2(ctx context.Context, method string) *connectv2.CallInfo {
	info, _ := connectv2.CallInfoForServerContext(ctx)
	info.ResponseHeader().Set(headerName, "head-"+method)
	info.ResponseHeader().Set(binaryName, connectv2.EncodeBinaryHeader(binaryValue))
	info.ResponseTrailer().Set(trailerName, "trail-"+method)
	return info
}

// failureV2 returns an error with a detail. Its metadata is in the trailers, since an error
// of connect-go v2 has no metadata of its own.
func failureV2(info *connectv2.CallInfo, method, reason string) error {
	info.ResponseTrailer().Set(errorName, "meta-"+method)
	err := connectv2.NewError(connectv2.CodeFailedPrecondition, reason)
	if detail, e := connectproto.NewErrorDetail(hint()); e == nil {
		return err.WithDetail(detail)
	}
	return err
}

func (connectV2) Greet(ctx context.Context, r *showcasev1.GreetRequest) (*showcasev1.GreetResponse, error) {
	info := describeV2(ctx, "Greet")
	cookies := http.Header{"Cookie": info.RequestHeader().Values("Cookie")}
	return greeting(r, cookies), nil
}

func (connectV2) Lookup(ctx context.Context, r *showcasev1.LookupRequest) (*showcasev1.LookupResponse, error) {
	described := describeV2(ctx, "Lookup")
	if r.GetKey() == "" {
		return nil, failureV2(described, "Lookup", noKey)
	}
	info, _ := connecthttp.ServerInfoForContext(ctx)
	return found(r, info.HTTPMethod()), nil
}

func (connectV2) Count(ctx context.Context, r *showcasev1.CountRequest, s showcasev1connectv2.ShowcaseServiceCountServerStream) error {
	describeV2(ctx, "Count")
	return numbers(r.GetUpTo(), func(i int32) error { return s.Send(&showcasev1.CountResponse{Number: i}) })
}

func (connectV2) Silence(ctx context.Context, _ *showcasev1.SilenceRequest, _ showcasev1connectv2.ShowcaseServiceSilenceServerStream) error {
	describeV2(ctx, "Silence")
	return nil
}

func (connectV2) Fail(ctx context.Context, r *showcasev1.FailRequest) (*showcasev1.FailResponse, error) {
	return nil, failureV2(describeV2(ctx, "Fail"), "Fail", r.GetReason())
}

func (connectV2) FailStream(ctx context.Context, r *showcasev1.FailStreamRequest, s showcasev1connectv2.ShowcaseServiceFailStreamServerStream) error {
	info := describeV2(ctx, "FailStream")
	err := numbers(r.GetAfter(), func(i int32) error { return s.Send(&showcasev1.FailStreamResponse{Number: i}) })
	if err != nil {
		return err
	}
	return failureV2(info, "FailStream", r.GetReason())
}

func (connectV2) Collect(ctx context.Context, s showcasev1connectv2.ShowcaseServiceCollectServerStream) (*showcasev1.CollectResponse, error) {
	describeV2(ctx, "Collect")
	var sum int32
	for {
		r, err := s.Receive()
		if errors.Is(err, io.EOF) {
			return &showcasev1.CollectResponse{Sum: sum}, nil
		}
		if err != nil {
			return nil, err
		}
		sum += r.GetNumber()
	}
}

func (connectV2) Chat(ctx context.Context, s showcasev1connectv2.ShowcaseServiceChatServerStream) error {
	describeV2(ctx, "Chat")
	for {
		r, err := s.Receive()
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
