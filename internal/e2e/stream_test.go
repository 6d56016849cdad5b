package e2e

import (
	"context"
	"net/http"
	"slices"
	"testing"

	connectrpc "connectrpc.com/connect"

	showcasev1 "github.com/corsrpc/corsrpc-go/examples/showcase/gen/showcase/v1"
	"github.com/corsrpc/corsrpc-go/examples/showcase/gen/showcase/v1/showcasev1connect"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// holdingServer sends the second message of a stream when it is told to.
type holdingServer struct {
	showcasev1connect.UnimplementedShowcaseServiceHandler
	release chan struct{}
}

func (s holdingServer) Count(ctx context.Context, _ *connectrpc.Request[showcasev1.CountRequest], stream *connectrpc.ServerStream[showcasev1.CountResponse]) error {
	if err := stream.Send(&showcasev1.CountResponse{Number: 1}); err != nil {
		return err
	}
	select {
	case <-s.release:
	case <-ctx.Done():
		return ctx.Err()
	}
	return stream.Send(&showcasev1.CountResponse{Number: 2})
}

// TestFirstMessageOfAStreamIsReadBeforeTheSecondIsSent would not end if the layer held a byte back.
func TestFirstMessageOfAStreamIsReadBeforeTheSecondIsSent(t *testing.T) {
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		for _, transport := range []string{overConnect, overGRPCWeb} {
			t.Run(transport, func(t *testing.T) {
				holding := holdingServer{release: make(chan struct{})}
				mux := http.NewServeMux()
				mux.Handle(showcasev1connect.NewShowcaseServiceHandler(holding))
				mux.HandleFunc("POST /release", func(http.ResponseWriter, *http.Request) { close(holding.release) })
				server := serveAPI(t, newLayer(t, page.Origin, `
defaults:
  allow_origins: [ORIGIN]
rules:
  - path: /release
`).Wrap(mux))
				var numbers []int
				page.Run(t, `return e2e.readAndRelease(args.url, args.transport, args.url + "/release")`,
					map[string]string{"url": server.URL, "transport": transport}, &numbers)
				if !slices.Equal(numbers, []int{1, 2}) {
					t.Errorf("the script read %v, want [1 2]", numbers)
				}
			})
		}
	})
}
