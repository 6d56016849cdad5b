package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"testing"

	"connectrpc.com/connect"
	connectv2 "connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsgrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corstest"
	showcasev1 "github.com/corsrpc/corsrpc-go/examples/showcase/gen/showcase/v1"
	"github.com/corsrpc/corsrpc-go/examples/showcase/gen/showcase/v1/showcasev1connect"
	"github.com/corsrpc/corsrpc-go/examples/showcase/gen/showcase/v1/showcasev1connectv2"
	"github.com/corsrpc/corsrpc-go/examples/showcase/service"
)

const (
	api     = "http://localhost:8080"
	allowed = "http://localhost:8081"
	refused = "http://localhost:8082"
)

// servers returns the service with each library, wrapped by the layer.
func servers(t *testing.T) map[string]http.Handler {
	t.Helper()
	layer, err := corsrpc.Load("cors.yaml", corsrpc.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(service.NewConnectV1())
	return map[string]http.Handler{
		"connect-go v1": layer.Wrap(mux),
		"connect-go v2": layer.Wrap(service.NewConnectV2()),
		"grpc-go":       layer.Wrap(corsgrpc.Handler(service.NewGRPC())),
	}
}

// whoMayCall checks that only the allowed page may make the call, with and without
// cookies.
func whoMayCall(t *testing.T, server http.Handler, call corsbrowser.Call) {
	t.Helper()
	corstest.Run(t, []corstest.Case{
		{From: allowed, Call: call},
		{Name: "with cookies", From: allowed, Credentials: corsbrowser.Include, Call: call},
		{From: refused, Call: call, Blocked: corstest.AnyCheck, NotSent: true},
	}, corsbrowser.WithHandler(server))
}

// TestConnectV1Client: in a browser, a client of connect-go v1 reads messages, metadata,
// trailers, and the details and metadata of errors.
func TestConnectV1Client(t *testing.T) {
	for name, server := range servers(t) {
		call := func(ctx context.Context, page *http.Client) error {
			client := showcasev1connect.NewShowcaseServiceClient(page, api, connect.WithGRPCWeb())
			response, err := client.Greet(ctx, connect.NewRequest(&showcasev1.GreetRequest{Name: "v1"}))
			if err != nil {
				return err
			}
			got := response.Msg.GetGreeting() + " " + response.Header().Get("X-Showcase-Header") + " " + response.Trailer().Get("X-Showcase-Trailer")
			if got != "Hello, v1! head-Greet trail-Greet" {
				return errors.New(got)
			}
			stream, err := client.Count(ctx, connect.NewRequest(&showcasev1.CountRequest{UpTo: 3}))
			if err != nil {
				return err
			}
			var numbers []int32
			for stream.Receive() {
				numbers = append(numbers, stream.Msg().GetNumber())
			}
			if err := errors.Join(stream.Err(), stream.Close()); err != nil {
				return err
			}
			if !slices.Equal(numbers, []int32{1, 2, 3}) || stream.ResponseTrailer().Get("X-Showcase-Trailer") != "trail-Count" {
				return fmt.Errorf("the stream has the messages %v and the trailers %v", numbers, stream.ResponseTrailer())
			}
			_, err = client.Fail(ctx, connect.NewRequest(&showcasev1.FailRequest{Reason: "on purpose"}))
			var e *connect.Error
			if !errors.As(err, &e) || e.Code() != connect.CodeFailedPrecondition || len(e.Details()) != 1 || e.Meta().Get("X-Showcase-Error") != "meta-Fail" {
				return fmt.Errorf("the error is %v: %w", e, err)
			}
			return nil
		}
		t.Run(name, func(t *testing.T) { whoMayCall(t, server, call) })
	}
}

// TestConnectV2Client: in a browser, a client of connect-go v2 reads messages, metadata
// and trailers.
func TestConnectV2Client(t *testing.T) {
	server := servers(t)["connect-go v2"]
	call := func(ctx context.Context, page *http.Client) error {
		client := showcasev1connectv2.NewShowcaseServiceClient(connectv2.NewClient(connecthttp.NewTransport(page, api)))
		ctx, info := connectv2.NewClientContext(ctx)
		response, err := client.Greet(ctx, &showcasev1.GreetRequest{Name: "v2"})
		if err != nil {
			return err
		}
		got := response.GetGreeting() + " " + info.ResponseHeader().Get("X-Showcase-Header") + " " + info.ResponseTrailer().Get("X-Showcase-Trailer")
		if got != "Hello, v2! head-Greet trail-Greet" {
			return errors.New(got)
		}
		return nil
	}
	whoMayCall(t, server, call)
}

// TestPlainHTTP: fetch without an RPC client can read the headers of the service.
func TestPlainHTTP(t *testing.T) {
	const procedure = api + "/showcase.v1.ShowcaseService/"
	corstest.Run(t, []corstest.Case{
		{From: allowed, Call: corsbrowser.Connect(procedure + "Greet"), Readable: []string{"X-Showcase-Header", "Trailer-X-Showcase-Trailer"}, Hidden: []string{"Accept-Encoding"}},
		{From: allowed, Call: corsbrowser.ConnectGet(procedure + "Lookup"), Readable: []string{"X-Showcase-Error"}},
		{From: allowed, Call: corsbrowser.Fetch(http.MethodDelete, procedure+"Greet"), Blocked: corsbrowser.CheckMethods, NotSent: true},
		{From: refused, Call: corsbrowser.ConnectGet(procedure + "Lookup"), Blocked: corsbrowser.CheckOriginMissing},
	}, corsbrowser.WithHandler(servers(t)["connect-go v1"]))
}
