//go:build nginx

package export_test

import (
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/export"
	"github.com/corsrpc/corsrpc-go/internal/nginx"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// moreRules are rules that testdata/rich.yaml does not have.
const moreRules = `
  - path: /shared
    allow_origins: ["null", ionic://A, ionic://a, capacitor://a$b]
    allow_headers: [authorization, x$y]
    allow_methods: [GET, POST]
    accept_risks: [NULL_ORIGIN]
  - path: /$a
    allow_origins: ["*"]
    allow_methods: [GET, POST]
    allow_headers: [x-a]
    expose_headers: [x-b]
    max_age: 1s
  - path: /p/{a}/b
    allow_origins: ["http://localhost:*"]
`

// linesModel returns the model of testdata/rich.yaml with more rules.
func linesModel(t *testing.T, upstream string) *export.Model {
	t.Helper()
	text, err := os.ReadFile("testdata/rich.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := corsrpc.ParsePolicy("rich.yaml", append(text, moreRules...))
	if err != nil {
		t.Fatal(err)
	}
	files, err := vectors.Schema("")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithFiles(files), corsrpc.WithDocument(doc))
	if err != nil {
		t.Fatal(err)
	}
	m, err := export.New(planaccess.Rules(plan), export.Options{OwnOrigins: []string{"https://api.example.com"}, Upstream: upstream})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// structure are the lines of which the first and the last belong together.
var structure = regexp.MustCompile(`^\s*(?:#.*|.*\{|\}|)$`)

// unnoticed are the lines that may be dropped, and why.
var unnoticed = []struct{ line, why string }{
	{`^map_hash_max_size`, "nginx has this size by default; TestNginxManyProcedures needs it"},
	{`^    ".*" "0 /`, "the row of the other spellings closes the path too"},
	{`# other paths of acme[.]catalog[.]`, "the row of a selector closes these paths too"},
	{`# procedures of acme[.]catalog[.]v1[.][*] that`, "the rows of its services, and the rows of paths without a rule, close them too"},
	{`# other spellings of /tenants`, "the rule lists no page, and the rows of paths without a rule close the path too"},
	{`^    default (?:other|unlisted|refuse);$`, "a word for readers"},
	{`^    0 closed;`, "a word for readers"},
	{`^    listen `, "nginx would listen at a port"},
}

// TestNginxDroppedLines drops each line of an export in turn: nginx does not start, or it answers differently.
func TestNginxDroppedLines(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	m := linesModel(t, b.url)
	lines := strings.SplitAfter(nginxText(t, m), "\n")
	exchanges := exchangesOf(m)
	whole := nginx.Start(t, environment+strings.Join(lines, "")).Transport()
	defer whole.CloseIdleConnections()
	want := b.observe(t, whole, exchanges, nil)
	if !slices.Equal(want, b.observe(t, whole, exchanges, want)) || !b.streams(t, whole) {
		t.Fatal("the answers are not always the same, or nginx holds them back")
	}
	used := map[string]bool{}
	noticed := 0
	for i, line := range lines {
		if structure.MatchString(strings.TrimSuffix(line, "\n")) {
			continue
		}
		if reason := slices.IndexFunc(unnoticed, func(u struct{ line, why string }) bool {
			return regexp.MustCompile(u.line).MatchString(strings.TrimSuffix(line, "\n"))
		}); reason >= 0 {
			used[unnoticed[reason].line] = true
			continue
		}
		if i%droppedLines > 0 {
			continue
		}
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			s, _, ok := nginx.Starts(t, environment+strings.Join(slices.Delete(slices.Clone(lines), i, i+1), ""))
			client := s.Transport()
			defer client.CloseIdleConnections()
			if ok && slices.Equal(want, b.observe(t, client, exchanges, want)) && b.streams(t, client) {
				t.Errorf("nobody notices that this line is missing: %s", line)
			}
		})
		noticed++
	}
	t.Logf("%d lines, %d exchanges", noticed, len(exchanges))
	for _, u := range unnoticed {
		if !used[u.line] {
			t.Errorf("no line is like %s", u.line)
		}
	}
}

// environment is another server, and what the http block of a user may have.
const environment = `underscores_in_headers on;
server {
    listen unix:` + nginx.Socket + ` default_server;
    underscores_in_headers on;
    return 404;
}
`

