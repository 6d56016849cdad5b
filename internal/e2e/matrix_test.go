package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	showcasev1 "github.com/corsrpc/corsrpc-go/examples/showcase/gen/showcase/v1"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
	cellstore "github.com/corsrpc/corsrpc-go/internal/e2e/cells"
	"github.com/corsrpc/corsrpc-go/internal/figures"
)

// TestMatrix makes every call of the table in every browser, with and without cookies, to every server behind the layer. It
// asserts everything that the script read, and the requests of the server.
func TestMatrix(t *testing.T) {
	tested := 0
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		setCookie(t, page)
		for _, server := range implementations {
			for _, credentials := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, credentials %t", server.name, credentials), func(t *testing.T) {
					tested += testCells(t, "TestMatrix", page, server, credentials, server.behindLayer)
				})
			}
		}
	})
	t.Logf("%d cells", tested)
	want := 0
	for _, server := range implementations {
		want += len(browser.Engines) * 2 * len(cells(server))
	}
	figures.Check(t, "matrix.cells", figures.Count(want))
	if tested != want && !t.Failed() && !filtered() {
		t.Errorf("%d cells were tested, want all %d", tested, want)
	}
}

// reach starts what the page calls to reach the server, which enforces the policy.
type reach func(t *testing.T, origin, policy string) *api

// behindLayer reaches the server behind the layer, in this process.
func (i implementation) behindLayer(t *testing.T, origin, policy string) *api {
	t.Helper()
	return serveAPI(t, newLayer(t, origin, policy).Wrap(i.handler()))
}

// matrixPolicy is the policy of the matrix, as a format with allow_credentials.
const matrixPolicy = `
defaults:
  allow_origins: [ORIGIN]
rules:
  - selector: showcase.v1.ShowcaseService
    allow_credentials: %t
`

// testCells tests one combination of browser, server and credentials, and returns the number of cells.
func testCells(t *testing.T, test string, page *browser.Page, from implementation, credentials bool, reached reach) int {
	t.Helper()
	server := reached(t, page.Origin, fmt.Sprintf(matrixPolicy, credentials))
	var calls []call
	for _, c := range cells(from) {
		calls = append(calls, c.call(credentials))
	}
	readings := runCalls(t, page, server, calls...)
	preflights, arrived := server.take()
	requests, complete := requestsOf(cells(from), arrived)
	key := cellstore.Key{Test: test, Browser: string(page.Engine), Server: from.name, Credentials: credentials}
	note(t, with(key, "", "all calls of the server"), map[string]string{"preflights": strconv.Itoa(len(preflights)), "requests": strconv.Itoa(len(arrived))})
	for i, c := range cells(from) {
		saw := readings[i].seen().values()
		maps.Copy(saw, requestValues(requests[i], complete))
		note(t, with(key, c.format(), c.row.name), saw)
	}
	if !complete {
		t.Fatalf("the server saw %s, want one request for every call that browsers can make", describe(arrived))
	}
	if want := len(sentProcedures(cells(from))); len(preflights) != want {
		t.Errorf("%d calls took %d preflights, want one for each of %d procedures: %s", len(arrived), len(preflights), want, describe(preflights))
	}

	var cookieNames, cookies []string
	if credentials {
		cookieNames, cookies = []string{"session"}, []string{"session=e2e"}
	}
	tested := 0
	for i, c := range cells(from) {
		t.Run(c.name(), func(t *testing.T) {
			tested++
			readings[i].seen().compare(t, from.differing(t, c, c.want(from, cookieNames)))
			if r := requests[i]; r != nil && !slices.Equal(r.Cookies, cookies) {
				t.Errorf("the cookies %q arrived, want %q", r.Cookies, cookies)
			}
		})
	}
	return tested
}

// requestsOf returns the request of each cell, nil where none arrived. It is complete if one request
// arrived for every call that browsers can make, in order, and nothing else.
func requestsOf(cells []cell, arrived []request) (requests []*request, complete bool) {
	complete = true
	for _, c := range cells {
		var r *request
		if len(arrived) > 0 && arrived[0].Method == c.httpMethod() && arrived[0].Path == c.path() {
			r, arrived = &arrived[0], arrived[1:]
		}
		complete = complete && (r == nil) == c.neverSent
		requests = append(requests, r)
	}
	return requests, complete && len(arrived) == 0
}

// requestValues returns what a cell shows of its request, which is nil where none arrived. Unless the
// requests are complete, it is unknown which request is whose.
func requestValues(r *request, complete bool) map[string]string {
	switch {
	case !complete:
		return nil
	case r == nil:
		return map[string]string{"request": "none"}
	}
	return map[string]string{
		"request":           r.Method,
		"request's headers": strings.ToLower(strings.Join(slices.Sorted(maps.Keys(r.Header)), " ")),
		"request's cookies": strings.Join(r.Cookies, "; "),
	}
}

// with returns the key of a cell.
func with(key cellstore.Key, client, call string) cellstore.Key {
	key.Client, key.Call = client, call
	return key
}

// note appends a cell to the file that CORSRPC_CELLS names, if it names one.
func note(t *testing.T, key cellstore.Key, saw map[string]string) {
	t.Helper()
	if err := cellstore.Append(cellstore.Cell{Key: key, Saw: saw}); err != nil {
		t.Error(err)
	}
}

// sentProcedures returns the paths of the procedures that browsers call with POST.
func sentProcedures(cells []cell) map[string]bool {
	paths := map[string]bool{}
	for _, c := range cells {
		if !c.neverSent && c.httpMethod() == http.MethodPost {
			paths[c.path()] = true
		}
	}
	return paths
}

// TestMatrixLeavesOutNoMethod: the table has each method of the schema.
func TestMatrixLeavesOutNoMethod(t *testing.T) {
	for _, server := range implementations {
		inTable := map[string]bool{}
		for _, c := range cells(server) {
			inTable[c.format()+" "+c.method] = true
		}
		formats := []string{
			"grpc-web, binary", "grpc-web client, text", "grpc-web client, binary",
			"protobuf-ts, text", "protobuf-ts, binary", "nice-grpc-web, binary",
		}
		if server.version != 0 {
			formats = append(formats, "connect, JSON", "connect, binary", "grpc-web, JSON")
		}
		want := 0
		methods := showcasev1.File_showcase_v1_showcase_proto.Services().ByName("ShowcaseService").Methods()
		for i := range methods.Len() {
			for _, format := range formats {
				method := methods.Get(i)
				if method.IsStreamingClient() && !strings.HasPrefix(format, overConnect+",") && !strings.HasPrefix(format, overGRPCWeb+",") {
					continue // the other clients do not support this kind of method
				}
				want++
				if name := string(method.Name()); !inTable[format+" "+name] {
					t.Errorf("%s: no row calls %s over %s", server.name, name, format)
				}
			}
		}
		if len(inTable) != want {
			t.Errorf("%s: the table calls %d methods over transports, want %d: a method in a row is misspelled", server.name, len(inTable), want)
		}
	}
}
