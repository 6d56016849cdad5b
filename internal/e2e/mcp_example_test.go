package e2e

import (
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// mcpCalls are the calls of the page of examples/mcp, and what it shows of each: a regular expression.
var mcpCalls = map[string]string{
	"sdk 1.x: a session":         `2025-11-25, session [A-Z2-7]{26}`,
	"sdk 1.x: the list of tools": `forecast, warn, watch`,
	"sdk 1.x: a call":            `eu: rain`,
	"sdk 1.x: a notification on the stream of the session": `storm in eu`,
	"sdk 1.x: a stream that is cut and resumed":            `eu sun, eu wind, eu rain, end of the watch, resumed: 1`,
	"sdk 1.x: the end of a session":                        `afterwards 404, session not found`,
	"sdk 1.x: 401, the discovery document, a token":        `401, scope forecasts, sign in at https://login\.example\.com/?; eu: rain`,

	"client 2.x: the revision":                          `2026-07-28`,
	"client 2.x: the list of tools":                     `forecast, warn, watch`,
	"client 2.x: a call with Mcp-Param-Region":          `eu: rain, mcp-method tools/call, mcp-name forecast, mcp-param-region eu`,
	"client 2.x: notifications on the stream of a call": `eu sun, eu wind, eu rain, end of the watch`,
	"client 2.x: 401, the discovery document, a token":  `401, scope forecasts, sign in at https://login\.example\.com/?; eu: rain, mcp-method tools/call, mcp-name forecast, mcp-param-region eu`,
}

// readMCPPage reports for each call of the page whether it shows the expected text, and what it shows.
func readMCPPage(t *testing.T, page *browser.Page) (readable map[string]bool, shown map[string]string) {
	t.Helper()
	page.Run(t, openPageOfCalls, map[string]string{"text": "eu sun, ", "path": cutPath}, &shown)
	readable = map[string]bool{}
	for call, want := range mcpCalls {
		readable[call] = regexp.MustCompile(`^(` + want + `)$`).MatchString(shown[call])
	}
	if got, want := slices.Sorted(maps.Keys(shown)), slices.Sorted(maps.Keys(mcpCalls)); !slices.Equal(got, want) {
		t.Fatalf("the page shows the calls %q, want %q", got, want)
	}
	return readable, shown
}

// TestMCPExample: in each browser, both generations of the SDK read all that examples/mcp sends to a page that its policy lists, and
// nothing in a page that it does not list.
func TestMCPExample(t *testing.T) {
	program := buildExample(t, "mcp")
	forEachEngine(t, func(t *testing.T, engine browser.Engine) {
		for _, listed := range []bool{true, false} {
			proxy := &exampleProxy{}
			page := pool.PageBeside(t, engine, proxy)
			warmUp(t, page)
			granted := page.Origin
			if !listed {
				granted = "https://app.example.com"
			}
			proxy.target = startMCP(t, program, granted)
			readable, shown := readMCPPage(t, page)
			for call := range mcpCalls {
				if readable[call] != listed {
					t.Errorf("listed: %v: %s: the page shows %q, want %s", listed, call, shown[call], mcpCalls[call])
				}
				if !listed && shown[call] != "failed: "+networkErrors[engine] {
					t.Errorf("%s: a page that is not listed shows %q, want %q", call, shown[call], networkErrors[engine])
				}
			}
		}
	})
}

// startMCP runs the program with its own policy, in which it replaces the origin, and returns the URL of the page.
func startMCP(t *testing.T, program, granted string) *url.URL {
	t.Helper()
	const written = "http://localhost:8081"
	policy, err := os.ReadFile(filepath.Join(examples, "mcp/cors.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(policy), written) {
		t.Fatalf("the policy of examples/mcp does not list %s, which this test replaces", written)
	}
	file := filepath.Join(t.TempDir(), "cors.yaml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(policy), written, granted)), 0o600); err != nil {
		t.Fatal(err)
	}
	return startExample(t, program, "-policy", file, "-server", "localhost:0", "-page", "localhost:0")["page"]
}
