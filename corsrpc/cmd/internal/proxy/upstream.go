// Package proxy forwards requests to upstreams: the data plane of the gateway, behind the layer. It decides
// nothing about CORS.
package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/filewatch"
)

// keepAlive and userTimeout notice within 30 seconds that a server cannot be reached any longer: keepAlive while
// nothing is sent, and userTimeout while something is. Both are of TCP, since servers of gRPC end the connection of a
// client that pings more often than each 5 minutes while they send nothing.
//
// See https://github.com/grpc/proposal/blob/master/A8-client-side-keepalive.md.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 3 * time.Second, Count: 5}

const userTimeout = 30 * time.Second

// The pings of HTTP/2 connections of which nothing comes. They notice a server behind a proxy of TCP, and a dead
// connection on systems that have no userTimeout.
const (
	pingAfter   = 5*time.Minute + 10*time.Second
	pingTimeout = 15 * time.Second
)

// idleTimeout is how long a connection to an upstream stays open without a request. It is shorter than the
// 5 seconds after which servers of Node.js close it: a request that meets that moment fails, since it may
// have arrived.
const idleTimeout = 4 * time.Second

// idleTimeoutHTTP2 is the same for upstreams that speak HTTP/2 only, which has a message for the end of a connection
// (GOAWAY). net/http counts the time from the set-up of a connection, even while it is in use: a short time would
// spread calls over many connections.
const idleTimeoutHTTP2 = 90 * time.Second

// maxPEMBytes is the maximum size of a file with certificates or a key.
const maxPEMBytes = 1 << 20

// Upstream is a server that requests are forwarded to. It is safe for concurrent use.
type Upstream struct {
	name   string
	config *corsrpcv1.Upstream
	url    *url.URL // http or https, whatever the scheme of the configuration
	scheme string
	log    *slog.Logger

	transport atomic.Pointer[http.Transport]
	answered  atomic.Bool // whether the server has ever answered
}

// NewUpstream returns an upstream for a checked configuration. It reads the files of its TLS, and connects
// to nothing.
func NewUpstream(config *corsrpcv1.Upstream, log *slog.Logger) (*Upstream, error) {
	u, err := url.Parse(config.GetUrl())
	if err != nil {
		return nil, err
	}
	up := &Upstream{name: config.GetName(), config: config, scheme: u.Scheme, log: log}
	port := u.Port()
	secure := u.Scheme == "https" || u.Scheme == "grpcs"
	if port == "" {
		port = map[bool]string{true: "443", false: "80"}[secure]
	}
	up.url = &url.URL{Scheme: "http", Host: net.JoinHostPort(u.Hostname(), port)}
	if secure {
		up.url.Scheme = "https"
	}
	t, err := up.newTransport()
	if err != nil {
		return nil, err
	}
	up.transport.Store(t)
	return up, nil
}

// Name returns the name of the upstream.
func (u *Upstream) Name() string { return u.name }

// Files returns the names of the files of the upstream's TLS.
func (u *Upstream) Files() (names []string) {
	for _, name := range []string{u.config.GetTls().GetCa(), u.config.GetTls().GetCertificate(), u.config.GetTls().GetKey()} {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

// Reload reads the files again. New connections then use them; requests in flight stay where they are. If a
// file cannot be used, nothing changes and Reload returns the error.
func (u *Upstream) Reload() error {
	t, err := u.newTransport()
	if err != nil {
		return err
	}
	u.transport.Swap(t).CloseIdleConnections()
	return nil
}

// Close closes the connections that are idle. Requests in flight are not disturbed.
func (u *Upstream) Close() { u.transport.Load().CloseIdleConnections() }

// newTransport returns a transport for the scheme, with the files as they are now.
func (u *Upstream) newTransport() (*http.Transport, error) {
	dialer := &net.Dialer{KeepAliveConfig: keepAlive}
	connect := u.config.GetConnectTimeout().AsDuration()
	protocols := new(http.Protocols)
	t := &http.Transport{
		Protocols:              protocols,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
		TLSHandshakeTimeout:    connect,
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        idleTimeout,
		DisableCompression:     true, // bodies pass unchanged
		MaxResponseHeaderBytes: u.config.GetMaxResponseHeaderBytes(),
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			ctx, cancel := context.WithTimeoutCause(ctx, connect, errConnectTimeout)
			defer cancel()
			return dialer.DialContext(ctx, network, address)
		},
	}
	switch u.scheme {
	case "grpc", "h2c":
		protocols.SetUnencryptedHTTP2(true)
		t.IdleConnTimeout = idleTimeoutHTTP2
		dialer.Control = setUserTimeout
	case "grpcs":
		protocols.SetHTTP2(true)
		t.IdleConnTimeout = idleTimeoutHTTP2
		dialer.Control = setUserTimeout
	case "http":
		protocols.SetHTTP1(true)
	case "https":
		protocols.SetHTTP1(true)
		protocols.SetHTTP2(true)
	}
	if u.url.Scheme == "https" {
		config, err := u.tlsConfig()
		if err != nil {
			return nil, err
		}
		t.TLSClientConfig = config
	}
	return t, nil
}

var errConnectTimeout = errors.New("the connection takes too long")

func (u *Upstream) tlsConfig() (*tls.Config, error) {
	files := u.config.GetTls()
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: files.GetServerName()}
	read := func(name string) ([]byte, error) { return filewatch.Read(name, maxPEMBytes) }
	if name := files.GetCa(); name != "" {
		text, err := read(name)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s has no certificate in PEM form", name)
		}
	}
	if name := files.GetCertificate(); name != "" {
		certificate, err := read(name)
		if err != nil {
			return nil, err
		}
		key, err := read(files.GetKey())
		if err != nil {
			return nil, err
		}
		pair, err := tls.X509KeyPair(certificate, key)
		if err != nil {
			return nil, fmt.Errorf("the certificate %s and the key %s: %w", name, files.GetKey(), err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// buffers are those that bodies are copied through.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, 32<<10)
}

func (b *buffers) Put(p []byte) { b.pool.Put(&p) }
