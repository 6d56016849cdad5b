package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/probe"
)

// probedSite is a server with the policy of testdata/examples that counts its requests by method.
type probedSite struct {
	*httptest.Server
	mu       sync.Mutex
	requests map[string]int
}

func (s *probedSite) count(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[method]
}

func newProbedSite(t *testing.T) *probedSite {
	t.Helper()
	layer, err := corsrpc.Load("testdata/examples/cors.yaml", corsrpc.WithFiles(filesOf(t)), corsrpc.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	wrapped := layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "{}")
	}))
	s := &probedSite{requests: map[string]int{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests[r.Method]++
		s.mu.Unlock()
		wrapped.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// probe runs the subcommand.
func runProbe(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = Run(t.Context(), Streams{Out: &o, Err: &e}, append([]string{"probe"}, args...))
	return code, o.String(), e.String()
}

// TestProbe: what the subcommand says, and its exit codes, with what the server gets.
func TestProbe(t *testing.T) {
	t.Parallel()
	image := filepath.Join(t.TempDir(), "image.binpb")
	if err := os.WriteFile(image, schema(t), 0o600); err != nil {
		t.Fatal(err)
	}
	const page = "https://app.example.com"
	for _, c := range []struct {
		name             string
		args             []string
		code             int
		out, errs        []string
		preflight, calls int
	}{
		{"passes", []string{"--from", page, "URL", "acme.account.v1.AccountService.Get"}, exitFine,
			[]string{"A page of " + page + " calls acme.account.v1.AccountService.Get at URL by POST.\n", "the preflight passes", "--send", "The preflight is reused for 2h in"}, []string{"sends 1 preflight to URL, one at a time", "are not sent"}, 1, 0},
		{"sent", []string{"--from", page, "--send", "--credentials", "URL", "acme.account.v1.AccountService.Get"}, exitFine,
			[]string{"the script can read the response (status 200)", "can read: content-length, content-type"}, []string{"The server executes the calls. The cookie of the calls is made up."}, 1, 2},
		{"blocked", []string{"--from", "https://evil.example", "URL", "acme.account.v1.AccountService.Get"}, exitFindings,
			[]string{"Header at fault: Access-Control-Allow-Origin, which is missing", "The server needs to send: Access-Control-Allow-Origin: https://evil.example", "ORIGIN_NOT_ALLOWED", "The console of WebKit says: Preflight response is not successful. Status code: 403", "The preflight got status 403"}, nil, 1, 0},
		{"two pages, two targets", []string{"--from", page, "--from", "https://evil.example", "URL", "acme.account.v1.AccountService.Get", "/healthz"}, exitFindings,
			[]string{"https://evil.example calls /healthz at URL by GET", page + " calls /healthz"}, []string{"2 preflights, 2 GETs that need no preflight"}, 2, 0},
		{"a prefix", []string{"--from", page, "--engine", "firefox", "URL/api", "/healthz"}, exitFindings,
			[]string{"In Firefox: ", "URL/api/healthz", "none covers this path"}, nil, 0, 0},
		{"all", []string{"--from", page, "--all", "--descriptors", image, "URL"}, exitFine,
			[]string{"by Connect:", "by gRPC-Web:", "by Connect, GET:", "acme.account.v1.AccountService: "}, []string{"The server executes GETs of procedures that are declared NO_SIDE_EFFECTS."}, -1, 0},
		{"all, one protocol", []string{"--from", page, "--all", "--protocol", "grpc-web", "--descriptors", image, "URL"}, exitFine,
			[]string{"by gRPC-Web:"}, nil, -1, 0},
		{"too many", []string{"--from", page, "--all", "--max-requests", "3", "--descriptors", image, "URL"}, exitUnknown,
			[]string{"a larger --max-requests"}, []string{"of these 3 at most (--max-requests)"}, 3, 0},
		{"not sent", []string{"--from", page, "--method", "POST", "URL", "/healthz"}, exitUnknown, []string{"without a preflight; the probe did not send it"}, []string{"sends nothing to URL: browsers send these calls without a preflight. Other calls are not sent (--send"}, 0, 0},
		{"mixed content", []string{"--from", page, "http://api.example.com", "a.v1.S.M"}, exitFindings, []string{"an https page cannot call an http URL"}, []string{"sends nothing to http://api.example.com: no browser sends these calls."}, 0, 0},
		{"unknown procedure", []string{"--from", page, "--descriptors", image, "URL", "acme.account.v1.AccountService.Gett"}, exitFine, nil, []string{"the schema does not have the procedure", "write acme.account.v1.AccountService.Get"}, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newProbedSite(t)
			args := slices.Clone(c.args)
			for i, arg := range args {
				args[i] = strings.Replace(arg, "URL", s.URL, 1)
			}
			code, out, errs := runProbe(t, args...)
			out, errs = strings.ReplaceAll(out, s.URL, "URL"), strings.ReplaceAll(errs, s.URL, "URL")
			if code != c.code {
				t.Errorf("exit %d, want %d\n%s%s", code, c.code, out, errs)
			}
			for _, want := range c.out {
				if !strings.Contains(out, want) {
					t.Errorf("%s\ndoes not have %q", out, want)
				}
			}
			for _, want := range c.errs {
				if !strings.Contains(errs, want) {
					t.Errorf("%s\ndoes not have %q", errs, want)
				}
			}
			if got := s.count("OPTIONS"); c.preflight >= 0 && got != c.preflight {
				t.Errorf("the server got %d preflights, want %d", got, c.preflight)
			}
			if got := s.count("POST"); got != c.calls {
				t.Errorf("the server got %d calls, want %d", got, c.calls)
			}
		})
	}
}

// TestProbeUsage: what a command line lacks is told, and nothing is sent.
func TestProbeUsage(t *testing.T) {
	t.Parallel()
	s := newProbedSite(t)
	const page = "https://app.example.com"
	for _, c := range []struct {
		args []string
		text string
	}{
		{nil, "name a server"},
		{[]string{s.URL, "/"}, "--from is missing"},
		{[]string{"--from", page, "api.example.com", "/"}, "write one such as https://api.example.com"},
		{[]string{"--from", page, "ftp://api.example.com", "/"}, "is not the URL of a server"},
		{[]string{"--from", page, "https://u:p@api.example.com", "/"}, "user name"},
		{[]string{"--from", page, s.URL + "#x", "/"}, "fragment"},
		{[]string{"--from", page + "/", s.URL, "/"}, "--from"},
		{[]string{"--from", "app.example.com", s.URL, "/"}, "--from"},
		{[]string{"--from", page, "http://localhost:", "/"}, "its origin"},
		{[]string{"--from", page, "http://localhost:0", "/"}, "port outside 1 to 65535"},
		{[]string{"--from", page, "http://127.1:8080", "/"}, "write http://127.0.0.1:8080"},
		{[]string{"--from", page, "https://b\u00fccher.example", "/"}, "write https://xn--bcher-kva.example"},
		{[]string{"--from", "https://b\u00fccher.example", s.URL, "/"}, "write https://xn--bcher-kva.example"},
		{[]string{"--from", "https://127.1", s.URL, "/"}, "write https://127.0.0.1"},
		{[]string{"--from", "https://*.example.com", s.URL, "/"}, "is not one origin"},
		{[]string{"--from", page, s.URL}, "name a procedure or a path"},
		{[]string{"--from", page, s.URL + "/a.v1.S/M"}, "as an argument of its own: " + s.URL + " /a.v1.S/M"},
		{[]string{"--from", page, s.URL + "?a=b", "/"}, "has a query"},
		{[]string{"--from", page, s.URL, "M"}, "neither the full name of a procedure"},
		{[]string{"--from", page, "--all", s.URL}, "--all needs the schema"},
		{[]string{"--from", page, "--all", "--descriptors", "x", s.URL, "/"}, "x"},
		{[]string{"--from", page, "--method", "A B", s.URL, "/"}, "is not an HTTP method"},
		{[]string{"--from", page, "--header", "X", s.URL, "/"}, "'Name: value'"},
		{[]string{"--from", page, "--header", "X Y: 1", s.URL, "/"}, "is not the name of a header field"},
		{[]string{"--from", page, "--header", "X: 1\r\nY: 2", s.URL, "/"}, "line end"},
		{[]string{"--from", page, "--protocol", "grpc", s.URL, "a.v1.S.M"}, "write connect or grpc-web"},
		{[]string{"--from", page, "--engine", "lynx", s.URL, "/"}, "is not an engine"},
		{[]string{"--from", page, "--max-requests", "0", s.URL, "/"}, "--max-requests 0"},
		{[]string{"--from", page, "--ca", "x.pem", s.URL, "/"}, "for servers with TLS"},
		{[]string{"--from", page, "--ca", "x.pem", "https://api.example.com", "/"}, "x.pem"},
	} {
		if code, out, errs := runProbe(t, c.args...); code != exitUsage || out != "" || !strings.Contains(errs, c.text) {
			t.Errorf("%q: exit %d: %s%s", c.args, code, out, errs)
		}
	}
	if s.count("OPTIONS")+s.count("GET")+s.count("POST") != 0 {
		t.Errorf("the server got requests: %v", s.requests)
	}
}

// TestProbeAllRefusesSend: no command line executes every procedure.
func TestProbeAllRefusesSend(t *testing.T) {
	t.Parallel()
	s := newProbedSite(t)
	image := filepath.Join(t.TempDir(), "image.binpb")
	if err := os.WriteFile(image, schema(t), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errs := runProbe(t, "--from", "https://app.example.com", "--all", "--send", "--descriptors", image, s.URL)
	if code != exitUsage || !strings.Contains(errs, "would execute every procedure") || len(s.requests) != 0 {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// TestProbeJSON: the document has what the text has.
func TestProbeJSON(t *testing.T) {
	t.Parallel()
	s := newProbedSite(t)
	code, out, errs := runProbe(t, "-o", "json", "--from", "https://evil.example", s.URL, "acme.account.v1.AccountService.Get")
	var d probeDocument
	if err := json.Unmarshal([]byte(out), &d); err != nil || code != exitFindings || d.Command != "probe" || d.SchemaVersion != 1 {
		t.Fatalf("exit %d: %v: %s%s", code, err, out, errs)
	}
	if d.Server != s.URL || d.Requests != (probedRequests{Preflights: 1, Sent: 1}) || len(d.Calls) != 1 || len(d.Calls[0].Views) != 1 {
		t.Fatalf("%+v", d)
	}
	v := d.Calls[0].Views[0]
	if v.Result != "blocked" || v.Check != "ALLOW_ORIGIN_ABSENT" || v.AtFault == nil || v.AtFault.Name != "Access-Control-Allow-Origin" || len(v.AtFault.Values) != 0 ||
		len(v.Console) != 3 || len(v.Engines) != 4 || len(v.Exchanges) != 1 || v.Exchanges[0].Status != http.StatusForbidden || v.Exchanges[0].HTTP != "HTTP/1.1" {
		t.Errorf("%+v", v)
	}
}

// TestProbeEscapes: what a server sends cannot control a terminal.
func TestProbeEscapes(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "https://evil.example/\u009b31m\u202e")
		w.Header().Set("Location", "/\u009b31m")
		w.WriteHeader(http.StatusFound)
	}))
	defer server.Close()
	for _, format := range []string{"text", "json"} {
		code, out, errs := runProbe(t, "-o", format, "--from", "https://app.example.com", server.URL, "a.v1.S.M", "/")
		if code != exitFindings || strings.ContainsAny(out+errs, "\u009b\u202e\x1b") || !strings.Contains(out, `u009b`) {
			t.Errorf("exit %d: %s%s", code, out, errs)
		}
	}
}

// TestProbeInterrupt: an interrupt ends the run.
func TestProbeInterrupt(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	defer server.Close()
	var out, errs bytes.Buffer
	code := Run(ctx, Streams{Out: &out, Err: &errs}, []string{"probe", "--from", "https://app.example.com", server.URL, "a.v1.S.M"})
	if code != exitUsage || out.Len() > 0 || !strings.HasSuffix(errs.String(), "interrupted\n") {
		t.Errorf("exit %d: %s%s", code, &out, &errs)
	}
}

// TestProbeBoundsRedirects: redirects within the server add no more requests than were announced, whatever the
// server does.
func TestProbeBoundsRedirects(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		w.Header().Set("Access-Control-Allow-Origin", "*")
		http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
	}))
	defer server.Close()
	code, out, errs := runProbe(t, "--from", "https://app.example.com", server.URL, "/a", "/b", "/c")
	if most := int32(3 + probe.MaxRedirected); code != exitFindings || requests.Load() > most || !strings.Contains(errs, "Redirects to the same server add 20 at most") || !strings.Contains(out, "--max-requests") {
		t.Errorf("exit %d, %d requests\n%s%s", code, requests.Load(), out, errs)
	}
}
