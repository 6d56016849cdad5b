package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/cors"

	"github.com/corsrpc/corsrpc-go/examples/mcp/weather"
	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
	cellstore "github.com/corsrpc/corsrpc-go/internal/e2e/cells"
)

// mcpColumns are the columns of the table in docs/mcp.md: what is in front of the server.
var mcpColumns = []struct {
	name string
	wrap func(t *testing.T, origin string, handler http.Handler) http.Handler
}{
	{"a list", mcpRecipe(mcpList)},
	{"a list, `Mcp-Session-Id` exposed", mcpRecipe(mcpList, "Mcp-Session-Id")},
	{"the full list", mcpRecipe(append([]string{"Last-Event-ID", "Mcp-Method", "Mcp-Name"}, mcpList...), "Mcp-Session-Id", "Mcp-Protocol-Version", "WWW-Authenticate")},
	{"corsrpc", func(t *testing.T, origin string, handler http.Handler) http.Handler {
		policy, err := os.ReadFile(filepath.Join(examples, "mcp/cors.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		return newLayer(t, origin, strings.ReplaceAll(string(policy), "http://localhost:8081", "ORIGIN")).Wrap(handler)
	}},
}

// mcpList is a list of request headers as people write it.
var mcpList = []string{"Content-Type", "Accept", "Authorization", "Mcp-Session-Id", "Mcp-Protocol-Version"}

// mcpRecipe returns the usual recipe for MCP: a general CORS middleware with lists of headers.
func mcpRecipe(allowed []string, exposed ...string) func(*testing.T, string, http.Handler) http.Handler {
	return func(_ *testing.T, origin string, handler http.Handler) http.Handler {
		return cors.New(cors.Options{
			AllowedOrigins: []string{origin},
			AllowedMethods: []string{http.MethodGet, http.MethodPost, http.MethodDelete, http.MethodOptions},
			AllowedHeaders: allowed,
			ExposedHeaders: exposed,
		}).Handler(handler)
	}
}

// mcpRows are the rows of the table, in order: calls of the page of examples/mcp.
var mcpRows = []string{
	"sdk 1.x: a session",
	"sdk 1.x: the list of tools",
	"sdk 1.x: a call",
	"sdk 1.x: a notification on the stream of the session",
	"sdk 1.x: a stream that is cut and resumed",
	"sdk 1.x: the end of a session",
	"sdk 1.x: 401, the discovery document, a token",
	"client 2.x: the revision",
	"client 2.x: the list of tools",
	"client 2.x: a call with Mcp-Param-Region",
	"client 2.x: notifications on the stream of a call",
	"client 2.x: 401, the discovery document, a token",
}

// TestMCPTable reproduces the table in docs/mcp.md: which calls of the page of examples/mcp work with a list of headers, and with the
// layer, in each browser. The connection of the call's stream is cut within it. With -v it prints the table.
func TestMCPTable(t *testing.T) {
	document, err := os.ReadFile("../../corsrpc/docs/mcp.md")
	if err != nil {
		t.Fatal(err)
	}
	dist := filepath.Join(examples, "mcp/web/dist")
	if _, err := os.Stat(filepath.Join(dist, "index.html")); err != nil {
		t.Fatalf("the page of examples/mcp is not built: run `make web`: %v", err)
	}
	forEachEngine(t, func(t *testing.T, engine browser.Engine) {
		works := make([]map[string]bool, len(mcpColumns))
		for i, column := range mcpColumns {
			site := http.NewServeMux()
			site.Handle("GET /", http.FileServer(http.Dir(dist)))
			page := pool.PageBeside(t, engine, site)
			warmUp(t, page)
			cut := make(chan struct{})
			site.HandleFunc("POST "+cutPath, func(_ http.ResponseWriter, r *http.Request) {
				select {
				case cut <- struct{}{}:
				case <-r.Context().Done():
				}
			})
			server := serveCut(t, cut, func(origin string) http.Handler {
				return column.wrap(t, page.Origin, weather.NewHandler(origin))
			})
			site.HandleFunc("GET /server.json", func(w http.ResponseWriter, _ *http.Request) {
				_ = json.NewEncoder(w).Encode(weather.PageData(server))
			})
			var shown map[string]string
			works[i], shown = readMCPPage(t, page)
			saw := map[string]string{}
			for call, text := range shown {
				saw[call] = map[bool]string{true: "yes", false: "no"}[works[i][call]]
				if !works[i][call] {
					t.Logf("behind %s: %s: %s", column.name, call, text)
				}
			}
			note(t, cellstore.Key{Test: "TestMCPTable", Browser: string(engine), Server: "go-sdk, behind " + column.name}, saw)
		}
		table := mcpTable(works)
		t.Logf("\n%s", table)
		if !strings.Contains(string(document), table) {
			t.Errorf("corsrpc/docs/mcp.md does not have this table:\n%s", table)
		}
	})
}

// mcpTable formats the table.
func mcpTable(works []map[string]bool) string {
	var b strings.Builder
	b.WriteString("| does it work in a page? |")
	for _, column := range mcpColumns {
		b.WriteString(" " + column.name + " |")
	}
	b.WriteString("\n|" + strings.Repeat(" --- |", len(mcpColumns)+1) + "\n")
	for _, row := range mcpRows {
		b.WriteString("| " + row + " |")
		for i := range mcpColumns {
			b.WriteString(map[bool]string{true: " yes |", false: " no |"}[works[i][row]])
		}
		b.WriteString("\n")
	}
	return b.String()
}

// cutPath is the path of the page's server to which the page sends a request when it has the first notification of a stream.
const cutPath = "/cut"

// connKey is the key of a request's connection in its context.
type connKey struct{}

// serveCut serves a handler, which knows its origin, until the test ends, and returns that origin. A response of a revision that can
// resume streams stops behind its first notification of progress. Then a value from cut cuts its connection.
func serveCut(t *testing.T, cut <-chan struct{}, handler func(origin string) http.Handler) string {
	t.Helper()
	listener, origin, err := browser.Listen()
	if err != nil {
		t.Fatal(err)
	}
	inner := handler(origin)
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && r.Header.Get("Mcp-Method") == "" {
				w = &cutWriter{w, r.Context().Value(connKey{}).(net.Conn), cut, r.Context().Done()}
			}
			inner.ServeHTTP(w, r)
		}),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
		ErrorLog:    log.New(io.Discard, "", 0),
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return origin
}

// cutWriter stops behind the first notification of progress, and cuts the connection.
type cutWriter struct {
	http.ResponseWriter
	conn net.Conn
	cut  <-chan struct{}
	gone <-chan struct{} // closed when the client has gone
}

func (w *cutWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *cutWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	if bytes.Contains(p, []byte(`"progress":1,`)) {
		_ = http.NewResponseController(w.ResponseWriter).Flush()
		select {
		case <-w.cut:
			_ = w.conn.Close()
		case <-w.gone:
		}
	}
	return n, err
}
