package e2e

import (
	"strconv"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
	cellstore "github.com/corsrpc/corsrpc-go/internal/e2e/cells"
)

// preflightPolicy allows cookies and two headers of the application.
const preflightPolicy = `
defaults:
  allow_origins: [ORIGIN]
rules:
  - selector: showcase.v1.ShowcaseService
    allow_credentials: true
    allow_headers: [authorization, x-tenant-id]
`

// mixedPosts returns POSTs to one procedure with every combination of client, protocol, format, headers and timeout that the
// server supports.
func mixedPosts(to implementation, credentials bool) []call {
	var calls []call
	headers := []map[string]string{
		nil,
		{"X-Tenant-Id": "acme"},
		{"Authorization": "Bearer e2e"},
		{"X-Tenant-Id": "acme", "Authorization": "Bearer e2e"},
	}
	for _, header := range headers {
		for _, timeout := range []int{0, 30_000} {
			for _, otherFormat := range []bool{false, true} {
				for _, transport := range transports { // alternate, since with other middleware each change needs a preflight
					c := greet(transport)
					if !to.speaks(transport, otherFormat) {
						continue
					}
					c.Headers, c.TimeoutMs, c.OtherFormat, c.Credentials = header, timeout, otherFormat, credentials
					calls = append(calls, c)
				}
			}
		}
	}
	return calls
}

// gets returns calls with GET, one for each key.
func gets(change func(*call), keys ...string) []call {
	var calls []call
	for _, key := range keys {
		c := lookup(key)
		change(&c)
		calls = append(calls, c)
	}
	return calls
}

func TestPreflights(t *testing.T) {
	plain := func(*call) {}
	withTimeout := func(c *call) { c.TimeoutMs = 30_000 }
	withHeader := func(c *call) { c.Headers = map[string]string{"X-Tenant-Id": "acme"} }
	// In Firefox, the key of the preflight cache contains the credentials. In the others, a preflight with credentials also covers
	// requests without.
	second := map[browser.Engine]int{browser.Chromium: 0, browser.Firefox: 1, browser.WebKit: 0}

	type step struct {
		name  string
		calls []call
		want  func(browser.Engine) int
	}
	exactly := func(n int) func(browser.Engine) int { return func(browser.Engine) int { return n } }
	type preflightTest struct {
		name   string
		server implementation
		steps  []step // all on one server
	}
	connectV1 := implementations[0]
	tests := []preflightTest{
		{"a GET without extra headers takes none", connectV1, []step{
			{"three URLs", gets(plain, "a", "b", "c"), exactly(0)},
			{"again", gets(plain, "a", "b", "c"), exactly(0)},
		}},
		{"a GET with a timeout takes one per URL", connectV1, []step{
			{"three URLs", gets(withTimeout, "a", "b", "c"), exactly(3)},
			{"again, with another header", gets(withHeader, "a", "b", "c"), exactly(0)},
			{"a fourth", gets(withTimeout, "d"), exactly(1)},
		}},
		{"a GET with a header takes one per URL", connectV1, []step{
			{"three URLs", gets(withHeader, "a", "b", "c"), exactly(3)},
			{"again, with a timeout", gets(withTimeout, "a", "b", "c"), exactly(0)},
		}},
	}
	for _, server := range implementations {
		posts := func(credentials bool) []call { return mixedPosts(server, credentials) }
		var counts []call
		for _, transport := range []string{overGRPCWeb, overConnect, withGRPCWebJS, overGRPCWeb} {
			if server.speaks(transport, false) {
				counts = append(counts, countTo3(transport))
			}
		}
		tests = append(tests, []preflightTest{
			{"POSTs with one credentials mode take one", server, []step{
				{"without cookies", posts(false), exactly(1)},
				{"again", posts(false), exactly(0)},
				{"a second mode takes one more", posts(true), exactly(1)},
				{"and no more after that", append(posts(false), posts(true)...), exactly(0)},
			}},
			{"POSTs with cookies first", server, []step{
				{"with cookies", posts(true), exactly(1)},
				{"a second mode takes at most one more", posts(false), func(e browser.Engine) int { return second[e] }},
			}},
			{"another procedure takes another", server, []step{
				{"first", posts(false), exactly(1)},
				{"second", counts, exactly(1)},
			}},
		}...)
	}
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		for _, test := range tests {
			t.Run(test.server.name+"/"+test.name, func(t *testing.T) {
				server := serveAPI(t, newLayer(t, page.Origin, preflightPolicy).Wrap(test.server.handler()))
				key := cellstore.Key{Test: "TestPreflights", Browser: string(page.Engine), Server: test.server.name}
				for _, step := range test.steps {
					for i, r := range runCalls(t, page, server, step.calls...) {
						if r.Error != nil {
							t.Fatalf("%s: call %d of %+v: %+v", step.name, i, step.calls[i], r.Error)
						}
					}
					preflights, arrived := server.take()
					key.Call = test.name + ", " + step.name
					note(t, key, map[string]string{"preflights": strconv.Itoa(len(preflights)), "requests": strconv.Itoa(len(arrived))})
					if want := step.want(page.Engine); len(preflights) != want || len(arrived) != len(step.calls) {
						t.Errorf("%s: %d preflights and %d calls, want %d and %d: %s",
							step.name, len(preflights), len(arrived), want, len(step.calls), describe(preflights))
					}
				}
			})
		}
	})
}
