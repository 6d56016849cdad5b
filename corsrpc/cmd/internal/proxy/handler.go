package proxy

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync/atomic"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsgrpc"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// Options are the options of a route to an upstream.
type Options struct {
	// ResponseTimeout bounds the time until the header of the response; 0 means that nothing does. It
	// does not apply to streams, upgrades, and calls that carry a deadline.
	ResponseTimeout time.Duration
	// Streams reports whether a procedure is declared as a stream; nil if the schema is not known.
	Streams func(service, method string) bool
	// StripPrefix is removed from the path of each request, which begins with it.
	StripPrefix string
	// Prefixes are those below which the upstream has procedures too, behind StripPrefix.
	Prefixes []string
}

// flushInterval is how long a part of a response of known length may wait for more, so that a short one is sent
// in one piece. httputil.ReverseProxy sends each part of the others, streams included, at once.
const flushInterval = 5 * time.Millisecond

// buffered are the buffers of all responses.
var buffered buffers

// Handler returns the handler that forwards requests to the upstream. It is safe for concurrent use.
func (u *Upstream) Handler(o Options) http.Handler {
	p := &forwarder{upstream: u, options: o}
	p.proxy = &httputil.ReverseProxy{
		Rewrite: p.rewrite, Transport: u, FlushInterval: flushInterval, BufferPool: &buffered, ModifyResponse: p.endCall, ErrorHandler: p.fail, ErrorLog: discardLog,
	}
	var h http.Handler = p
	web := corsgrpc.Text(corsgrpc.Handler(p))
	switch u.scheme {
	case "grpc", "grpcs":
		h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if rpc.FormatOf(r.Method, r.Header.Get("Content-Type")) == rpc.FormatConnect && r.Method == http.MethodPost || rpc.IsGetCall(r.URL.RawQuery) {
				WriteError(w, r, http.StatusUnsupportedMediaType, u.sentence("speaks gRPC, and not Connect: use createGrpcWebTransport in the page"))
				return
			}
			web.ServeHTTP(w, r)
		})
	case "h2c":
		h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if rpc.IsGRPCWeb(r.Header.Get("Content-Type")) {
				web.ServeHTTP(w, r)
				return
			}
			p.ServeHTTP(w, r)
		})
	}
	return u.guard(h)
}

// guard refuses the requests that a gateway does not forward, and lets both directions stream.
func (u *Upstream) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodConnect || r.Method == http.MethodTrace:
			http.Error(w, "the gateway does not forward the method "+r.Method, http.StatusMethodNotAllowed)
			return
		case !strings.HasPrefix(r.URL.Path, "/"):
			http.Error(w, "the gateway forwards requests for a path", http.StatusBadRequest)
			return
		case isBack(r):
			u.log.LogAttrs(r.Context(), slog.LevelError, "an upstream leads back to the gateway: its URL has to be that of the server", slog.String("upstream", u.name))
			WriteError(w, r, http.StatusLoopDetected, u.sentence("leads back to the gateway"))
			return
		}
		if opensTunnel(r.Header) {
			r = r.WithContext(r.Context())
			r.Header = r.Header.Clone()
			r.Header.Del("Upgrade")
			r.Header.Del("Http2-Settings")
		}
		exchangeOf(r.Context()).stream()
		next.ServeHTTP(w, r)
	})
}

// opensTunnel reports whether a request asks for HTTP/2 or TLS on its connection. An upstream that agreed would
// take any further requests from the client past the layer. WebSocket and other protocols pass.
func opensTunnel(h http.Header) bool {
	for _, line := range h["Upgrade"] {
		for protocol := range strings.SplitSeq(strings.ToLower(line), ",") {
			protocol = strings.Trim(protocol, " \t")
			if protocol == "h2c" || protocol == "h2" || strings.HasPrefix(protocol, "http/") || strings.HasPrefix(protocol, "tls/") {
				return true
			}
		}
	}
	return false
}

// forwarder forwards requests to one upstream.
type forwarder struct {
	upstream *Upstream
	options  Options
	proxy    *httputil.ReverseProxy
}

var (
	errResponseTimeout = errors.New("the response takes too long")
	errDeadline        = errors.New("the call's deadline has passed")
	errRequestTimeout  = errors.New("the request takes too long to arrive")
)

// ServeHTTP forwards a request, within its deadline.
func (p *forwarder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	sent := exchangeOf(ctx)
	expire := func(cause error) func() {
		return func() {
			if sent.waiting() {
				cause = errRequestTimeout
			}
			cancel(cause)
			sent.cut()
		}
	}
	var timer *time.Timer
	if d, ok := deadlineOf(r.Header); ok {
		ctx = withDeadline(ctx, time.Now().Add(d))
		timer = time.AfterFunc(d+deadlineGrace, expire(errDeadline))
		defer timer.Stop()
	} else if d := p.options.ResponseTimeout; d > 0 && !p.isStream(r) {
		timer = time.AfterFunc(d, expire(errResponseTimeout))
		defer timer.Stop()
		w = &answered{ResponseWriter: w, timer: timer}
	}
	r = r.WithContext(ctx)
	if r.Body != nil && r.Body != http.NoBody {
		body := &requestBody{ReadCloser: r.Body, end: cancel}
		r.Body = body
		r = r.WithContext(context.WithValue(ctx, requestBodyKey{}, body))
	}
	p.proxy.ServeHTTP(w, r)
}

