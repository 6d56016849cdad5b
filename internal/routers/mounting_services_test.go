package routers

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing/synctest"

	connectv1 "connectrpc.com/connect"
	"connectrpc.com/connect/v2"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// service is the kind of handler that the layer is mounted with. Each has a unary procedure and a
// server stream of two messages, and sends the header X-Meta.
type service uint8

const (
	plain     service = iota // a handler of net/http
	connectV1                // connect-go v1
	connectV2                // connect-go v2
)

// watchPath is the path of the server stream. A plain handler serves the stream at the same path as
// the unary procedure.
const watchPath = "/acme.v1.Shop/Watch"

// watched returns the path of the service's stream.
func (s service) watched() string {
	if s == plain {
		return path
	}
	return watchPath
}

// handler returns the service's handler, nil for connect-go v2, which has a server.
func (s service) handler() http.Handler {
	switch s {
	case plain:
		return http.HandlerFunc(servePlain)
	case connectV1:
		mux := http.NewServeMux()
		mux.Handle(path, connectv1.NewUnaryHandler(path, buyV1))
		mux.Handle(watchPath, connectv1.NewServerStreamHandler(watchPath, watchV1))
		return mux
	}
	return nil
}

// calls records what the handler of a request did.
type calls struct {
	ran      bool
	arrived  func() bool   // reports whether the page has read the stream's first message
	turn     chan struct{} // has an item while a goroutine is in wait
	streamed bool          // arrived when the handler had sent the first message
}

type callsKey struct{}

// ranHandler records that the handler ran, and returns the record.
func ranHandler(r *http.Request) *calls { return ranIn(r.Context()) }

func ranIn(ctx context.Context) *calls {
	c, _ := ctx.Value(callsKey{}).(*calls)
	if c == nil {
		return &calls{}
	}
	c.ran = true
	return c
}

// sentFirst records whether the page has read the first message, once every other goroutine of the
// test waits.
func (c *calls) sentFirst() {
	c.wait()
	c.streamed = c.arrived()
}

// wait waits until every other goroutine of the test waits. The page and the handler may both call it,
// and only one goroutine may be in synctest.Wait.
func (c *calls) wait() {
	c.turn <- struct{}{}
	synctest.Wait()
	<-c.turn
}

// The request headers that make a plain handler panic, and wait until its context ends.
const (
	panics = "X-Panic"
	waits  = "X-Wait"
)

// servePlain is the plain handler.
func servePlain(w http.ResponseWriter, r *http.Request) {
	c := ranHandler(r)
	if r.Header.Get(panics) != "" {
		panic("on purpose")
	}
	if r.Header.Get(waits) != "" {
		<-r.Context().Done()
		return
	}
	w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
	w.Header().Set("X-Meta", "m")
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/connect+") {
		_, _ = io.WriteString(struct{ io.Writer }{w}, "{}")
		return
	}
	flusher, ok := w.(http.Flusher)
	if !ok {
		http.Error(w, fmt.Sprintf("%T does not implement http.Flusher", w), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write([]byte("first\n"))
	flusher.Flush()
	c.sentFirst()
	_, _ = w.Write([]byte("second\n"))
}

func buyV1(ctx context.Context, _ *connectv1.Request[emptypb.Empty]) (*connectv1.Response[emptypb.Empty], error) {
	ranIn(ctx)
	response := connectv1.NewResponse(&emptypb.Empty{})
	response.Header().Set("X-Meta", "m")
	return response, nil
}

func watchV1(ctx context.Context, _ *connectv1.Request[emptypb.Empty], stream *connectv1.ServerStream[wrapperspb.StringValue]) error {
	c := ranIn(ctx)
	stream.ResponseHeader().Set("X-Meta", "m")
	if err := stream.Send(wrapperspb.String("first")); err != nil {
		return err
	}
	c.sentFirst()
	return stream.Send(wrapperspb.String("second"))
}

func buyV2(ctx context.Context, _ connect.Spec, stream connect.ServerStream) error {
	ranIn(ctx)
	if err := stream.Receive(&emptypb.Empty{}); err != nil {
		return err
	}
	setMeta(ctx)
	return stream.Send(&emptypb.Empty{})
}

func watchV2(ctx context.Context, _ connect.Spec, stream connect.ServerStream) error {
	c := ranIn(ctx)
	if err := stream.Receive(&emptypb.Empty{}); err != nil {
		return err
	}
	setMeta(ctx)
	if err := stream.Send(wrapperspb.String("first")); err != nil {
		return err
	}
	c.sentFirst()
	return stream.Send(wrapperspb.String("second"))
}

func setMeta(ctx context.Context) {
	if info, ok := connect.CallInfoForServerContext(ctx); ok {
		info.ResponseHeader().Set("X-Meta", "m")
	}
}
