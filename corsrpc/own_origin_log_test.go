package corsrpc_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// TestLogOfHosts: a GET of a page on the server itself, for a path that serves MCP, has no Origin header, so that Host
// names its origin. Each host of a page that the policy names has a line of its own, whatever host asks first.
func TestLogOfHosts(t *testing.T) {
	t.Parallel()
	const app, two, evil = "app.example.com", "two.example.com", "evil.example"
	rule := func(origins string) string {
		return "{path: /mcp, protocols: [MCP], allow_origins: [" + origins + "]}"
	}
	const named = "defaults: {allow_origins: [https://app.example.com, https://two.example.com]}\n"
	refusing := named + "rules: [" + rule("https://other.example") + "]\n"
	for name, test := range map[string]struct {
		policy, message string
		hosts           []string
		lines           int
	}{
		"a stranger before a page": {refusing, "ORIGIN_NOT_ALLOWED", []string{evil, app, app}, 2},
		"a page before a stranger": {refusing, "ORIGIN_NOT_ALLOWED", []string{app, evil, evil}, 2},
		"two pages":                {refusing, "ORIGIN_NOT_ALLOWED", []string{app, two, two, app}, 2},
		"strangers":                {refusing, "ORIGIN_NOT_ALLOWED", []string{evil, "evil.test", "other.test"}, 1},
		"would be refused":         {refusing + "enforcement: OBSERVE\n", "ORIGIN_NOT_ALLOWED", []string{evil, app, two, app}, 3},
		"a shadow that decides otherwise": {
			"rules: [" + rule("https://app.example.com, https://two.example.com") + "]\nshadow: {rules: [" + rule("https://other.example") + "]}\n",
			"decides differently", []string{app, two, app}, 2,
		},
	} {
		for option, opts := range map[string][]corsrpc.LayerOption{"": nil, ", explained": {corsrpc.WithExplain()}} {
			t.Run(name+option, func(t *testing.T) {
				t.Parallel()
				layer, log := newLayer(t, test.policy, opts...)
				h := layer.Wrap(emptyHandler)
				for _, host := range test.hosts {
					r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+host+"/mcp", nil)
					r.Header = http.Header{"Sec-Fetch-Site": {"same-origin"}, "Sec-Fetch-Mode": {"cors"}}
					h.ServeHTTP(httptest.NewRecorder(), r)
				}
				if n := strings.Count(log.String(), test.message); n != test.lines {
					t.Errorf("%d lines, want %d:\n%s", n, test.lines, log)
				}
			})
		}
	}
}
