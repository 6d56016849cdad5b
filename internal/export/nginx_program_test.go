//go:build nginx

package export_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/export"
	"github.com/corsrpc/corsrpc-go/internal/nginx"
)

// backend is a server behind nginx. Its handler changes between requests, of which there is one at a time.
type backend struct {
	url     string
	hits    atomic.Int64
	handler atomic.Pointer[http.HandlerFunc]
	last    atomic.Pointer[http.Request]
}

func newBackend(t *testing.T) *backend {
	b := new(backend)
	b.serve(func(http.ResponseWriter, *http.Request) {})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.hits.Add(1)
		b.last.Store(r)
		(*b.handler.Load())(w, r)
	}))
	t.Cleanup(s.Close)
	b.url = s.URL
	return b
}

// serve sets the handler.
func (b *backend) serve(h http.HandlerFunc) { b.handler.Store(&h) }

var listenLines = regexp.MustCompile(`(?m)^    listen .*;`)

// nginxText exports a model, for a socket in place of ports.
func nginxText(t testing.TB, m *export.Model) string {
	t.Helper()
	x, err := export.Write(export.Nginx, m)
	if err != nil {
		t.Fatal(err)
	}
	return onSocket(x.Text)
}

// onSocket replaces the ports of a configuration by a socket.
func onSocket(text string) string {
	return listenLines.ReplaceAllLiteralString(text, "    listen unix:"+nginx.Socket+";")
}

// answer is a response, whole.
type answer struct {
	status int
	header http.Header
	body   string
	hits   int // at the server behind nginx
}

// lines returns the values of a field.
func (a answer) lines(name string) string { return strings.Join(a.header[name], "|") }

// send sends a request to nginx. The fields are names and values, alternately.
func (b *backend) send(t testing.TB, client http.RoundTripper, method, target string, fields ...string) answer {
	t.Helper()
	a, err := b.try(t, client, method, target, fields...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// try is send that returns the error of a request without an answer.
func (b *backend) try(t testing.TB, client http.RoundTripper, method, target string, fields ...string) (answer, error) {
	t.Helper()
	u, err := url.ParseRequestURI(target)
	if err != nil {
		t.Fatal(err)
	}
	u.Scheme, u.Host = "http", "api.example.com"
	r := &http.Request{Method: method, URL: u, Host: u.Host, Header: http.Header{}}
	for i := 0; i < len(fields); i += 2 {
		r.Header[fields[i]] = append(r.Header[fields[i]], fields[i+1])
	}
	before := b.hits.Load()
	response, err := client.RoundTrip(r.WithContext(t.Context()))
	if err != nil {
		return answer{}, err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	_ = response.Body.Close()
	return answer{response.StatusCode, response.Header, string(body), int(b.hits.Load() - before)}, nil
}

// raw sends bytes to nginx, and returns all that comes back until the end of the connection.
func raw(t testing.TB, s *nginx.Server, text string) string {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "unix", s.Socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(conn)
	if err != nil {
		t.Error(err)
	}
	return string(all)
}
