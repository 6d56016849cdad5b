package corsbrowser

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// handlerTransport answers requests with a handler, without a network. RoundTrip
// returns when the handler has written its header; the body streams.
type handlerTransport struct{ handler http.Handler }

// RoundTrip runs the handler in a goroutine, which ends when the handler returns.
// The handler's context ends with the request's, or when the response's body is
// closed.
func (t handlerTransport) RoundTrip(out *http.Request) (*http.Response, error) {
	if err := out.Context().Err(); err != nil {
		if out.Body != nil {
			_ = out.Body.Close()
		}
		return nil, err
	}
	ctx, cancel := context.WithCancel(out.Context())
	in := arriving(ctx, out)
	body, w := io.Pipe()
	writer := &streamWriter{header: http.Header{}, body: w, isHead: out.Method == http.MethodHead, committed: make(chan struct{}), ended: make(chan struct{})}
	stop := context.AfterFunc(out.Context(), func() { _ = w.CloseWithError(out.Context().Err()) })
	go func() {
		defer stop()
		defer cancel()
		defer func() { _ = in.Body.Close() }()
		defer func() {
			if p := recover(); p != nil {
				writer.end(fmt.Errorf("corsbrowser: the handler panicked: %v", p))
			}
		}()
		t.handler.ServeHTTP(writer, in)
		writer.WriteHeader(http.StatusOK)
		_ = w.CloseWithError(out.Context().Err()) // a nil error if the context has not ended
		writer.end(nil)
	}()
	select {
	case <-writer.committed:
	case <-writer.ended:
		select {
		case <-writer.committed:
		default:
			return nil, writer.err
		}
	case <-out.Context().Done():
		return nil, out.Context().Err()
	}
	length := int64(-1)
	if n, err := strconv.ParseInt(writer.sent.Get("Content-Length"), 10, 64); err == nil {
		length = n
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", writer.status, http.StatusText(writer.status)), StatusCode: writer.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: writer.sent, ContentLength: length, Request: out,
		Body: &cancelling{body, cancel},
	}, nil
}

// arriving returns a request as the handler gets it.
func arriving(ctx context.Context, out *http.Request) *http.Request {
	in := out.Clone(ctx)
	in.Host, in.RequestURI, in.RemoteAddr = out.URL.Host, out.URL.RequestURI(), "192.0.2.1:1234"
	in.URL.Scheme, in.URL.Host = "", ""
	if out.URL.Scheme == "https" {
		in.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, ServerName: out.URL.Hostname()}
	}
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
	if in.Body == nil {
		in.Body = http.NoBody
	}
	return in
}

// refusal returns why the handler refuses a request; empty if it does not, or does not tell.
func (t handlerTransport) refusal(out *http.Request) string {
	layer, ok := t.handler.(interface{ Refusal(*http.Request) string })
	if !ok {
		return ""
	}
	in := arriving(out.Context(), out)
	in.Body = http.NoBody // the body can be read only once
	return layer.Refusal(in)
}

// cancelling is a response body whose Close cancels the handler's context.
type cancelling struct {
	*io.PipeReader
	cancel context.CancelFunc
}

func (c *cancelling) Close() error {
	c.cancel()
	return c.PipeReader.Close()
}

// streamWriter is the ResponseWriter of one request.
type streamWriter struct {
	header http.Header
	body   *io.PipeWriter
	isHead bool

	mu        sync.Mutex
	status    int
	sent      http.Header // a copy of header at the first WriteHeader
	committed chan struct{}
	ended     chan struct{}
	err       error
}

func (w *streamWriter) Header() http.Header { return w.header }

func (w *streamWriter) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("invalid WriteHeader code %d", status)) // as net/http does
	}
	if status < 200 && status != http.StatusSwitchingProtocols {
		return // scripts cannot read informational responses
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.status != 0 {
		return
	}
	w.status = status
	w.sent = http.Header{}
	for _, name := range slices.Sorted(maps.Keys(w.header)) { // net/http sorts the names
		if fetch.IsToken(name) { // and drops invalid ones, such as those with http.TrailerPrefix
			key := http.CanonicalHeaderKey(name)
			w.sent[key] = append(w.sent[key], w.header[name]...)
		}
	}
	maps.DeleteFunc(w.sent, func(_ string, values []string) bool { return len(values) == 0 })
	close(w.committed)
}

// Write blocks until the bytes are read or the response body is closed.
func (w *streamWriter) Write(p []byte) (int, error) {
	if !w.isCommitted() && w.header["Content-Type"] == nil && w.header["Content-Encoding"] == nil {
		w.header.Set("Content-Type", http.DetectContentType(p)) // as net/http does
	}
	w.WriteHeader(http.StatusOK)
	if len(p) == 0 || w.isHead {
		return len(p), nil
	}
	if w.status == http.StatusNoContent || w.status == http.StatusNotModified {
		return 0, http.ErrBodyNotAllowed
	}
	return w.body.Write(p)
}

func (w *streamWriter) isCommitted() bool {
	select {
	case <-w.committed:
		return true
	default:
		return false
	}
}

// Flush commits the header. The body is not buffered.
func (w *streamWriter) Flush() { w.WriteHeader(http.StatusOK) }

func (w *streamWriter) end(err error) {
	w.err = err
	if err == nil {
		_ = w.body.Close()
	} else {
		_ = w.body.CloseWithError(errors.Join(io.ErrUnexpectedEOF, err))
	}
	close(w.ended)
}
