package corsenvoy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
)

// requestOf returns the request that Envoy describes, as net/http would give it to a handler. It returns an
// error for what net/http answers itself: a target that is malformed.
func requestOf(ctx context.Context, fields *corev3.HeaderMap) (*http.Request, error) {
	pseudo, header := map[string]string{}, http.Header{}
	for _, f := range fields.GetHeaders() {
		name := f.GetKey()
		if !strings.HasPrefix(name, ":") {
			name = http.CanonicalHeaderKey(name)
			header[name] = append(header[name], valueOf(f))
			continue
		}
		if _, twice := pseudo[name]; twice {
			return nil, fmt.Errorf("corsrpc: the request has two fields %s", name)
		}
		pseudo[name] = valueOf(f)
	}
	r := &http.Request{
		Method: pseudo[":method"], Proto: "HTTP/2.0", ProtoMajor: 2, Header: header, Body: http.NoBody,
		Host: pseudo[":authority"], RequestURI: pseudo[":path"],
	}
	if r.Host == "" {
		r.Host = header.Get("Host")
	}
	delete(header, "Host")
	if protocol, ok := pseudo[":protocol"]; ok {
		header[":protocol"] = []string{protocol} // as net/http gives an extended CONNECT (RFC 8441)
	}
	if pseudo[":scheme"] == "https" {
		r.TLS = &tls.ConnectionState{}
	}
	switch {
	case r.Method == "":
		return nil, errors.New("corsrpc: the request has no method")
	case r.Method == http.MethodConnect && r.RequestURI == "":
		r.URL = &url.URL{Host: r.Host}
	default:
		u, err := url.ParseRequestURI(r.RequestURI)
		if err != nil {
			return nil, errors.New("corsrpc: the path of the request is malformed")
		}
		r.URL = u
	}
	return r.WithContext(ctx), nil
}

// responseOf returns the header and the status of a response that Envoy describes.
func responseOf(fields *corev3.HeaderMap) (header http.Header, status string) {
	header = http.Header{}
	for _, f := range fields.GetHeaders() {
		if name := f.GetKey(); name == ":status" {
			status = valueOf(f)
		} else if !strings.HasPrefix(name, ":") {
			name = http.CanonicalHeaderKey(name)
			header[name] = append(header[name], valueOf(f))
		}
	}
	return header, status
}

// valueOf returns the value of a field. Envoy sends the raw one unless it was told not to.
func valueOf(f *corev3.HeaderValue) string {
	if raw := f.GetRawValue(); len(raw) > 0 {
		return string(raw)
	}
	return f.GetValue()
}