// exchange is a request.
type exchange struct {
	method, target string
	fields         []string
}

// exchangesOf returns requests that ask for all that a model grants and refuses.
func exchangesOf(m *export.Model) (all []exchange) {
	for _, c := range nginxCases {
		all = append(all, exchange{c.method, c.target, c.fields})
	}
	pages := map[string]bool{"https://evil.example": true, "https://a.preview.example.com": true, "https://pr-1.example.net:1": true, "http://localhost:3000": true}
	for _, a := range m.Answers {
		for _, o := range a.Origins {
			pages[o] = true
		}
	}
	targets := []string{"/Greeter/None", "/acme.account.v1/AccountService", "/acme.internal.v1/AdminService", "/acme.catalog.v1.New/A", "/grpc.health.v1.Health/None", "/grpc.reflection.v1.ServerReflection/None", "/files/SECRET", "/NOBODY", "/acme.account.v1.AccountService/None", "/acme.internal.v1.AdminService/None", "/v1/", "/V1/7", "/Files/a", "/healthz/", "/shared/", "/$A", "/p/x/b/", "/p/x/b", "/v1/7", "/files/a/b", "/x.y/Z?encoding=json", "/a;b"}
	for _, r := range m.Routes {
		if r.Path != "" {
			targets = append(targets, r.Path)
		}
	}
	for _, target := range targets {
		for _, page := range slices.Sorted(maps.Keys(pages)) {
			all = append(all, exchange{"POST", target, fromPage(page)}, exchange{"OPTIONS", target, preflightOf(page, "POST")})
		}
		all = append(all, exchange{"GET", target, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}})
	}
	for _, field := range [][2]string{{"Cookie", "a=1"}, {"Authorization", "Basic YTpi"}, {"Upgrade", "websocket"}, {"Sec_Fetch_Site", "same-origin"}} {
		for _, mode := range []string{"cors", "no-cors", "navigate"} {
			for _, method := range []string{"GET", "POST"} {
				for _, target := range []string{"/shared", list, change, "/files/a"} {
					for _, page := range []string{"null", app, ""} {
						fields := []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", mode, field[0], field[1]}
						if field[0] == "Sec_Fetch_Site" {
							fields = fields[2:]
						}
						if page != "" {
							fields = append(fields, "Origin", page)
						}
						all = append(all, exchange{method, target, fields})
					}
				}
			}
		}
	}
	all = append(all, exchange{"POST", change, []string{"Origin", app}})
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] }) // so that a difference is found soon
	return all
}

// observe returns what the exchanges show: of the answers, and of the requests that reach the server. It stops where
// that is not what is wanted.
func (b *backend) observe(t testing.TB, client http.RoundTripper, exchanges []exchange, want []string) (seen []string) {
	t.Helper()
	b.serve(generousServer)
	for i, x := range exchanges {
		b.last.Store(nil)
		text := "no answer"
		if a, err := b.try(t, client, x.method, x.target, x.fields...); err == nil {
			text = fmt.Sprintf("%d %q %s", a.status, a.body, a.header["Content-Type"])
			for _, name := range policyFields {
				text += fmt.Sprintf(" %q", a.header[name])
			}
		}
		if got := b.last.Load(); got != nil {
			text += fmt.Sprintf(" %s %s %s %q %q", got.RequestURI, got.Proto, got.Host, got.Header["Upgrade"], got.Header["Connection"])
		}
		seen = append(seen, text)
		if want != nil && text != want[i] {
			break
		}
	}
	return seen
}

// streams reports whether a part of a response arrives before its end.
func (b *backend) streams(t testing.TB, client http.RoundTripper) bool {
	t.Helper()
	const patience = 300 * time.Millisecond // nginx sends a response that it holds back only after that
	arrived, early := make(chan struct{}), make(chan bool, 1)
	b.serve(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n") // the end of the connection ends the body
		_, _ = io.WriteString(conn, "part")
		select {
		case <-arrived:
			early <- true
		case <-time.After(patience):
			early <- false
		}
	})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://api.example.com"+list, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.ReadFull(response.Body, make([]byte, 4)); err != nil {
		t.Error(err)
	}
	close(arrived)
	return <-early
}
