package schema

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"google.golang.org/grpc"
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
	// CertificateFile and KeyFile are PEM files with a client certificate and its key. Empty: none.
	CertificateFile, KeyFile string
	// ServerName is the name that the server's certificate has to be valid for. Empty: HOST.
	ServerName string
	// Name names the server in errors. Empty: as the flag --reflect names it.
	Name string
	// Terms replaces the names of flags in errors by those of other settings. Nil: it does not.
	Terms *strings.Replacer
}

// reflectionTimeout bounds the time for a server where the context has no deadline.
const reflectionTimeout = 10 * time.Second

// read returns the services of a server, over a connection of its own.
func (s Server) read(ctx context.Context, b bounds) (*Part, error) {
	conn, err := s.newClient(b)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return s.readFrom(ctx, conn, b)
}

// newClient returns a client of the server, which does not connect before it is used.
func (s Server) newClient(b bounds, opts ...grpc.DialOption) (*grpc.ClientConn, error) {
	address, security, err := s.dialer()
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient("passthrough:///"+address, append([]grpc.DialOption{grpc.WithTransportCredentials(security),
		grpc.WithDisableRetry(), grpc.WithDisableServiceConfig(), grpc.WithUserAgent("corsrpc"),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(b.message))}, opts...)...)
	if err != nil {
		return nil, s.fail("%w", err)
	}
	return conn, nil
}

// readFrom returns the services of a server, over a connection.
func (s Server) readFrom(ctx context.Context, conn *grpc.ClientConn, b bounds) (*Part, error) {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, reflectionTimeout)
		defer cancel()
	}
	r := &reflected{bounds: b}
	err := r.readServices(ctx, conn, reflectionV1)
	if isUnimplemented(err) {
		r = &reflected{bounds: b}
		err = r.readServices(ctx, conn, reflectionV1Alpha)
	}
	if err != nil {
		return nil, s.fail("%s", explain(ctx, err, s))
	}
	return partOfServer(s, r), nil
}

// fail returns an error about the server.
func (s Server) fail(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if s.Terms != nil {
		err = errors.New(s.Terms.Replace(err.Error()))
	}
	if s.Name != "" {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	return fmt.Errorf("--reflect %s: %w", s.shownURL(), err)
}

// dialer returns the address of the server, and how the connection is secured.
func (s Server) dialer() (address string, security credentials.TransportCredentials, err error) {
	fail := func(format string, args ...any) (string, credentials.TransportCredentials, error) {
		return "", nil, s.fail(format, args...)
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
	config, err := s.tlsConfig()
	if err != nil {
		return "", nil, err
	}
	return address, &tlsOfFiles{credentials.NewTLS(config), s.tlsConfig}, nil
}

var userInfo = regexp.MustCompile(`//[^/]*@`)

// shownURL returns the URL without a name and a password.
func (s Server) shownURL() string { return shown(userInfo.ReplaceAllString(s.URL, "//")) }
