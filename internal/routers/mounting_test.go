package routers

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
)

// The page that has a table of the mountings of each router, between these lines.
const (
	mountingPage = "../../corsrpc/docs/mounting.md"
	tablesBegin  = "<!-- this part is written by cd internal/routers && go test -run TestMountings -update . -->\n"
	tablesEnd    = "<!-- end of the tables -->\n"
)

var update = flag.Bool("update", false, "write the tables of corsrpc/docs/mounting.md anew")

// TestMountings compares the tables of corsrpc/docs/mounting.md with what pages in three browsers
// see of each mounting.
func TestMountings(t *testing.T) {
	results := make([][]string, len(mountings))
	for i, m := range mountings {
		for _, engine := range []corsbrowser.Engine{corsbrowser.Chromium, corsbrowser.Firefox, corsbrowser.WebKit} {
			var got []string
			synctest.Test(t, func(t *testing.T) { got = m.try(t, engine) })
			if results[i] == nil || slices.Equal(results[i], got) {
				results[i] = append([]string{}, got...)
				continue
			}
			t.Errorf("%s, row %d: %q in %s, and %q in another engine", m.router, i, got, engine, results[i])
		}
		if m.right && len(results[i]) > 0 {
			t.Errorf("%s, row %d is right, but: %q", m.router, i, results[i])
		}
	}
	text, err := os.ReadFile(mountingPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(text), tablesBegin)
	tables, after, ends := strings.Cut(rest, tablesEnd)
	if !begins || !ends {
		t.Fatalf("%s has no lines %q and %q", mountingPage, tablesBegin, tablesEnd)
	}
	got := mountingTables(t, results)
	if *update {
		if err := os.WriteFile(mountingPage, []byte(before+tablesBegin+got+tablesEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != tables {
		t.Errorf("%s differs; with -update it is written anew, then read the diff. Got:\n%s", mountingPage, got)
	}
}

// mountingTables returns the part of the page for the results of the mountings.
func mountingTables(t *testing.T, results [][]string) string {
	t.Helper()
	codes := mountingCodes(t)
	var b strings.Builder
	router := ""
	for i, m := range mountings {
		if m.router != router {
			router = m.router
			fmt.Fprintf(&b, "\n### %s\n\n%s\n\n| Routes | The server's handler | Result |\n| --- | --- | --- |\n", router, routerNotes[router])
		}
		result := strings.Join(results[i], " ")
		if result == "" {
			result = "Everything works"
			if m.unaryOnly {
				result = "Every unary call works"
			}
			if m.right {
				result = "**" + result + ".**"
			} else {
				result += "."
			}
			if m.options != nil {
				result += " The layer has `corsrpc.WithPathPrefix(\"/api\")`."
			}
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", codes[i].statements, codes[i].handler, result)
	}
	b.WriteString("\n")
	return b.String()
}

// mountingCode is the source text of a mounting.
type mountingCode struct {
	statements string // the statements, except the first, which makes the router
	handler    string // the expression that is returned
}

// mountingCodes returns the source texts of the mountings, in their order.
func mountingCodes(t *testing.T) (codes []mountingCode) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "mountings_test.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	source := func(n ast.Node) string {
		var b bytes.Buffer
		if err := printer.Fprint(&b, files, n); err != nil {
			t.Fatal(err)
		}
		return strings.Join(strings.Fields(b.String()), " ")
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Names[0].Name != "mountings" {
			return true
		}
		for _, row := range spec.Values[0].(*ast.CompositeLit).Elts {
			for _, field := range row.(*ast.CompositeLit).Elts {
				f, ok := field.(*ast.KeyValueExpr).Value.(*ast.FuncLit)
				if !ok {
					continue
				}
				var c mountingCode
				var statements []string
				for i, s := range f.Body.List {
					if r, ok := s.(*ast.ReturnStmt); ok {
						c.handler = source(r.Results[0])
					} else if i > 0 || strings.Contains(source(s), "layer") {
						statements = append(statements, source(s))
					}
				}
				c.statements = strings.Join(statements, "; ")
				codes = append(codes, c)
			}
		}
		return false
	})
	if len(codes) != len(mountings) {
		t.Fatalf("%d functions of %d mountings", len(codes), len(mountings))
	}
	return codes
}

// routerNotes are the notes about the routers: the names in the code, and why a mounting breaks.
var routerNotes = map[string]string{
	"net/http": "`recovering` is a middleware that answers a panic with status 500, and `authenticating` one that requires an `Authorization` header. Preflights have none.\n" +
		"A pattern with a method makes the mux answer preflights itself. `http.TimeoutHandler` keeps the response until the handler returns, so it cannot serve streams: put it around the handlers of unary calls only.",
	"connect-go v1": "`servicePath` and `handler` are the path and the handler that the generated function returns. Interceptors do not see preflights, or errors of the mux.",
	"connect-go v2": "`server()` returns a server with the service. `wrappingMux` wraps each handler that `connecthttp.Mount` adds in the layer.",
	"chi": "`r.Use` of the root router also runs for paths and methods without a route, so it is as good as `layer.Wrap(r)` if the layer is the first middleware.\n" +
		"`r.With`, and `Use` in a group, run for matching routes only: chi answers the preflight itself.",
	"gin": "After a middleware that returns, gin runs the next handler unless the middleware has called `c.Abort`. `gin.WrapH` does not call it, so calls that the layer refuses run.\n" +
		"`keepingWriter` is an adapter that runs the next handlers with gin's own writer instead of the layer's. `adapter` is `github.com/gwatts/gin-adapter`: it uses the layer's writer for Write, and gin's for WriteString (`writeString` is a handler that calls it).",
	"echo v4": "echo answers preflights of a route for POST itself. Middlewares of `r.Use` run before that, and those of one route do not.\n" +
		"`keepingResponse` is an adapter that runs the next handlers with echo's own response instead of the layer's writer; `echo.WrapMiddleware` passes the layer's on.",
	"echo v5":      "`echov5` is `github.com/labstack/echo/v5`.",
	"gorilla/mux":  "A middleware runs only if a route matches the path and the method. The preflight of a route with `Methods(\"POST\")` does not match, and gorilla/mux answers it itself.",
	"httprouter":   "httprouter answers OPTIONS requests itself.",
	"grpc-gateway": "`routeOf` makes a `runtime.HandlerFunc` of a handler, and `gatewayMiddleware` a `runtime.Middleware` of the layer. A middleware runs only if a route matches.",
}