// requestBody is the body of a request that is being forwarded. It keeps the error of reading it, which
// transports wrap or replace.
type requestBody struct {
	io.ReadCloser
	failed atomic.Pointer[error]
	end    context.CancelCauseFunc // of the call
}

type requestBodyKey struct{}

func (b *requestBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.failed.CompareAndSwap(nil, &err)
	}
	return n, err
}

// bodyError returns the error of reading the body of the request that is being forwarded; nil if there was none.
func bodyError(ctx context.Context) error {
	if b, ok := ctx.Value(requestBodyKey{}).(*requestBody); ok {
		if err := b.failed.Load(); err != nil {
			return *err
		}
	}
	return nil
}

// isStream reports whether the request is known to be a stream or an upgrade.
func (p *forwarder) isStream(r *http.Request) bool {
	if len(r.Header["Upgrade"]) > 0 {
		return true
	}
	service, method, ok := procedureBelow(strings.TrimPrefix(r.URL.Path, p.options.StripPrefix), p.options.Prefixes)
	return ok && p.options.Streams != nil && p.options.Streams(service, method)
}

// rewrite sets the fields of the request to the upstream.
func (p *forwarder) rewrite(r *httputil.ProxyRequest) {
	r.Out.URL.Scheme, r.Out.URL.Host = p.upstream.url.Scheme, p.upstream.url.Host
	if prefix := p.options.StripPrefix; prefix != "" {
		strip(r.Out.URL, prefix)
	}
	setForwarded(r)
}

// fail answers a request that could not be forwarded.
func (p *forwarder) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, message := statusOf(r.Context(), err)
	if status == 0 {
		panic(http.ErrAbortHandler) // the client is gone
	}
	p.upstream.log.LogAttrs(r.Context(), levelOf(status), "a request could not be forwarded", p.upstream.attributes(r, status, err)...)
	WriteError(w, r, status, p.upstream.sentence(message))
}

// levelOf returns the level of the log line for a failure. One with a status below 500 is the client's.
func levelOf(status int) slog.Level {
	if status < http.StatusInternalServerError {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

// attributes describe a failure in the log.
func (u *Upstream) attributes(r *http.Request, status int, err error) []slog.Attr {
	all := []slog.Attr{
		slog.String("upstream", u.name), slog.Int("status", status), slog.String("path", safetext.Sample(r.URL.Path)), slog.String("error", err.Error()),
	}
	if remedy := u.remedy(err); remedy != "" && status == http.StatusBadGateway {
		all = append(all, slog.String("remedy", remedy))
	}
	return all
}

// statusOf returns the status and the reason of a failure; 0 if the client is gone.
func statusOf(ctx context.Context, err error) (status int, message string) {
	var tooLarge *http.MaxBytesError
	cause, read := context.Cause(ctx), bodyError(ctx)
	switch {
	case errors.As(err, &tooLarge), errors.As(read, &tooLarge):
		return http.StatusRequestEntityTooLarge, "does not get requests that are this large"
	case errors.Is(cause, errResponseTimeout):
		return http.StatusGatewayTimeout, "takes too long to answer"
	case errors.Is(cause, errRequestTimeout):
		return http.StatusGatewayTimeout, "has not got the whole request in time"
	case errors.Is(cause, errDeadline):
		return http.StatusGatewayTimeout, "has not answered within the call's deadline"
	case ctx.Err() != nil:
		return 0, ""
	case read != nil:
		return http.StatusBadRequest, "does not get a request that cannot be read to its end"
	case isPastDeadline(ctx): // grpc-go then resets the stream
		return http.StatusGatewayTimeout, "has not answered within the call's deadline"
	case errors.Is(err, errConnectTimeout), errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout, "cannot be reached in time"
	}
	return http.StatusBadGateway, "does not answer"
}

// answered stops the timer when the header of the response is written.
type answered struct {
	http.ResponseWriter
	timer *time.Timer
}

func (w *answered) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		w.timer.Stop()
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *answered) Write(p []byte) (int, error) {
	w.timer.Stop()
	return w.ResponseWriter.Write(p)
}

func (w *answered) Flush()                      { _ = w.FlushError() }
func (w *answered) FlushError() error           { return http.NewResponseController(w.ResponseWriter).Flush() }
func (w *answered) Unwrap() http.ResponseWriter { return w.ResponseWriter }
