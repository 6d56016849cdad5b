package corsrpc_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// reportingWriter is a ResponseWriter that reports whether the response was written, as gin's does.
type reportingWriter struct {
	http.ResponseWriter
	written bool
}

func (w *reportingWriter) WriteHeader(status int) {
	w.written = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *reportingWriter) Write(p []byte) (int, error) {
	w.written = true
	return w.ResponseWriter.Write(p)
}

func (w *reportingWriter) Written() bool { return w.written }

// TestResponseAroundTheLayerIsLogged checks that a response that was written without the layer's
// writer is logged once, and that no other response is. The handlers get the layer's writer, and the
// one below it.
func TestResponseAroundTheLayerIsLogged(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		reports bool // whether the writer below reports that the response was written
		logged  bool
		handle  func(w, below http.ResponseWriter)
	}{
		{"around, with a header field", false, true, func(_, below http.ResponseWriter) {
			below.Header().Set("Content-Type", "application/json")
			_, _ = below.Write([]byte("{}"))
		}},
		{"around, with a header field that was there", true, true, func(_, below http.ResponseWriter) {
			below.Header().Set("X-Before", "changed")
			_, _ = below.Write([]byte("{}"))
		}},
		{"around, after a look at the header", true, true, func(w, below http.ResponseWriter) {
			w.Header().Set("X-Meta", "m")
			below.WriteHeader(http.StatusNotFound)
		}},
		{"nothing", false, false, func(_, _ http.ResponseWriter) {}},
		{"nothing, to a writer that reports", true, false, func(_, _ http.ResponseWriter) {}},
		{"a header field, and nothing else", false, false, func(w, _ http.ResponseWriter) { w.Header().Set("X-Meta", "m") }},
		{"a header field around, and nothing else", true, false, func(_, below http.ResponseWriter) { below.Header().Set("X-Meta", "m") }},
		{"a body", true, false, func(w, _ http.ResponseWriter) { _, _ = io.WriteString(w, "{}") }},
		{"a status", false, false, func(w, _ http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) }},
	}
	for _, test := range tests {
		layer, log := newLayer(t, allowPage)
		for range 3 {
			recorder := httptest.NewRecorder()
			recorder.Header().Set("X-Before", "b")
			var below http.ResponseWriter = recorder
			if test.reports {
				below = &reportingWriter{ResponseWriter: recorder}
			}
			layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { test.handle(w, below) })).
				ServeHTTP(below, newRequest(http.MethodPost, listRPC, fromPage()))
			if readable := recorder.Result().Header.Get("Access-Control-Allow-Origin") != ""; readable == test.logged {
				t.Errorf("%s: the page can read the answer: %t", test.name, readable)
			}
		}
		if lines := strings.Count(log.String(), "level="); lines > 1 || test.logged != (lines == 1) {
			t.Fatalf("%s: the log has %d lines:\n%s", test.name, lines, log)
		}
		for _, want := range []string{"level=WARN", "without the layer's writer", "target=acme.catalog.v1.CatalogService.List", "writer=*", "layer.Wrap(router)"} {
			if test.logged && !strings.Contains(log.String(), want) {
				t.Errorf("%s: the log has no %q:\n%s", test.name, want, log)
			}
		}
	}
}

// TestStreamThatCannotBeFlushed checks that the log names http.TimeoutHandler, or the writer of
// another middleware, if the request may be a stream and the writer below cannot flush, and that the
// type of the layer's writer, which connect-go shows, does too.
func TestStreamThatCannotBeFlushed(t *testing.T) {
	t.Parallel()
	timeout := func(h http.Handler) http.Handler { return http.TimeoutHandler(h, time.Hour, "too late") }
	over := func(wrap func(http.ResponseWriter) http.ResponseWriter) func(http.Handler) http.Handler {
		return func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(wrap(w), r) })
		}
	}
	hiding := over(func(w http.ResponseWriter) http.ResponseWriter { return bare{w} })
	tests := []struct {
		name        string
		outside     func(http.Handler) http.Handler
		contentType string
		accept      string
		typeName    string
		logged      string // a text in the log; "" if nothing is logged
	}{
		{"a stream", timeout, "application/connect+json", "", "httpTimeoutHandlerOutsideOfWrap", "put http.TimeoutHandler inside of layer.Wrap"},
		{"gRPC-Web", timeout, "application/grpc-web+proto", "", "httpTimeoutHandlerOutsideOfWrap", "put http.TimeoutHandler inside of layer.Wrap"},
		{"gRPC-Web text", timeout, "application/grpc-web-text", "", "httpTimeoutHandlerOutsideOfWrap", "writer=*http.timeoutWriter"},
		{"events", timeout, "text/plain", "text/event-stream", "httpTimeoutHandlerOutsideOfWrap", "put http.TimeoutHandler inside of layer.Wrap"},
		{"a middleware inside of http.TimeoutHandler", func(h http.Handler) http.Handler {
			return timeout(over(func(w http.ResponseWriter) http.ResponseWriter { return unwrappingWriter{w} })(h))
		}, "application/connect+proto", "", "httpTimeoutHandlerOutsideOfWrap", "writer=*http.timeoutWriter remedy=\"put http.TimeoutHandler inside of layer.Wrap"},
		{"a unary call", timeout, "application/json", "", "httpTimeoutHandlerOutsideOfWrap", ""},
		{"another middleware", hiding, "application/connect+proto", "", "middlewareWithoutFlushOutsideOfWrap", "writer=corsrpc_test.bare"},
		{"another middleware, its remedy", hiding, "application/connect+proto", "", "middlewareWithoutFlushOutsideOfWrap", "a method Flush, or Unwrap"},
		{"no middleware", func(h http.Handler) http.Handler { return h }, "application/connect+proto", "", "flushCommitter", ""},
	}
	for _, test := range tests {
		layer, log := newLayer(t, allowPage)
		var got string
		h := test.outside(layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { got = fmt.Sprintf("%T", w) })))
		for range 3 {
			header := fromPage()
			header.Set("Content-Type", test.contentType)
			if test.accept != "" {
				header.Set("Accept", test.accept)
			}
			h.ServeHTTP(httptest.NewRecorder(), newRequest(http.MethodPost, listRPC, header))
		}
		if got != "corsrpc."+test.typeName {
			t.Errorf("%s: the writer is %s", test.name, got)
		}
		if lines := strings.Count(log.String(), "level="); lines > 1 || (lines == 1) != (test.logged != "") || !strings.Contains(log.String(), test.logged) {
			t.Errorf("%s: the log is:\n%s", test.name, log)
		}
	}
}

// unwrappingWriter is a ResponseWriter that has Unwrap and no other optional method.
type unwrappingWriter struct{ http.ResponseWriter }

func (u unwrappingWriter) Unwrap() http.ResponseWriter { return u.ResponseWriter }

// TestWriterReportsWithoutALog checks that a layer without a log serves a response that was written
// around it, and a stream that cannot be flushed.
func TestWriterReportsWithoutALog(t *testing.T) {
	t.Parallel()
	h := compilePolicy(t, allowPage).Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.(interface{ Unwrap() http.ResponseWriter }).Unwrap().Header().Set("X-Meta", "m")
	}))
	header := fromPage()
	header.Set("Content-Type", "application/connect+json")
	h.ServeHTTP(bare{httptest.NewRecorder()}, newRequest(http.MethodPost, listRPC, header))
}
