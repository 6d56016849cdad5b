package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// exchange is the response to a request with a body. It knows how much of the body has come, which the handlers in
// front of the upstream may read ahead.
type exchange struct {
	http.ResponseWriter
	http1   bool
	duplex  bool // whether the response may come before the end of the request
	body    io.ReadCloser
	mu      sync.Mutex  // held while the body is read
	reading atomic.Bool // whether the client is waited for
	ended   atomic.Bool // whether the whole body has been read
	begun   atomic.Bool // whether the response has begun
	late    atomic.Bool // whether cut has ended the body
}

type exchangeKey struct{}

// exchangeOf returns the exchange of a request; nil if the request has no body.
func exchangeOf(ctx context.Context) *exchange {
	e, _ := ctx.Value(exchangeKey{}).(*exchange)
	return e
}

// serveExchange calls a handler, within an exchange if the request has a body.
func serveExchange(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if r.Body == nil || r.Body == http.NoBody {
		next.ServeHTTP(w, r)
		return
	}
	e := &exchange{ResponseWriter: w, http1: r.ProtoMajor == 1, body: r.Body}
	r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, e))
	r.Body = exchangeBody{e}
	next.ServeHTTP(e, r)
	e.end()
}

// stream lets both directions stream: an upstream may answer while the client sends.
func (e *exchange) stream() {
	if e != nil && e.http1 {
		e.duplex = http.NewResponseController(e.ResponseWriter).EnableFullDuplex() == nil
	}
}

// waiting reports whether the client is waited for, before the response has begun.
func (e *exchange) waiting() bool { return e != nil && e.reading.Load() && !e.begun.Load() }

// cut ends a body that the client has not sent in time: no context ends a Read of net/http's bodies, and so a
// client could hold a call open forever.
func (e *exchange) cut() {
	if e != nil && !e.ended.Load() {
		e.late.Store(true)
		_ = http.NewResponseController(e.ResponseWriter).SetReadDeadline(time.Now())
	}
}

// begin notes that the response begins. After a response that comes before the end of an HTTP/1.1 request, the
// connection has to be closed: net/http would lose the next request on it (golang.org/issue/68560).
func (e *exchange) begin() {
	if e.begun.CompareAndSwap(false, true) && e.duplex && !e.ended.Load() {
		e.Header().Set("Connection", "close")
	}
}

// restTimeout is how long a client may go on to send a request over HTTP/1.1 that has been answered. Many clients
// read the answer only when they have sent all.
const restTimeout = 5 * time.Second

// end ends the exchange after its handler. net/http reads the rest of a short request, without a bound of time. It
// would forget the deadline if the body were still being read when the handler returns.
func (e *exchange) end() {
	e.begin()
	if !e.http1 || e.ended.Load() {
		return
	}
	if !e.late.Load() {
		_ = http.NewResponseController(e.ResponseWriter).SetReadDeadline(time.Now().Add(restTimeout))
	}
	if e.reading.Load() {
		_ = e.FlushError()
		e.mu.Lock()
		defer e.mu.Unlock()
	}
}

func (e *exchange) WriteHeader(status int) {
	if status >= http.StatusOK {
		e.begin()
	}
	e.ResponseWriter.WriteHeader(status)
}

func (e *exchange) Write(p []byte) (int, error) {
	e.begin()
	return e.ResponseWriter.Write(p)
}

func (e *exchange) Flush()                      { _ = e.FlushError() }
func (e *exchange) FlushError() error           { return http.NewResponseController(e.ResponseWriter).Flush() }
func (e *exchange) Unwrap() http.ResponseWriter { return e.ResponseWriter }

// exchangeBody is the body of the request.
type exchangeBody struct{ *exchange }

func (b exchangeBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reading.Store(true)
	n, err := b.body.Read(p)
	b.reading.Store(false)
	if errors.Is(err, io.EOF) {
		b.ended.Store(true)
	}
	return n, err
}

func (b exchangeBody) Close() error { return b.body.Close() }
