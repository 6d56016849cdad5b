package schema

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// Server is a gRPC server that tells its schema by server reflection. The zero Server is none.
type Server struct {
	// URL is h2c://HOST:PORT or http://HOST:PORT for a server without TLS, and https://HOST:PORT for
	// one with TLS. Without a port it is 80 or 443.
	URL string
	// CAFile is a PEM file with the certificates of the authorities that may sign the server's
	// certificate. Empty: those of the system.
	CAFile string
	// ServerName is the name that the server's certificate has to be valid for. Empty: HOST.
	ServerName string
	// CertificateFile and KeyFile are PEM files with the client certificate that the server asks for, and
	// its private key. Empty: none.
	CertificateFile, KeyFile string
	// Label names the server in messages. Empty: the flag --reflect and the URL.
	Label string
}

// reflectionTimeout bounds the time for a server where the context has no deadline.
const reflectionTimeout = 10 * time.Second

// read returns the services of a server. Each call opens a connection of its own, so a program that
// follows a server reads again when the server has restarted.
func (s Server) read(ctx context.Context, b bounds) (*reflected, error) {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, reflectionTimeout)
		defer cancel()
	}
	conn, err := s.dial(b)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	r := &reflected{bounds: b}
	err = r.readServices(ctx, conn, reflectionV1)
	if isUnimplemented(err) {
		r = &reflected{bounds: b}
		err = r.readServices(ctx, conn, reflectionV1Alpha)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s", s.label(), explain(ctx, err, s))
	}
	return r, nil
}

// dial returns a connection that is opened when it is used.
func (s Server) dial(b bounds) (*grpc.ClientConn, error) {
	address, security, err := s.dialer()
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(security),
		grpc.WithDisableRetry(), grpc.WithDisableServiceConfig(), grpc.WithUserAgent("corsrpc"),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(b.message)),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: reconnectBackoff, MinConnectTimeout: 5 * time.Second}))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.label(), err)
	}
	return conn, nil
}

// reconnectBackoff is the pause between attempts to connect to a server that is away.
var reconnectBackoff = backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second}

// Follow calls reconnected after each connection to the server but the first one: a server that has
// restarted may have another schema. It keeps one connection open, and returns when the context ends.
func (s Server) Follow(ctx context.Context, reconnected func()) error {
	conn, err := s.dial(usualBounds)
	if err != nil {
		return err
	}
	defer conn.Close()
	for connected := false; ; {
		conn.Connect()
		state := conn.GetState()
		if state == connectivity.Ready {
			if connected {
				reconnected()
			}
			connected = true
		}
		if !conn.WaitForStateChange(ctx, state) {
			return nil
		}
	}
}

// label names the server in messages.
func (s Server) label() string {
	if s.Label != "" {
		return s.Label
	}
	return "--reflect " + s.shownURL()
}

// dialer returns the address of the server, and how the connection is secured.
func (s Server) dialer() (address string, security credentials.TransportCredentials, err error) {
	fail := func(format string, args ...any) (string, credentials.TransportCredentials, error) {
		return "", nil, fmt.Errorf("%s: %s", s.label(), fmt.Sprintf(format, args...))
	}
	u, err := url.Parse(s.URL)
	if err != nil || u.Hostname() == "" {
		return fail("write a URL such as h2c://127.0.0.1:9090 for a server without TLS, or https://api.example.com for one with TLS")
	}
	secure := u.Scheme == "https"
	port := u.Port()
	switch {
	case u.Scheme != "h2c" && u.Scheme != "http" && u.Scheme != "https":
		return fail("the scheme is not one of h2c, http and https: write h2c://%s for a server without TLS, or https://%[1]s for one with TLS", shown(u.Host))
	case u.Path != "" && u.Path != "/":
		return fail("gRPC clients call /grpc.reflection.v1.ServerReflection at the top of a host, below no path: write %s://%s; a server whose services are below a path gives its schema by --descriptors", u.Scheme, shown(u.Host))
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fail("the URL has more than a scheme, a host and a port: write %s://%s", u.Scheme, shown(u.Host))
	case !secure && (s.CAFile != "" || s.ServerName != ""):
		return fail("--reflect-ca and --reflect-server-name are for servers with TLS: write https://%s", shown(u.Host))
	case port == "" && secure:
		port = "443"
	case port == "":
		port = "80"
	}
	host := u.Hostname()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	address = host + ":" + port
	if !secure {
		return address, insecure.NewCredentials(), nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: s.ServerName}
	if s.CAFile != "" {
		if config.RootCAs, err = Certificates("--reflect-ca", s.CAFile); err != nil {
			return "", nil, err
		}
	}
	if s.CertificateFile != "" {
		pair, err := tls.LoadX509KeyPair(s.CertificateFile, s.KeyFile)
		if err != nil {
			return fail("%s", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return address, credentials.NewTLS(config), nil
}

var userInfo = regexp.MustCompile(`//[^/]*@`)

// shownURL returns the URL without a name and a password.
func (s Server) shownURL() string { return shown(userInfo.ReplaceAllString(s.URL, "//")) }
