//go:build fleet

package e2e

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	showcasev1 "github.com/corsrpc/corsrpc-go/examples/showcase/gen/showcase/v1"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// trailersOnly is a service that answers with an error in the header of the response, which has no body: HTTP/2 calls that
// Trailers-Only.
type trailersOnly struct {
	showcasev1.UnimplementedShowcaseServiceServer
}

func (trailersOnly) Fail(ctx context.Context, r *showcasev1.FailRequest) (*showcasev1.FailResponse, error) {
	return nil, trailersOnlyError(r.GetReason(), func(m metadata.MD) error { return grpc.SetTrailer(ctx, m) })
}

func (trailersOnly) FailStream(r *showcasev1.FailStreamRequest, s grpc.ServerStreamingServer[showcasev1.FailStreamResponse]) error {
	return trailersOnlyError(r.GetReason(), func(m metadata.MD) error { s.SetTrailer(m); return nil })
}

func trailersOnlyError(reason string, set func(metadata.MD) error) error {
	st, err := status.New(codes.FailedPrecondition, reason).WithDetails(&showcasev1.FailDetail{Hint: "hint"})
	if err := errors.Join(err, set(metadata.Pairs("x-showcase-error", "meta", "x-showcase-bin", "\x01\x02\x03"))); err != nil {
		return err
	}
	return st.Err()
}

// TestEnvoyTrailersOnly: a script reads all of an error that the server sends in the header of the response, metadata included,
// but for what connect_grpc_bridge does not translate: details, and the escapes of the message.
func TestEnvoyTrailersOnly(t *testing.T) {
	const (
		message  = "100 % ünzulässig"
		escaped  = "100 %25 %C3%BCnzul%C3%A4ssig"
		details  = `{"hint":"hint"}`
		fields   = "bin: AQID, error: meta"
		code     = "FailedPrecondition"
		unary    = "Fail"
		streamed = "FailStream"
	)
	inGatewayEngines(t, func(t *testing.T, page *browser.Page) {
		server := envoyServers[2]
		server.upstream = func(t *testing.T) string {
			t.Helper()
			s := grpc.NewServer()
			showcasev1.RegisterShowcaseServiceServer(s, trailersOnly{})
			return serveWith(t, s)
		}
		to := server.behindEnvoy(t, page.Origin, `defaults: {allow_origins: [ORIGIN]}`)
		for _, method := range []string{unary, streamed} {
			overBridge := seen{code: code, message: escaped, metadata: fields}
			if method == streamed {
				overBridge.headers = fields // of the stream; the error follows in the body
			}
			for _, c := range []struct {
				transport   string
				otherFormat bool
				want        seen
			}{
				{overConnect, true, overBridge},
				{overGRPCWeb, false, seen{code: code, message: message, details: details, metadata: fields}},
				{withGRPCWebJS, false, seen{code: code, message: message, details: details, metadata: fields, headers: fields, trailers: fields}},
				{withGRPCWebJS, true, seen{code: code, message: message, details: details, metadata: fields, headers: fields, trailers: fields}},
				{withProtobufTS, false, seen{code: code, message: escaped, details: details, metadata: fields, headers: fields}},
				{withProtobufTS, true, seen{code: code, message: escaped, details: details, metadata: fields, headers: fields}},
				{withNiceGRPCWeb, false, seen{code: code, message: message, details: details, trailers: fields}},
			} {
				t.Run(fmt.Sprintf("%s over %s, other format %t", method, c.transport, c.otherFormat), func(t *testing.T) {
					requests := messages(`{"reason":"` + message + `"}`)
					reading := runCalls(t, page, to, call{Transport: c.transport, OtherFormat: c.otherFormat, Method: method, Requests: requests})[0]
					reading.seen().compare(t, c.want)
				})
			}
		}
	})
}
