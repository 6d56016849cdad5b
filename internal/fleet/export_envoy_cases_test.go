//go:build fleet

package fleet_test

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/export"
	"github.com/corsrpc/corsrpc-go/internal/fleet/envoy"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// exportRich returns the export of internal/export/testdata/rich.yaml for Envoy.
func exportRich(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../export/testdata/rich.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := corsrpc.ParsePolicy("rich.yaml", text)
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
	m, err := export.New(planaccess.Rules(plan), export.Options{OwnOrigins: []string{ownOrigin, "http://[::1]:8080"}})
	if err != nil {
		t.Fatal(err)
	}
	x, err := export.Write(export.Envoy, m)
	if err != nil {
		t.Fatal(err)
	}
	return x.Text
}

// allFields answers with each field that only a CORS layer may set.
func allFields(w http.ResponseWriter, _ *http.Request) {
	for name, value := range map[string]string{
		"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "true", "Access-Control-Allow-Headers": "*", "Access-Control-Allow-Methods": "*",
		"Access-Control-Allow-Private-Network": "true", "Access-Control-Expose-Headers": "*", "Access-Control-Max-Age": "1", "Timing-Allow-Origin": "*",
	} {
		w.Header().Set(name, value)
	}
	w.Header()["Access-Control-Allow-Origin"] = []string{"*", "https://evil.example"}
	w.Header().Set("Vary", "Accept")
	_, _ = w.Write([]byte("upstream"))
}

