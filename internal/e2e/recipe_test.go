package e2e

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	connectcors "connectrpc.com/cors"
	"github.com/rs/cors"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
	cellstore "github.com/corsrpc/corsrpc-go/internal/e2e/cells"
	"github.com/corsrpc/corsrpc-go/internal/figures"
)

// A column of the table "what the script can read" is a kind of RPC: one call that succeeds and one that fails.
type column struct {
	name     string
	succeeds call
	fails    call
}

var columns = []column{
	{"Connect unary", greet(overConnect), call{Transport: overConnect, Method: "Fail", Requests: messages(`{"reason":"on purpose"}`)}},
	{"Connect GET", lookup("answer"), call{Transport: overConnect, Method: "Lookup", Get: true, Requests: messages(`{}`)}},
	{"Connect stream", countTo3(overConnect), failAfter2(overConnect)},
	{"gRPC-Web unary", greet(overGRPCWeb), call{Transport: overGRPCWeb, Method: "Fail", Requests: messages(`{"reason":"on purpose"}`)}},
	{"gRPC-Web stream", countTo3(overGRPCWeb), failAfter2(overGRPCWeb)},
}

func countTo3(transport string) call {
	return call{Transport: transport, Method: "Count", Requests: messages(`{"upTo":3}`)}
}

func failAfter2(transport string) call {
	return call{Transport: transport, Method: "FailStream", Requests: messages(`{"reason":"on purpose","after":2}`)}
}

// lines holds the rows of the table. Each row is a part of a response; readable reports whether the script could read it.
var lines = []struct {
	name     string
	readable func(succeeded, failed *reading) bool
}{
	{"message, code, error details", func(succeeded, failed *reading) bool {
		return len(succeeded.Messages) > 0 && failed.Error != nil && failed.Error.Code == "FailedPrecondition" &&
			(failed.Error.Message == "on purpose" || failed.Error.Message == "no key") && len(failed.Error.Details) == 1
	}},
	{"response metadata (custom headers)", func(succeeded, _ *reading) bool {
		return succeeded.Headers["x-showcase-header"] != ""
	}},
	{"trailers", func(succeeded, _ *reading) bool {
		return succeeded.Trailers["x-showcase-trailer"] != ""
	}},
	{"metadata of an error", func(_, failed *reading) bool {
		return failed.Error != nil && failed.Error.Metadata["x-showcase-error"] != ""
	}},
}

// recipe returns a handler with the usual recipe: a general CORS middleware with the lists of connectrpc.com/cors.
func recipe(origin string, handler http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{origin},
		AllowedMethods: connectcors.AllowedMethods(),
		AllowedHeaders: connectcors.AllowedHeaders(),
		ExposedHeaders: connectcors.ExposedHeaders(),
		MaxAge:         7200,
	}).Handler(handler)
}

