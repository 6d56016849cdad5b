package corsrpc_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// hostileOrigins reads the corpus of invalid origins, which internal/origin also uses.
func hostileOrigins(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../internal/origin/testdata/hostile-origins.txt")
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		value, err := strconv.Unquote(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		values = append(values, value)
	}
	return append(values, "https://"+strings.Repeat("a", 1<<20)+".example.com", strings.Repeat("https://app.example.com,", 1<<15))
}

// originRules are the kinds of rules that TestHostileOrigins tries.
const originRules = `
defaults:
  allow_origins:
    - https://app.example.com
    - https://app.example.com:8443
    - https://*.example.org
    - https://ports.example.net:*
    - https://*.wild.example.net:*
    - capacitor://localhost
rules:
  - path: /path
  - selector: acme.account.v1.AccountService
    allow_credentials: true
`

// TestHostileOrigins checks that no invalid origin is granted or reaches the handler, and that no
// response to one has an Access-Control field.
func TestHostileOrigins(t *testing.T) {
	t.Parallel()
	values := hostileOrigins(t)
	if len(values) < 150 {
		t.Fatalf("%d hostile origins, want at least 150", len(values))
	}
	layer, _ := newLayer(t, originRules)
	h := layer.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("Origin %.80q reached the handler by %s %s", r.Header["Origin"], r.Method, r.URL.Path)
	}))
	try := func(origins []string) {
		for _, path := range []string{listRPC, getRPC, "/acme.account.v1.AccountService/Close", "/unknown.v1.S/M?encoding=json", "/path"} {
			for _, method := range []string{"POST", "GET", "OPTIONS"} {
				header := http.Header{"Origin": origins, "Access-Control-Request-Method": {"POST"}, "Content-Type": {"application/json"}}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, newRequest(method, path, header))
				if w.Code != http.StatusForbidden {
					t.Errorf("%s %s from %.80q: %d", method, path, origins, w.Code)
				}
				for key := range w.Header() {
					if strings.HasPrefix(key, "Access-Control-") {
						t.Errorf("%s %s from %.80q: %s: %q", method, path, origins, key, w.Header()[key])
					}
				}
			}
		}
	}
	for _, value := range values {
		try([]string{value})
		try([]string{"https://app.example.com", value})
		try([]string{value, "https://app.example.com"})
	}
}

// TestWildcardRefusesMalformedOrigins checks that a rule for everyone does not allow a malformed
// origin.
func TestWildcardRefusesMalformedOrigins(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, `defaults: {allow_origins: ["*"]}`)
	h := layer.Wrap(emptyHandler)
	for _, value := range []string{"", " ", "https://A.example", "https://a.example/", "https://a.example:443", "https://user@a.example", "https://a.example\x00", "a.example", "https://", "https://é.example", strings.Repeat("a", 1<<20)} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, newRequest(http.MethodPost, listRPC, http.Header{"Origin": {value}}))
		if w.Code != http.StatusForbidden || len(w.Header()["Access-Control-Allow-Origin"]) > 0 {
			t.Errorf("Origin %.40q: %d %v", value, w.Code, w.Header())
		}
	}
}

// pathSpellings are spellings of the path of Close, which only the admin's origin may call.
func pathSpellings() []string {
	const p, s, m = "acme.account.v1", "AccountService", "Close"
	service := p + "." + s
	return []string{
		"/" + service + "/" + m + "/", "/" + service + "/" + m + "//", "//" + service + "/" + m, "///" + service + "/" + m,
		"/" + service + "//" + m, "/./" + service + "/" + m, "/" + service + "/./" + m, "/" + service + "/" + m + "/.",
		"/x/../" + service + "/" + m, "/" + service + "/x/../" + m, "/" + service + "/" + m + "/x/..", "/../" + service + "/" + m,
		"/" + service + "/Clos%65", "/" + service + "/%43lose", "/" + service + "%2FClose", "/" + service + "%2fClose",
		"/acme%2Eaccount.v1.AccountService/Close", "/%61cme.account.v1.AccountService/Close", "/" + service + "/Clos%2565",
		"/" + service + "/Clos%252565", "/%2e/" + service + "/" + m, "/x/%2e%2e/" + service + "/" + m, "/%2F" + service + "/" + m,
		"/" + service + "/close", "/" + service + "/CLOSE", "/" + service + "/cLOSE", "/acme.account.v1.accountservice/Close",
		"/ACME.ACCOUNT.V1.ACCOUNTSERVICE/CLOSE", "/Acme.account.v1.AccountService/Close", "/acme.Account.v1.AccountService/Close",
		"/acme.account.V1.AccountService/Close", "/" + service + "/close/", "/" + service + "/Clos%45",
		"/" + service + "%5CClose", "/%5C" + service + "/Close", "/" + service + "/Close%2F", "/" + service + "/%2E/Close",
		"/x/..%2F" + service + "/Close", "/" + service + "/x/%2e%2e/Close", "/" + service + "/Close/%2e", "/%2561cme.account.v1.AccountService/Close",
		"/" + service + "/Close%2f%2f", "//" + service + "//" + m + "//",
	}
}

const closePolicy = `
defaults:
  allow_origins: [https://app.example.com]
rules:
  - selector: acme.account.v1.AccountService.Close
    allow_origins: [https://admin.example.com]
  - path: /
    allow_origins: [https://app.example.com]
`

