package routers

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
)

var backend = &url.URL{Scheme: "http", Host: "backend.internal:8080"}

// wire is a RoundTripper that makes the server parse the path as the client wrote it, as over
// a connection.
type wire struct{ server http.Handler }

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	raw := r.URL.RequestURI()
	answer := newSink()
	if u, err := url.ParseRequestURI(raw); err != nil {
		answer.WriteHeader(http.StatusBadRequest) // as net/http's server does
	} else {
		in := r.WithContext(r.Context())
		in.URL, in.RequestURI = u, raw
		w.server.ServeHTTP(answer, in)
	}
	return &http.Response{
		StatusCode: answer.status, Header: answer.header, Body: io.NopCloser(bytes.NewReader(nil)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
	}, nil
}

// sink is a ResponseWriter that discards the body.
type sink struct {
	header http.Header
	status int
}

func newSink() *sink { return &sink{header: http.Header{}, status: http.StatusOK} }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Flush()                      {}

// transport is a proxy or middleware between the layer and a server.
type transport struct {
	name string
	wrap func(http.Handler) http.Handler
}

var transports = []transport{
	{"", func(h http.Handler) http.Handler { return h }},
	{"Director>", func(h http.Handler) http.Handler {
		return silent(httputil.NewSingleHostReverseProxy(backend), h)
	}},
	{"Rewrite>", func(h http.Handler) http.Handler {
		return silent(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(backend) }}, h)
	}},
	{"host only>", func(h http.Handler) http.Handler {
		//nolint:staticcheck // Director is deprecated, but servers still use it, and its paths differ.
		return silent(&httputil.ReverseProxy{Director: func(r *http.Request) { r.URL.Scheme, r.URL.Host = backend.Scheme, backend.Host }}, h)
	}},
}

func silent(p *httputil.ReverseProxy, server http.Handler) http.Handler {
	p.Transport, p.ErrorLog = wire{server}, log.New(io.Discard, "", 0)
	return p
}