// The defaults of Envoy's filters that would widen a policy, and what the export makes of them.
func TestExportEnvoyDefaults(t *testing.T) {
	const (
		update   = "POST /acme.account.v1.AccountService/Update HTTP/1.1" // with credentials
		list     = "POST /acme.catalog.v1.CatalogService/List HTTP/1.1"   // for everyone
		hello    = "POST /Greeter/Hello HTTP/1.1"                         // the defaults
		fromApp  = "Origin: https://app.example.com"
		fromEvil = "Origin: https://evil.example"
		fromOwn  = "Origin: " + ownOrigin
		cross    = "Sec-Fetch-Site: cross-site"
		cookie   = "Cookie: session=1"
		asksPOST = "Access-Control-Request-Method: POST"
	)
	preflightOf := func(path string) string { return "OPTIONS " + path + " HTTP/1.1" }
	u, away := serveUpstream(t, allFields), closedAddr(t)
	text := exportRich(t)
	start := func(server string) *envoy.Envoy {
		return envoy.Start(t, exportConfig(t, server, text), envoy.Arguments("--file-flush-interval-msec", "20")) // of the access log; the default is 10 s
	}
	running, broken := start(u.addr), start(away)
	for _, test := range []struct {
		name          string
		lines         []string
		away          bool // the server
		status, hits  int
		origin        string // Access-Control-Allow-Origin
		header, value string // another field of the answer
		policy        string // that refuses
	}{
		{name: "a refused call is not forwarded", lines: []string{update, fromEvil, cross, cookie, "Content-Type: text/plain"}, status: 403, policy: "origin_not_allowed"},
		{name: "a refused preflight is not forwarded", lines: []string{preflightOf("/acme.account.v1.AccountService/Update"), fromEvil, cross, asksPOST}, status: 200},
		{name: "an empty Access-Control-Request-Method does not make a preflight", lines: []string{preflightOf("/acme.account.v1.AccountService/Update"), fromEvil, "Access-Control-Request-Method:"}, status: 403, policy: "origin_not_allowed"},
		{name: "an allowed call has the server's fields no more", lines: []string{hello, fromApp, cross}, status: 200, hits: 1, origin: "https://app.example.com", header: "Access-Control-Allow-Credentials"},
		{name: "expose_headers of the server do not stay", lines: []string{hello, fromApp}, status: 200, hits: 1, origin: "https://app.example.com", header: "Access-Control-Expose-Headers", value: "grpc-message, grpc-status, grpc-status-details-bin"},
		{name: "Timing-Allow-Origin of the server does not stay", lines: []string{hello, fromApp}, status: 200, hits: 1, origin: "https://app.example.com", header: "Timing-Allow-Origin"},
		{name: "a program's call has the server's fields no more", lines: []string{hello}, status: 200, hits: 1},
		{name: "a path without a rule has the server's fields no more", lines: []string{"GET /none HTTP/1.1", cross}, status: 200, hits: 1},
		{name: "Vary is added to that of the server", lines: []string{hello, fromApp}, status: 200, hits: 1, origin: "https://app.example.com", header: "Vary", value: "Accept,Origin, Sec-Fetch-Site"},
		{name: "a refusal has Vary", lines: []string{hello, fromEvil}, status: 403, header: "Vary", value: "Origin, Sec-Fetch-Site", policy: "origin_not_allowed"},
		{name: "an error of Envoy can be read", away: true, lines: []string{hello, fromApp}, status: 503, origin: "https://app.example.com", header: "Vary", value: "Origin, Sec-Fetch-Site"},
		{name: "an error of Envoy cannot be read by others", away: true, lines: []string{hello, fromEvil}, status: 403, policy: "origin_not_allowed"},
		{name: "a refusal cannot be read by an allowed page", lines: []string{hello, fromApp, cookie}, status: 403, policy: "credentials_not_allowed"},
		{name: "a rule that allows no origin", lines: []string{"GET /tenants HTTP/1.1", fromApp}, status: 403, policy: "origin_not_allowed"},
		{name: "a rule that allows no origin answers no preflight", lines: []string{preflightOf("/tenants"), fromApp, "Access-Control-Request-Method: GET"}, status: 403, policy: "origin_not_allowed"},
		{name: "a disabled procedure", lines: []string{"POST /acme.internal.v1.AdminService/Reset HTTP/1.1", fromApp}, status: 403, policy: "not_granted"},
		{name: "everyone is each origin", lines: []string{list, fromEvil}, status: 200, hits: 1, origin: "https://evil.example"},
		{name: "everyone has no credentials", lines: []string{list, fromEvil}, status: 200, hits: 1, origin: "https://evil.example", header: "Access-Control-Allow-Credentials"},
		{name: "everyone is not a star", lines: []string{list, "Origin: *"}, status: 403, policy: "origin_not_allowed"},
		{name: "everyone is not two origins", lines: []string{list, fromEvil, fromApp}, status: 403, policy: "origin_not_allowed"},
		{name: "two origins of which one is allowed", lines: []string{hello, fromApp, fromEvil}, status: 403, policy: "origin_not_allowed"},
		{name: "an empty origin", lines: []string{list, "Origin:"}, status: 403, policy: "origin_not_allowed"},
		{name: "null is allowed where it is named only", lines: []string{hello, "Origin: null"}, status: 403, policy: "origin_not_allowed"},
		{name: "null", lines: []string{"POST /v1/7 HTTP/1.1", "Origin: null"}, status: 200, hits: 1, origin: "null"},
		{name: "a pattern matches whole origins", lines: []string{update, "Origin: https://a.preview.example.com.evil.example"}, status: 403, policy: "origin_not_allowed"},
		{name: "requested headers are not echoed", lines: []string{preflightOf("/v1/7"), "Origin: null", asksPOST, "Access-Control-Request-Headers: authorization"}, status: 200, origin: "null", header: "Access-Control-Allow-Headers", value: "content-type"},
		{name: "max_age 0", lines: []string{preflightOf("/acme.account.v1.AccountService/Update"), fromApp, asksPOST}, status: 200, origin: "https://app.example.com", header: "Access-Control-Max-Age", value: "0"},
		{name: "the own page passes", lines: []string{update, fromOwn, "Sec-Fetch-Site: same-origin", cookie}, status: 200, hits: 1},
		{name: "the own page of an old browser passes", lines: []string{update, fromOwn, cookie}, status: 200, hits: 1},
		{name: "the own origin in a request of another site", lines: []string{update, fromOwn, cross}, status: 403, policy: "origin_not_allowed"},
		{name: "a native gRPC client passes", lines: []string{update, "Content-Type: application/grpc", "TE: trailers"}, status: 200, hits: 1},
		{name: "another site without Origin", lines: []string{update, cross}, status: 403, policy: "origin_missing"},
		{name: "an image of another site", lines: []string{"GET /acme.account.v1.AccountService/Get?encoding=json HTTP/1.1", cross, "Sec-Fetch-Mode: no-cors"}, status: 403, policy: "origin_missing"},
		{name: "a form", lines: []string{update, fromApp, cross, "Sec-Fetch-Mode: navigate"}, status: 403, policy: "mode_not_cors"},
		{name: "a handshake", lines: []string{"GET /healthz HTTP/1.1", fromEvil, "Upgrade: websocket", "Connection: Upgrade"}, status: 403, policy: "credentials_not_allowed"},
		{name: "a method that a path does not grant", lines: []string{"DELETE /healthz HTTP/1.1", fromApp}, status: 403, policy: "method_not_allowed"},
		{name: "ambient credentials for everyone", lines: []string{list, fromEvil, "Authorization: Basic YTpi"}, status: 403, policy: "credentials_not_allowed"},
		{name: "another host has no route", lines: []string{hello, "Host: rebound.example", "Connection: close"}, status: 404},
		{name: "any port of the own host", lines: []string{hello, "Host: API.example.com:443", "Connection: close"}, status: 200, hits: 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := running
			if test.away {
				e = broken
			}
			lines := test.lines
			if !strings.Contains(strings.Join(lines, "\n"), "Host: ") {
				lines = append([]string{lines[0], "Host: api.example.com", "Connection: close"}, lines[1:]...)
			}
			before := u.hits()
			resp := send(t, e.Addr(exportListener(0)), append(lines, "Content-Length: 0", "X-Name: "+test.name)...)
			if hits := u.hits() - before; resp.status != test.status || hits != test.hits {
				t.Errorf("status %d with %d hits, want %d with %d", resp.status, hits, test.status, test.hits)
			}
			if got := strings.Join(resp.header["Access-Control-Allow-Origin"], "; "); got != test.origin {
				t.Errorf("Access-Control-Allow-Origin is %q, want %q", got, test.origin)
			}
			if got := resp.header.Get(test.header); test.header != "" && got != test.value {
				t.Errorf("%s is %q, want %q", test.header, got, test.value)
			}
			if test.policy != "" && !waitForLog(t, e, test.name+" rbac_access_denied_matched_policy["+test.policy+"]") {
				t.Errorf("the log does not name the policy %s", test.policy)
			}
		})
	}
}

