package corsrpc

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"sync/atomic"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/responsewriter"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// writerReports says which problems of response writers a layer has logged. Each is logged once.
type writerReports struct {
	bypassed    atomic.Bool
	cannotFlush atomic.Bool
}

// reportBypassed logs, once for each layer, that a response was written without the layer's writer.
func (l *Layer) reportBypassed(e *effect, below http.ResponseWriter) {
	if l.log == nil || !l.writers.bypassed.CompareAndSwap(false, true) {
		return
	}
	l.log.Write(context.Background(), slog.LevelWarn,
		"corsrpc: a response was written without the layer's writer, so it has no CORS headers and no page of another origin can read it; logged once",
		e.targetAttr(),
		slog.String("writer", typeName(below)),
		slog.String("remedy", "put the layer around the router: layer.Wrap(router). An adapter that makes layer.Wrap a middleware of the router must pass on the writer that it gets"))
}

// reportCannotFlush logs, once for each layer, that a writer outside of the layer cannot flush.
func (l *Layer) reportCannotFlush(e *effect, below http.ResponseWriter, timeout bool) {
	if l.log == nil || !l.writers.cannotFlush.CompareAndSwap(false, true) {
		return
	}
	remedy := "give the ResponseWriter of the middleware outside of layer.Wrap a method Flush, or Unwrap for http.ResponseController"
	if timeout {
		remedy = "put http.TimeoutHandler inside of layer.Wrap, around the handlers of unary calls only: a stream cannot run in it"
	}
	l.log.Write(context.Background(), slog.LevelWarn,
		"corsrpc: a middleware outside of the layer hides http.Flusher, so every stream fails, and with grpc-go every call; logged once",
		e.targetAttr(),
		slog.String("writer", typeName(responsewriter.Innermost(below))), // the one that hides Flush
		slog.String("remedy", remedy))
}

// typeName returns the name of the writer's type, such as *http.timeoutWriter.
func typeName(w http.ResponseWriter) string { return fmt.Sprintf("%T", w) }

// isTimeoutWriter reports whether w, or the writer that it wraps, is that of http.TimeoutHandler.
func isTimeoutWriter(w http.ResponseWriter) bool {
	t := reflect.TypeOf(responsewriter.Innermost(w))
	return t != nil && t.String() == "*http.timeoutWriter"
}

// mayStream reports whether the response to a request may be a stream, by the request's media types.
func mayStream(r *http.Request) bool {
	for _, contentType := range r.Header["Content-Type"] {
		if rpc.MayStream(contentType) {
			return true
		}
	}
	return fetch.Lists(r.Header["Accept"], "text/event-stream") // as EventSource sends it
}
