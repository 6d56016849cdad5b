package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// handled records the requests that reach a handler behind a layer.
type handled struct {
	http.Handler

	mu   sync.Mutex
	seen []string
}

// newHandled returns a recorder around the showcase service and paths that respond with "the handler ran".
func newHandled() *handled {
	showcase := implementations[1].handler()
	return &handled{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/files/granted" {
			fmt.Fprint(w, "the handler ran")
			return
		}
		showcase.ServeHTTP(w, r)
	})}
}

func (h *handled) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.seen = append(h.seen, r.Method+" "+r.URL.Path+" "+r.Header.Get("X-Tenant-Id")+r.Header.Get("Cookie")+r.Header.Get("X-00"))
	h.mu.Unlock()
	h.Handler.ServeHTTP(w, r)
}

// take returns the requests since its last call.
func (h *handled) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	seen := h.seen
	h.seen = nil
	return seen
}

// fetchAll calls fetch for each path, one after another, and each time a path that the policy grants.
func fetchAll(t *testing.T, page *browser.Page, url string, cells []explainedCell) (refused, granted []rawReading) {
	t.Helper()
	type job struct {
		Path string    `json:"path"`
		Init fetchInit `json:"init"`
	}
	var jobs []job
	for _, c := range cells {
		path, init := c.fetch()
		jobs = append(jobs, job{path, init})
	}
	var got struct{ Refused, Granted []rawReading }
	page.Run(t, `
		const got = {Refused: [], Granted: []};
		for (const job of args.jobs) {
			got.Refused.push(await e2e.fetchRaw(args.url + job.path, job.init));
			got.Granted.push(await e2e.fetchRaw(args.url + "/files/granted", {method: "GET"}));
		}
		return got;`, map[string]any{"url": url, "jobs": jobs}, &got)
	return got.Refused, got.Granted
}

// TestExplainedCalls: with WithExplain, each client shows the reason and the remedy in the message of its error, for each
// reason and kind of call, and fetch reads them as the text of the response. Without WithExplain, the browser stops these calls.
// The handler gets only the granted calls in between.
func TestExplainedCalls(t *testing.T) {
	tested := 0
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		setCookie(t, page)
		for name, opts := range map[string][]corsrpc.LayerOption{"with WithExplain": {corsrpc.WithExplain()}, "without": nil} {
			t.Run(name, func(t *testing.T) {
				tested += testExplainedCalls(t, page, opts)
			})
		}
	})
	if want := len(browser.Engines) * 2 * len(explainedCells()); tested != want && !t.Failed() && !filtered() {
		t.Errorf("%d calls were tested, want all %d", tested, want)
	}
	t.Logf("%d calls", tested)
}

func testExplainedCalls(t *testing.T, page *browser.Page, opts []corsrpc.LayerOption) (tested int) {
	t.Helper()
	handler := newHandled()
	server := serveAPI(t, newLayer(t, page.Origin, explainedPolicy, opts...).Wrap(handler))
	var fetches, clients []explainedCell
	for _, c := range explainedCells() {
		if c.transport == withFetch {
			fetches = append(fetches, c)
		} else {
			clients = append(clients, c)
		}
	}

	var calls []call
	var granted []string
	for _, c := range clients {
		between := greet(c.transport)
		between.OtherFormat = c.otherFormat
		calls = append(calls, c.call(), between)
		granted = append(granted, "POST "+greetPath+" ")
	}
	readings := runCalls(t, page, server, calls...)
	for i, c := range clients {
		t.Run(c.String(), func(t *testing.T) {
			tested++
			code, shown := "PermissionDenied", c.shown(c.fill(page.Origin).message())
			if opts == nil {
				code, shown = "Unknown", c.blocked(page.Engine)
				if c.transport == withProtobufTS {
					code = "Internal"
				}
			}
			got := readings[2*i]
			if got.Error == nil || got.Error.Code != code || got.Error.Shown != shown || len(got.Messages) != 0 {
				t.Errorf("the script gets %+v, %s\nwant %s: %s", got.Error, got.Messages, code, shown)
			}
			if between := readings[2*i+1]; between.Error != nil || joined(between.Messages) != helloAda {
				t.Errorf("the granted call after it gets %+v, %s", between.Error, between.Messages)
			}
		})
	}
	if got := handler.take(); !slices.Equal(got, granted) {
		t.Errorf("the handler got %q", got)
	}

	read, between := fetchAll(t, page, server.URL, fetches)
	for i, c := range fetches {
		t.Run(c.String(), func(t *testing.T) {
			tested++
			want := refused
			if opts != nil {
				want = c.response(c.fill(page.Origin))
				delete(read[i].Headers, "content-length")
			} else {
				want.Headers = map[string]string{}
			}
			if !reflect.DeepEqual(read[i], want) {
				t.Errorf("the script reads %+v\nwant %+v", read[i], want)
			}
			if between[i].Status != http.StatusOK || between[i].Body != "the handler ran" {
				t.Errorf("the granted call after it reads %+v", between[i])
			}
		})
	}
	if got, want := handler.take(), slices.Repeat([]string{"GET /files/granted "}, len(fetches)); !slices.Equal(got, want) {
		t.Errorf("the handler got %q", got)
	}
	return tested
}

var _ = json.Marshal
var _ = httptest.NewRecorder
var _ = url.Parse
var _ atomic.Int32
