// Package probe finds out what pages of an origin can do with a live server: it sends the requests that
// browsers would send, in the name of the page, and treats the answers as each engine does.
package probe

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/schema"
	"github.com/corsrpc/corsrpc-go/internal/origin"
)

// Server is the server that is probed.
type Server struct {
	// URL is http://HOST, https://HOST or h2c://HOST, each with an optional port and path. h2c is HTTP/2
	// without TLS.
	URL *url.URL
	// Roots are the authorities that may sign the server's certificate. Nil: those of the system.
	Roots *x509.CertPool
	// ServerName is the name that the certificate has to be valid for. Empty: the URL's host.
	ServerName string
	// Timeout bounds the time of each request until the end of the response. 0 means DefaultTimeout.
	Timeout time.Duration

	rootsFile string // that of Roots; empty if they are those of the system
}

// Trust reads Roots from a PEM file, which a flag names.
func (s *Server) Trust(flag, name string) (err error) {
	s.rootsFile = name
	s.Roots, err = schema.Certificates(flag, name)
	return err
}

// ParseURL returns the URL of a server, or an error that says what to write.
func ParseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "h2c":
		return nil, fmt.Errorf("%q is not the URL of a server: write one such as https://api.example.com, or h2c://127.0.0.1:8080 for HTTP/2 without TLS", text)
	case u.User != nil:
		return nil, fmt.Errorf("the URL has a user name: browsers do not send calls to such URLs; write --header 'Authorization: ...' and --send")
	case u.Fragment != "":
		return nil, fmt.Errorf("the URL has a fragment (#...), which is not sent: write it without")
	case u.RawQuery != "" || u.ForceQuery:
		return nil, fmt.Errorf("the URL of the server has a query: write the path and the query as an argument of their own, such as '/items?page=2'")
	}
	if problem := unserialized((Server{URL: u}).origin()); problem != "" {
		return nil, fmt.Errorf("%q is not the URL of a server: its origin %s", text, problem)
	}
	return u, nil
}

// unserialized says why an origin is not one that browsers send, and what to write instead: the rest of a
// sentence whose subject is the origin. It is empty if browsers send the origin.
func unserialized(text string) string {
	if _, ok := origin.Parse(text); ok {
		return ""
	}
	_, problems := origin.ParsePattern(text)
	if len(problems) == 0 { // a pattern
		return fmt.Sprintf("%q is not one origin: write one such as https://app.example.com", text)
	}
	says := fmt.Sprintf("%q %s", text, problems[0].Reason)
	if problems[0].Fix != "" {
		says += ": write " + problems[0].Fix
	}
	return says
}

// pageURL returns the URL of the server as browsers serialize it: h2c is a scheme of this program only.
func (s Server) pageURL() *url.URL {
	u := *s.URL
	if u.Scheme == "h2c" {
		u.Scheme = "http"
	}
	u.Host = strings.ToLower(u.Host)
	u.Host = strings.TrimSuffix(u.Host, ":"+defaultPort(u.Scheme))
	return &u
}

// defaultPort returns the port of a URL that names none, and which browsers leave out of URLs and origins.
func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// origin returns the server's own origin, as browsers serialize it.
func (s Server) origin() string {
	u := s.pageURL()
	return u.Scheme + "://" + u.Host
}

// hasOrigin reports whether a page's origin is that of the server.
func (s Server) hasOrigin(page string) bool { return page == s.origin() }

// isLoopback reports whether a host is this machine, by its name.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// isPrivate reports whether a host is an address of a private network.
func isPrivate(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && (ip.IsPrivate() || ip.IsLinkLocalUnicast())
}

// DefaultTimeout is the bound for the time of a request, unless another is set.
const DefaultTimeout = 10 * time.Second

// timeout returns the bound for the time of a request.
func (s Server) timeout() time.Duration { return cmp.Or(s.Timeout, DefaultTimeout) }

// dialTimeout bounds the time for a connection.
const dialTimeout = 5 * time.Second

// transport returns the HTTP client's half of the connection. It keeps response headers as the server
// sent them, and follows no redirects. Each request has a connection of its own: on a connection that
// was used before, a client of net/http sends some requests again if the server closes it.
func (s Server) transport() *http.Transport {
	t := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: dialTimeout}).DialContext,
		DisableKeepAlives:     true,
		DisableCompression:    true, // corsbrowser sends Accept-Encoding and decodes
		ResponseHeaderTimeout: s.timeout(), TLSHandshakeTimeout: s.timeout(), ExpectContinueTimeout: s.timeout(),
		MaxResponseHeaderBytes: 1 << 20, MaxConnsPerHost: 1,
	}
	t.Protocols = new(http.Protocols)
	switch s.URL.Scheme {
	case "h2c":
		t.Protocols.SetUnencryptedHTTP2(true)
	case "https":
		t.Protocols.SetHTTP1(true)
		t.Protocols.SetHTTP2(true)
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.Roots, ServerName: s.ServerName}
	default:
		t.Protocols.SetHTTP1(true)
	}
	return t
}
