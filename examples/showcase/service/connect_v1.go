package service

import (
	"context"
	"errors"
	"io"
	"net/http"

	"connectrpc.com/connect"

	showcasev1 "github.com/corsrpc/corsrpc-go/examples/showcase/gen/showcase/v1"
	"github.com/corsrpc/corsrpc-go/examples/showcase/gen/showcase/v1/showcasev1connect"
)

// NewConnectV1 returns the path and the handler of the service with connect-go v1.
func NewConnectV1() (string, http.Handler) {
	return showcasev1connect.NewShowcaseServiceHandler(connectV1{})
}

type connectV1 struct{}

// describe sets the headers and trailers of every response.
func describe(header, trailer http.Header, method string) {
	header.Set(headerName, "head-"+method)
	header.Set(binaryName, connect.EncodeBinaryHeader(binaryValue))
	trailer.Set(trailerName, "trail-"+method)
}

// failure returns an error with a detail and metadata.
func failure(method, reason string) error {
	err := connect.NewError(connect.CodeFailedPrecondition, errors.New(reason))
	if detail, e := connect.NewErrorDetail(hint()); e == nil {
		err.AddDetail(detail)
	}
	err.Meta().Set(errorName, "meta-"+method)
	return err
}

func (connectV1) Greet(_ context.Context, r *connect.Request[showcasev1.GreetRequest]) (*connect.Response[showcasev1.GreetResponse], error) {
	res := connect.NewResponse(greeting(r.Msg, r.Header()))
	describe(res.Header(), res.Trailer(), "Greet")
	return res, nil
}

func (connectV1) Lookup(_ context.Context, r *connect.Request[showcasev1.LookupRequest]) (*connect.Response[showcasev1.LookupResponse], error) {
	if r.Msg.GetKey() == "" {
		return nil, failure("Lookup", noKey)
	}
	res := connect.NewResponse(found(r.Msg, r.HTTPMethod()))
	describe(res.Header(), res.Trailer(), "Lookup")
	return res, nil
}

func (connectV1) Count(_ context.Context, r *connect.Request[showcasev1.CountRequest], s *connect.ServerStream[showcasev1.CountResponse]) error {
	describe(s.ResponseHeader(), s.ResponseTrailer(), "Count")
	return numbers(r.Msg.GetUpTo(), func(i int32) error { return s.Send(&showcasev1.CountResponse{Number: i}) })
}

func (connectV1) Silence(_ context.Context, _ *connect.Request[showcasev1.SilenceRequest], s *connect.ServerStream[showcasev1.SilenceResponse]) error {
	describe(s.ResponseHeader(), s.ResponseTrailer(), "Silence")
	return nil
}

func (connectV1) Fail(_ context.Context, r *connect.Request[showcasev1.FailRequest]) (*connect.Response[showcasev1.FailResponse], error) {
	return nil, failure("Fail", r.Msg.GetReason())
}

func (connectV1) FailStream(_ context.Context, r *connect.Request[showcasev1.FailStreamRequest], s *connect.ServerStream[showcasev1.FailStreamResponse]) error {
	describe(s.ResponseHeader(), s.ResponseTrailer(), "FailStream")
	err := numbers(r.Msg.GetAfter(), func(i int32) error { return s.Send(&showcasev1.FailStreamResponse{Number: i}) })
	if err != nil {
		return err
	}
	return failure("FailStream", r.Msg.GetReason())
}

func (connectV1) Collect(_ context.Context, s *connect.ClientStream[showcasev1.CollectRequest]) (*connect.Response[showcasev1.CollectResponse], error) {
	var sum int32
	for s.Receive() {
		sum += s.Msg().GetNumber()
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	res := connect.NewResponse(&showcasev1.CollectResponse{Sum: sum})
	describe(res.Header(), res.Trailer(), "Collect")
	return res, nil
}

func (connectV1) Chat(_ context.Context, s *connect.BidiStream[showcasev1.ChatRequest, showcasev1.ChatResponse]) error {
	describe(s.ResponseHeader(), s.ResponseTrailer(), "Chat")
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