// TestRecipeTable reproduces the comparison in the README: the parts that a script can read with the usual recipe, and with the
// layer. With -v it prints both tables.
func TestRecipeTable(t *testing.T) {
	behind := []struct {
		name   string
		figure string // the name of its figure
		wrap   func(t *testing.T, origin string, handler http.Handler) http.Handler
		want   string
		// The table for connect v2, if it differs: v2 sends the metadata of a gRPC-Web error in the body.
		wantV2 string
		// The number of preflights of ten calls of one procedure that alternate between Connect and gRPC-Web.
		preflights map[browser.Engine]int
	}{
		{
			name: "the usual recipe", figure: "recipe",
			wrap: func(_ *testing.T, origin string, handler http.Handler) http.Handler { return recipe(origin, handler) },
			want: `
| can the script read it? | Connect unary | Connect GET | Connect stream | gRPC-Web unary | gRPC-Web stream |
| --- | --- | --- | --- | --- | --- |
| message, code, error details | yes | yes | yes | yes | yes |
| response metadata (custom headers) | no | no | no | no | no |
| trailers | no | no | yes | yes | yes |
| metadata of an error | no | no | yes | no | yes |
`,
			wantV2: `
| can the script read it? | Connect unary | Connect GET | Connect stream | gRPC-Web unary | gRPC-Web stream |
| --- | --- | --- | --- | --- | --- |
| message, code, error details | yes | yes | yes | yes | yes |
| response metadata (custom headers) | no | no | no | no | no |
| trailers | no | no | yes | yes | yes |
| metadata of an error | no | no | yes | yes | yes |
`,
			preflights: map[browser.Engine]int{browser.Chromium: 10, browser.Firefox: 2, browser.WebKit: 10},
		},
		{
			name: "corsrpc", figure: "corsrpc",
			wrap: func(t *testing.T, origin string, handler http.Handler) http.Handler {
				return newLayer(t, origin, "defaults: {allow_origins: [ORIGIN]}").Wrap(handler)
			},
			want: `
| can the script read it? | Connect unary | Connect GET | Connect stream | gRPC-Web unary | gRPC-Web stream |
| --- | --- | --- | --- | --- | --- |
| message, code, error details | yes | yes | yes | yes | yes |
| response metadata (custom headers) | yes | yes | yes | yes | yes |
| trailers | yes | yes | yes | yes | yes |
| metadata of an error | yes | yes | yes | yes | yes |
`,
			preflights: map[browser.Engine]int{browser.Chromium: 1, browser.Firefox: 1, browser.WebKit: 1},
		},
	}
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		for _, b := range behind {
			for _, from := range connectImplementations {
				t.Run(b.name+", "+from.name, func(t *testing.T) {
					server := serveAPI(t, b.wrap(t, page.Origin, from.handler()))
					got := readTable(t, page, server, cellstore.Key{Test: "TestRecipeTable", Browser: string(page.Engine), Server: from.name + ", behind " + b.name})
					t.Logf("behind %s:\n%s", b.name, got)
					want := strings.TrimSpace(b.want)
					if from.version == 2 && b.wantV2 != "" {
						want = strings.TrimSpace(b.wantV2)
					}
					if got != want {
						t.Errorf("behind %s the script can read\n%s\nwant\n%s", b.name, got, want)
					}
				})
			}
			t.Run(b.name+", preflights", func(t *testing.T) {
				server := serveAPI(t, b.wrap(t, page.Origin, showcaseV1()))
				alternating := make([]call, 0, 10)
				for range 5 {
					alternating = append(alternating, greet(overConnect), greet(overGRPCWeb))
				}
				runCalls(t, page, server, alternating...)
				preflights, calls := server.take()
				key := cellstore.Key{Test: "TestRecipeTable", Browser: string(page.Engine), Server: "connect v1, behind " + b.name, Call: "10 calls that alternate between Connect and gRPC-Web"}
				note(t, key, map[string]string{"preflights": strconv.Itoa(len(preflights)), "requests": strconv.Itoa(len(calls))})
				t.Logf("10 calls that alternate between Connect and gRPC-Web: %d preflights", len(preflights))
				figures.Check(t, "preflights.alternating."+b.figure+"."+strings.ToLower(string(page.Engine)), figures.Count(len(preflights)))
				if want := b.preflights[page.Engine]; len(calls) != 10 || len(preflights) != want {
					t.Errorf("10 alternating calls took %d preflights and arrived %d times, want %d and 10: %s",
						len(preflights), len(calls), want, describe(preflights))
				}
			})
		}
	})
}

// readTable makes the calls of all columns, and returns the table. Each column is a cell of that key.
func readTable(t *testing.T, page *browser.Page, server *api, key cellstore.Key) string {
	t.Helper()
	var calls []call
	for _, c := range columns {
		calls = append(calls, c.succeeds, c.fails)
	}
	readings := runCalls(t, page, server, calls...)

	var head, rule strings.Builder
	body := make([]strings.Builder, len(lines))
	head.WriteString("| can the script read it? |")
	rule.WriteString("| --- |")
	for i, l := range lines {
		fmt.Fprintf(&body[i], "| %s |", l.name)
	}
	for _, c := range columns {
		fmt.Fprintf(&head, " %s |", c.name)
		rule.WriteString(" --- |")
		succeeded, failed := &readings[0], &readings[1]
		readings = readings[2:]
		readable := map[string]string{}
		for i, l := range lines {
			cell := "no"
			if l.readable(succeeded, failed) {
				cell = "yes"
			}
			fmt.Fprintf(&body[i], " %s |", cell)
			readable[l.name] = cell
		}
		key.Call = c.name
		note(t, key, readable)
	}
	table := []string{head.String(), rule.String()}
	for i := range body {
		table = append(table, body[i].String())
	}
	return strings.Join(table, "\n")
}