// TestPathConfusion checks that Close runs only for the admin's origin, in whichever way the path is
// spelled and the server behind the layer interprets it.
func TestPathConfusion(t *testing.T) {
	t.Parallel()
	spellings := pathSpellings()
	if len(spellings) < 40 {
		t.Fatalf("%d spellings, want at least 40", len(spellings))
	}
	// reads is how tolerant a server is when it interprets a path.
	reads := map[string]func(string) string{
		"strict":     func(p string) string { return p },
		"lower case": strings.ToLower,
		"trimmed":    func(p string) string { return "/" + strings.Trim(p, "/") },
		"decoding twice": func(p string) string {
			for range 3 {
				if d, err := url.PathUnescape(p); err == nil {
					p = d
				}
			}
			return p
		},
		"backslashes": func(p string) string { return strings.ReplaceAll(p, `\`, "/") },
	}
	for name, read := range reads {
		closed := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.EqualFold(read(r.URL.Path), "/acme.account.v1.AccountService/Close") && (name == "lower case" || read(r.URL.Path) == "/acme.account.v1.AccountService/Close") {
				io.WriteString(w, "closed")
			}
		})
		stacks := map[string]func(t *testing.T) http.Handler{
			"handler": func(*testing.T) http.Handler { return closed },
			"mux": func(*testing.T) http.Handler {
				mux := http.NewServeMux()
				mux.Handle("/", closed)
				mux.Handle("/acme.account.v1.AccountService/", closed)
				return mux
			},
			"reverse proxy": func(t *testing.T) http.Handler {
				return newProxy(t, closed)
			},
		}
		for stackName, stack := range stacks {
			for _, mount := range []string{"", "/api"} {
				t.Run(fmt.Sprintf("%s/%s/prefix=%s", name, stackName, mount), func(t *testing.T) {
					t.Parallel()
					layer, err := corsrpc.New(compilePolicy(t, closePolicy), quiet)
					if err != nil {
						t.Fatal(err)
					}
					h := layer.Wrap(stack(t))
					if mount != "" {
						h = http.StripPrefix(mount, h)
					}
					server := httptest.NewServer(h)
					t.Cleanup(server.Close)
					for _, spelling := range append(spellings, "/acme.account.v1.AccountService/Close") {
						if body := rawPost(t, server.Listener.Addr().String(), mount+spelling, page); strings.Contains(body, "closed") {
							t.Errorf("%s ran Close for an origin that may not call it", spelling)
						}
					}
					if body := rawPost(t, server.Listener.Addr().String(), mount+"/acme.account.v1.AccountService/Close", "https://admin.example.com"); !strings.Contains(body, "closed") {
						t.Errorf("the admin cannot close: %s", body)
					}
				})
			}
		}
	}
}

// rawPost sends a path unchanged; http.Client would normalize some paths.
func rawPost(t *testing.T, addr, path, origin string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: api.example.com\r\nOrigin: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", path, origin)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestLongPaths checks that the layer resolves no path that is longer than every path of the
// schema, and that it resolves the path of a procedure with a long name.
func TestLongPaths(t *testing.T) {
	t.Parallel()
	long := "M" + strings.Repeat("m", 4<<10)
	files, err := protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{{
		Name: proto.String("long.proto"), Syntax: proto.String("proto3"), Package: proto.String("acme.v1"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M")}},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("LongService"), Method: []*descriptorpb.MethodDescriptorProto{
			{Name: &long, InputType: proto.String(".acme.v1.M"), OutputType: proto.String(".acme.v1.M")},
		}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	known := "/acme.v1.LongService/" + long
	for _, test := range []struct {
		name string
		plan *corsrpc.Plan
		path string
		want corsrpc.Reason
	}{
		{"a known procedure", compilePolicy(t, smallest, corsrpc.WithFiles(files)), known, corsrpc.ReasonOriginAllowed},
		{"longer than it", compilePolicy(t, smallest, corsrpc.WithFiles(files)), known + "m", corsrpc.ReasonPathNotCanonical},
		{"not known", compilePolicy(t, smallest), known, corsrpc.ReasonPathNotCanonical},
		{"no procedure's", compilePolicy(t, smallest), strings.Repeat("/a", 4<<10), corsrpc.ReasonPathNotCanonical},
	} {
		d := test.plan.Decide(corsrpc.Request{Method: http.MethodPost, Host: "api.example.com", Path: test.path, Header: http.Header{"Origin": {page}}})
		if d.Reason() != test.want {
			t.Errorf("%s: %s, want %s", test.name, d.Reason(), test.want)
		}
	}
}

// TestLongMethods checks that a request is not a preflight if its Access-Control-Request-Method is
// longer than the maximum.
func TestLongMethods(t *testing.T) {
	t.Parallel()
	plan := compilePolicy(t, smallest)
	for length, want := range map[int]bool{8 << 10: true, 8<<10 + 1: false} {
		d := plan.Decide(corsrpc.Request{Method: http.MethodOptions, Host: "api.example.com", Path: listRPC, Header: http.Header{
			"Origin": {page}, "Access-Control-Request-Method": {strings.Repeat("A", length)},
		}})
		if d.Preflight() != want {
			t.Errorf("a method of %d bytes: a preflight: %v", length, d.Preflight())
		}
		if d.Missing() != "" && !want {
			t.Errorf("a method of %d bytes is kept", length)
		}
	}
}
