package e2e

import (
	"context"
	"net/http"
	"slices"
	"testing"

	connectrpc "connectrpc.com/connect"
	"google.golang.org/grpc"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsgrpc"
	showcasev1 "github.com/corsrpc/corsrpc-go/examples/showcase/gen/showcase/v1"
	"github.com/corsrpc/corsrpc-go/examples/showcase/gen/showcase/v1/showcasev1connect"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// holding is a service whose stream sends its second message on request, and which reports when the client disconnects.
type holding struct {
	release chan struct{}
	gone    chan struct{}
}

func newHolding() *holding {
	return &holding{release: make(chan struct{}), gone: make(chan struct{})}
}

func (h *holding) count(ctx context.Context, send func(*showcasev1.CountResponse) error) error {
	if err := send(&showcasev1.CountResponse{Number: 1}); err != nil {
		return err
	}
	select {
	case <-h.release:
	case <-ctx.Done():
		close(h.gone)
		return ctx.Err()
	}
	return send(&showcasev1.CountResponse{Number: 2})
}

// handler serves the stream with connect-go or grpc-go, and a plain HTTP path that makes it continue.
func (h *holding) handler(name string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /release", func(http.ResponseWriter, *http.Request) { close(h.release) })
	if name == "grpc-go" {
		server := grpc.NewServer()
		showcasev1.RegisterShowcaseServiceServer(server, holdingGRPC{holding: h})
		mux.Handle("/", corsgrpc.Text(corsgrpc.Handler(server)))
		return mux
	}
	path, handler := showcasev1connect.NewShowcaseServiceHandler(holdingConnect{holding: h})
	mux.Handle(path, corsgrpc.Text(handler))
	return mux
}

type holdingConnect struct {
	showcasev1connect.UnimplementedShowcaseServiceHandler
	holding *holding
}

func (h holdingConnect) Count(ctx context.Context, _ *connectrpc.Request[showcasev1.CountRequest], s *connectrpc.ServerStream[showcasev1.CountResponse]) error {
	return h.holding.count(ctx, s.Send)
}

type holdingGRPC struct {
	showcasev1.UnimplementedShowcaseServiceServer
	holding *holding
}

func (h holdingGRPC) Count(_ *showcasev1.CountRequest, s grpc.ServerStreamingServer[showcasev1.CountResponse]) error {
	return h.holding.count(s.Context(), s.Send)
}

// streamed lists the transports that read a stream message by message. The grpc-web client does so only in its text format: it
// reads a binary response at its end.
var streamed = []struct{ server, transport string }{
	{"connect v1", overConnect},
	{"connect v1", overGRPCWeb},
	{"connect v1", withGRPCWebJS},
	{"grpc-go", overGRPCWeb},
	{"grpc-go", withGRPCWebJS},
}

const streamPolicy = `
defaults:
  allow_origins: [ORIGIN]
rules:
  - path: /release
`

// TestFirstMessageOfAStreamIsReadBeforeTheSecondIsSent: the layer and corsgrpc do not buffer messages. Otherwise the test would
// not end.
func TestFirstMessageOfAStreamIsReadBeforeTheSecondIsSent(t *testing.T) {
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		for _, way := range streamed {
			t.Run(way.server+" over "+way.transport, func(t *testing.T) {
				server := serveAPI(t, newLayer(t, page.Origin, streamPolicy).Wrap(newHolding().handler(way.server)))
				var numbers []int
				page.Run(t, `return e2e.readAndRelease(args.url, args.transport, args.url + "/release")`,
					map[string]string{"url": server.URL, "transport": way.transport}, &numbers)
				if !slices.Equal(numbers, []int{1, 2}) {
					t.Errorf("the script read %v, want [1 2]", numbers)
				}
			})
		}
	})
}

// TestCancelledStream: the handler's context ends when the script cancels a stream. Otherwise the test would not end.
func TestCancelledStream(t *testing.T) {
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		for _, way := range streamed {
			t.Run(way.server+" over "+way.transport, func(t *testing.T) {
				h := newHolding()
				server := serveAPI(t, newLayer(t, page.Origin, streamPolicy).Wrap(h.handler(way.server)))
				var first int
				page.Run(t, `return e2e.readAndCancel(args.url, args.transport)`,
					map[string]string{"url": server.URL, "transport": way.transport}, &first)
				if first != 1 {
					t.Errorf("the script read %d, want 1", first)
				}
				<-h.gone
			})
		}
	})
}
