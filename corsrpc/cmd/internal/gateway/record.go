package gateway

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// record is what is known about a request at its end, for the access log and the metrics.
type record struct {
	start       time.Time
	client      string // the address of the client
	host        string // that the browser used
	virtualHost string
	upstream    string
	// decision is that of the layer; the zero Decision if the layer did not decide.
	decision corsrpc.Decision
	// status is that of the response; 0 if there was none. sent is the number of bytes of its body, and
	// received that of the request's body. An upgraded connection is not counted.
	status         int
	sent           int64
	received       atomic.Int64 // a transport may read the body after the handler has returned
	upgraded, died bool
}

type recordKey struct{}

// recordOf returns the record of a request; nil if there is none.
func recordOf(ctx context.Context) *record {
	r, _ := ctx.Value(recordKey{}).(*record)
	return r
}

// recordDecision is the observer that keeps the decision on each request in its record.
type recordDecision struct{}

// Enabled reports whether the observer receives a kind of events.
func (recordDecision) Enabled(kind corsrpc.EventKind) bool { return kind == corsrpc.EventDecision }

// Observe keeps the decision.
func (recordDecision) Observe(ctx context.Context, e corsrpc.Event) {
	if r := recordOf(ctx); r != nil {
		r.decision = e.Decision
	}
}

// recorder is the ResponseWriter that completes the record of one request.
type recorder struct {
	http.ResponseWriter
	record   *record
	draining *atomic.Bool // while it is set, the connection is closed after each response
}

// WriteHeader notes the status. Informational responses are not the answer.
func (w *recorder) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		w.commit(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

// commit notes the status of the response, once.
func (w *recorder) commit(status int) {
	if w.record.status != 0 {
		return
	}
	w.record.status = status
	if w.draining.Load() && status != http.StatusSwitchingProtocols {
		w.Header().Set("Connection", "close") // over HTTP/2, net/http sends GOAWAY instead
	}
}

// Write counts the bytes.
func (w *recorder) Write(p []byte) (int, error) {
	w.commit(http.StatusOK)
	n, err := w.ResponseWriter.Write(p)
	w.record.sent += int64(n)
	return n, err
}

// Flush sends what was written so far.
func (w *recorder) Flush() { _ = w.FlushError() }

// FlushError sends what was written so far.
func (w *recorder) FlushError() error {
	w.commit(http.StatusOK)
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack takes over the connection, after which the request is an upgrade.
func (w *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.record.upgraded = true
		w.commit(http.StatusSwitchingProtocols)
	}
	return conn, buffered, err
}

// Unwrap returns the writer below, for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// countedBody counts the bytes of a request's body.
type countedBody struct {
	io.ReadCloser
	record *record
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.record.received.Add(int64(n))
	return n, err
}
