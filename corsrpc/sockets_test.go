package corsrpc_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	evil      = "https://evil.example"
	adminPage = "https://admin.example.com"
)

// socketPolicies each let the origin evil call OPEN, and only the admin's origin call SECRET.
var socketPolicies = []struct{ name, policy, open, secret string }{
	{
		name: "two subtrees",
		policy: `
rules:
  - {path: /public/, allow_origins: [https://evil.example]}
  - {path: /admin/, allow_origins: [https://admin.example.com]}
`,
		open: "public", secret: "admin/x",
	},
	{
		name: "a path with an escape within everyone's",
		policy: `
rules:
  - {path: /, allow_origins: ["*"]}
  - {path: /my%20files, allow_origins: [https://admin.example.com]}
`,
		open: "public", secret: "my%20files",
	},
	{
		name: "a known service within a subtree",
		policy: `
rules:
  - {path: /, allow_origins: [https://evil.example]}
  - {selector: acme.account.v1.AccountService, allow_origins: [https://admin.example.com]}
`,
		open: "public", secret: "acme.account.v1.AccountService/Close",
	},
	{
		name: "an unknown service that a selector covers",
		policy: `
rules:
  - {path: /public/, allow_origins: [https://evil.example]}
  - {selector: other.v1.*, allow_origins: [https://admin.example.com], accept_risks: [UNKNOWN_SELECTORS]}
`,
		open: "public", secret: "other.v1.Service/Do",
	},
	{
		name: "what only has the shape of a procedure",
		policy: `
defaults: {allow_origins: [https://admin.example.com]}
rules:
  - {path: /public/, allow_origins: [https://evil.example]}
`,
		open: "public", secret: "other.v1.Service/Do",
	},
}

// socketTarget is a request target, or a :path. OPEN and SECRET stand for the paths of the policy, ESCAPED for SECRET with its
// first letter escaped, and SLASHED and BACKSLASHED for SECRET with another slash.
type socketTarget struct {
	name, raw string
	method    string // POST unless set
}

var socketTargets = []socketTarget{
	{name: "as it is", raw: "/SECRET"},
	{name: "with a query", raw: "/SECRET?x=1"},
	{name: "in an open one's query", raw: "/OPEN?/../SECRET"},
	{name: "two slashes", raw: "//SECRET"},
	{name: "three slashes", raw: "///SECRET"},
	{name: "a slash at the end", raw: "/SECRET/"},
	{name: "slashes at the end", raw: "/SECRET//"},
	{name: "a dot", raw: "/./SECRET"},
	{name: "an escaped dot", raw: "/%2e/SECRET"},
	{name: "a dot at the end", raw: "/SECRET/."},
	{name: "dots out of an open one", raw: "/OPEN/../SECRET"},
	{name: "dots above the root", raw: "/../SECRET"},
	{name: "dots at the end", raw: "/SECRET/x/.."},
	{name: "escaped dots", raw: "/OPEN/%2e%2e/SECRET"},
	{name: "one escaped dot of two", raw: "/OPEN/.%2E/SECRET"},
	{name: "dots and an escaped slash", raw: "/OPEN/..%2fSECRET"},
	{name: "escaped dots and slash", raw: "/OPEN/%2e%2e%2fSECRET"},
	{name: "escaped twice", raw: "/OPEN/%252e%252e%252fSECRET"},
	{name: "dots and a backslash", raw: `/OPEN/..\SECRET`},
	{name: "dots and an escaped backslash", raw: "/OPEN/..%5cSECRET"},
	{name: "dots with a parameter", raw: "/OPEN/..;/SECRET"},
	{name: "dots after a fragment", raw: "/OPEN/#/../../SECRET"},
	{name: "dots after non-ASCII bytes", raw: "/\xc3\xa9/../SECRET"},
	{name: "dots after bytes that are no UTF-8", raw: "/OPEN/\xff/../../SECRET"},
	{name: "an escaped slash at the start", raw: "/%2fSECRET"},
	{name: "an escaped backslash at the start", raw: "/%5cSECRET"},
	{name: "a backslash after the slash", raw: `/\SECRET`},
	{name: "a backslash at the start", raw: `\SECRET`},
	{name: "escaped slashes within", raw: "/SLASHED"},
	{name: "backslashes within", raw: "/BACKSLASHED"},
	{name: "an escaped letter", raw: "/ESCAPED"},
	{name: "a parameter", raw: "/SECRET;x=1"},
	{name: "an escaped parameter", raw: "/SECRET%3Bx=1"},
	{name: "an escaped NUL", raw: "/SECRET%00"},
	{name: "a name after an escaped NUL", raw: "/SECRET%00.html"},
	{name: "a NUL", raw: "/SECRET\x00"},
	{name: "a dot behind", raw: "/SECRET."},
	{name: "an escaped space behind", raw: "/SECRET%20"},
	{name: "a space behind", raw: "/SECRET "},
	{name: "dots after a space", raw: "/OPEN/ /../../SECRET"},
	{name: "an escaped query", raw: "/SECRET%3Fx"},
	{name: "an escaped fragment", raw: "/SECRET%23x"},
	{name: "a fragment", raw: "/SECRET#x"},
	{name: "an empty fragment", raw: "/SECRET#"},
	{name: "a fragment and a query", raw: "/SECRET#?x"},
	{name: "a fragment of the root", raw: "/#/SECRET"},
	{name: "no more than a fragment", raw: "#/SECRET"},
	{name: "no more than a query", raw: "?/SECRET"},
	{name: "an escape cut off", raw: "/SECRET%2"},
	{name: "non-ASCII bytes behind", raw: "/SECRET\xc3\xa9"},
	{name: "no slash", raw: "SECRET"},
	{name: "a dot and no slash", raw: "./SECRET"},
	{name: "nothing", raw: ""},
	{name: "a star", raw: "*"},
	{name: "a star, OPTIONS", raw: "*", method: http.MethodOptions},
	{name: "a star and a path", raw: "*/SECRET"},
	{name: "a whole URL", raw: "http://api.example.com/SECRET"},
	{name: "a whole URL in upper case", raw: "HTTP://API.EXAMPLE.COM/SECRET"},
	{name: "a whole URL of another scheme", raw: "ftp://api.example.com/SECRET"},
	{name: "a whole URL of another host", raw: "http://other.example/SECRET"},
	{name: "a whole URL with a user", raw: "http://api.example.com@other.example/SECRET"},
	{name: "a whole URL with dots", raw: "http://api.example.com/OPEN/../SECRET"},
	{name: "a whole URL with two slashes", raw: "http://api.example.com//SECRET"},
	{name: "a whole URL without a path", raw: "http://api.example.com"},
	{name: "a whole URL without a path, with a query", raw: "http://api.example.com?/SECRET"},
	{name: "a whole URL without a path, with a fragment", raw: "http://api.example.com#/SECRET"},
	{name: "a whole URL with an escape in its host", raw: "http://api.example.com%2fSECRET"},
	{name: "a whole URL without a host", raw: "http:///SECRET"},
	{name: "a scheme and a path", raw: "http:/SECRET"},
	{name: "a scheme and no slash", raw: "http:SECRET"},
	{name: "a scheme before a whole URL", raw: "http:http://api.example.com/SECRET"},
	{name: "no scheme", raw: "//api.example.com/SECRET"},
	{name: "CONNECT and dots", raw: "/OPEN/../SECRET", method: http.MethodConnect},
	{name: "CONNECT and no slash", raw: "SECRET", method: http.MethodConnect},
	{name: "CONNECT and a host", raw: "api.example.com:443", method: http.MethodConnect},
}