// waitForLog waits for a text in Envoy's log, as long as it is likely to come.
func waitForLog(t *testing.T, e *envoy.Envoy, text string) bool {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if strings.Contains(e.Log(), text) {
			return true
		}
	}
	return false
}

// Filters of an own kind go where the comment says.
func TestExportEnvoyWithFilters(t *testing.T) {
	const place = "# Filters of your own belong here.\n"
	text := exportRich(t)
	if strings.Count(text, place) != 1 {
		t.Fatal("the text does not say where filters go")
	}
	text = strings.ReplaceAll(text, place, `- name: envoy.filters.http.grpc_web
  typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.grpc_web.v3.GrpcWeb}
`)
	u := serveUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		w.Header().Set("Grpc-Status", "5")
	})
	e := envoy.Start(t, exportConfig(t, u.addr, text))
	resp := send(t, e.Addr(exportListener(0)), "POST /acme.catalog.v1.CatalogService/List HTTP/1.1", "Host: api.example.com", "Connection: close", "Content-Length: 0",
		"Content-Type: application/grpc-web+proto", "Origin: https://app.example.com")
	if resp.header.Get("Content-Type") != "application/grpc-web+proto" || resp.header.Get("Grpc-Status") != "5" || resp.header.Get("Access-Control-Allow-Origin") != "https://app.example.com" ||
		u.requests[0].Header.Get("Content-Type") != "application/grpc" {
		t.Errorf("%+v, %v", resp, u.requests[0].Header)
	}
}