// lax returns the path as a server with all the tolerant readings interprets it.
func lax(p string) string {
	for range 3 {
		if decoded, err := url.PathUnescape(p); err == nil {
			p = decoded
		}
	}
	if i := strings.IndexAny(p, "?#\x00"); i >= 0 {
		p = p[:i]
	}
	segments := strings.Split(strings.ReplaceAll(p, `\`, "/"), "/")
	for i, s := range segments {
		s, _, _ = strings.Cut(s, ";")
		if s != "." && s != ".." {
			s = strings.TrimRight(s, ". ")
		}
		segments[i] = s
	}
	return strings.ToLower(path.Clean("/" + strings.Join(segments, "/")))
}

// socketServer records whether SECRET ran, and the last request that the layer got.
type socketServer struct {
	mu     sync.Mutex
	secret bool
	seen   string
}

func (s *socketServer) runSecret(http.ResponseWriter, *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secret = true
}

// note records a request in front of the layer.
func (s *socketServer) note(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = fmt.Sprintf("Path %q RawPath %q Opaque %q RequestURI %q", r.URL.Path, r.URL.RawPath, r.URL.Opaque, r.RequestURI)
		s.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

func (s *socketServer) take() (secret bool, seen string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	secret, seen = s.secret, s.seen
	s.secret, s.seen = false, "nothing"
	return secret, seen
}

// socketReaders are servers behind the layer. Each runs SECRET for the paths that it takes for it.
var socketReaders = []struct {
	name string
	make func(t *testing.T, s *socketServer, secret string) http.Handler
}{
	{"mux", func(_ *testing.T, s *socketServer, secret string) http.Handler {
		mux := http.NewServeMux()
		mux.HandleFunc("/", emptyHandler)
		mux.HandleFunc("/"+secret, s.runSecret)
		return mux
	}},
	{"lax", laxReader},
	{"proxy to a lax one", func(t *testing.T, s *socketServer, secret string) http.Handler {
		return newProxy(t, laxReader(t, s, secret))
	}},
}

func laxReader(_ *testing.T, s *socketServer, secret string) http.Handler {
	secret = lax("/" + secret)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if lax(r.URL.Path) == secret {
			s.runSecret(w, r)
		}
	})
}

// TestPathsOverSockets sends request targets as bytes over sockets, since clients rewrite paths. SECRET runs only for
// the admin's origin, in any spelling and HTTP version. A server may refuse a path itself.
func TestPathsOverSockets(t *testing.T) {
	t.Parallel()
	for _, policy := range socketPolicies {
		first, rest := policy.secret[:1], policy.secret[1:]
		write := strings.NewReplacer("OPEN", policy.open, "BACKSLASHED", strings.ReplaceAll(policy.secret, "/", `\`),
			"SLASHED", strings.ReplaceAll(policy.secret, "/", "%2f"), "ESCAPED", fmt.Sprintf("%%%x", first)+rest, "SECRET", policy.secret)
		for _, wire := range wires {
			for _, reader := range socketReaders {
				t.Run(policy.name+"/"+wire.name+"/"+reader.name, func(t *testing.T) {
					t.Parallel()
					layer, _ := newLayer(t, policy.policy)
					seen := &socketServer{}
					server, _ := wire.start(t, seen.note(layer.Wrap(reader.make(t, seen, policy.secret))))
					for _, target := range socketTargets {
						if target.method == "" {
							target.method = http.MethodPost
						}
						target.raw = write.Replace(target.raw)
						seen.take()
						status := sendTarget(t, server, target, evil)
						if ran, saw := seen.take(); ran {
							t.Errorf("%s: %s %q ran for an origin that may not call it; the layer saw %s", target.name, target.method, target.raw, saw)
						} else if status == 0 && saw != "nothing" {
							t.Errorf("%s: %s %q got no answer; the layer saw %s", target.name, target.method, target.raw, saw)
						}
					}
					status := sendTarget(t, server, socketTarget{method: http.MethodPost, raw: "/" + policy.secret}, adminPage)
					if ran, saw := seen.take(); !ran || status != http.StatusOK {
						t.Errorf("the admin got %d, and it ran: %t; the layer saw %s", status, ran, saw)
					}
				})
			}
		}
	}
}

// sendTarget sends a request with an unchanged target. It returns the status of the response, or 0 if there is none.
func sendTarget(t *testing.T, server *httptest.Server, target socketTarget, origin string) int {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	status := 0
	switch {
	case server.TLS != nil:
		config := server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		config.ServerName, config.NextProtos = "example.com", []string{"h2"}
		status, err = sendHTTP2(tls.Client(conn, config), "https", target, origin)
	case server.Config.Protocols != nil && server.Config.Protocols.UnencryptedHTTP2():
		status, err = sendHTTP2(conn, "http", target, origin)
	default:
		status, err = sendHTTP1(conn, target, origin)
	}
	if err != nil {
		t.Fatalf("%s: %s %q: %v", target.name, target.method, target.raw, err)
	}
	return status
}

func sendHTTP1(conn net.Conn, target socketTarget, origin string) (int, error) {
	const request = "%s %s HTTP/1.1\r\nHost: api.example.com\r\nOrigin: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
	_, err := fmt.Fprintf(conn, request, target.method, target.raw, origin)
	if err != nil {
		return 0, err
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, err
}

// sendHTTP2 writes HTTP/2 frames itself, since a client would clean :path.
func sendHTTP2(conn net.Conn, scheme string, target socketTarget, origin string) (int, error) {
	var block bytes.Buffer
	headers := hpack.NewEncoder(&block)
	for _, field := range [][2]string{
		{":method", target.method}, {":scheme", scheme}, {":authority", "api.example.com"}, {":path", target.raw},
		{"origin", origin}, {"content-length", "0"},
	} {
		if err := headers.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}); err != nil {
			return 0, err
		}
	}
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		return 0, err
	}
	framer := http2.NewFramer(conn, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if err := framer.WriteSettings(); err != nil {
		return 0, err
	}
	err := framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true})
	if err != nil {
		return 0, err
	}
	return readStatus(framer)
}

// readStatus reads until the response is complete, or the server resets the stream or closes the connection.
func readStatus(framer *http2.Framer) (status int, err error) {
	for {
		frame, err := framer.ReadFrame()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return 0, err
		case err != nil: // the server closed the connection
			return 0, nil
		}
		switch frame := frame.(type) {
		case *http2.MetaHeadersFrame:
			if _, err := fmt.Sscan(frame.PseudoValue("status"), &status); err != nil {
				return 0, err
			}
			if frame.StreamEnded() {
				return status, nil
			}
		case *http2.DataFrame:
			if frame.StreamEnded() {
				return status, nil
			}
		case *http2.RSTStreamFrame:
			return 0, nil
		case *http2.GoAwayFrame: // if it has no error, the response still comes
			if frame.ErrCode != http2.ErrCodeNo {
				return 0, nil
			}
		}
	}
}
