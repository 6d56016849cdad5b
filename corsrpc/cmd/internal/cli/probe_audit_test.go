package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/cli"
)

// served is a policy of a server, and of its file in the tests of a live server.
const served = "defaults: {allow_origins: [https://app.example.com], allow_credentials: true}\n"

// serve starts a server with a policy.
func serve(t *testing.T, policy string) string {
	t.Helper()
	doc, err := corsrpc.ParsePolicy("served.yaml", []byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithFiles(new(protoregistry.Files)))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(plan.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") })))
	t.Cleanup(server.Close)
	return server.URL
}

// serveReflecting starts a server that grants every origin with credentials, and some request headers.
func serveReflecting(t *testing.T, headers string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		w.Header().Set("Access-Control-Allow-Credentials", "true")
		w.Header().Set("Access-Control-Allow-Headers", headers)
		w.Header().Set("Vary", "Origin")
		fmt.Fprint(w, "{}")
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestProbeAuditAndAgainst checks the exit codes of an audit and of a comparison, and what they say.
func TestProbeAuditAndAgainst(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sound, faulty := serve(t, served), serveReflecting(t, "content-type, connect-protocol-version, connect-timeout-ms")
	for name, text := range map[string]string{
		"cors.yaml": served, "other.yaml": strings.Replace(served, "app.", "shop.", 1),
		"tenants.yaml": strings.Replace(served, "allow_credentials", "allow_origins_from: [tenants], allow_credentials", 1),
		"env.yaml":     strings.Replace(served, "[https://app.example.com]", `[https://app.example.com, "${SHOP}"]`, 1),
		"bad.yaml":     "defaults: {allow_origin: []}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	two := serve(t, strings.Replace(served, "[", "[https://shop.example.com, ", 1))
	for _, c := range []struct {
		args string
		exit int
		out  []string // parts of both streams
	}{
		{"--audit --from https://app.example.com " + sound, 0, []string{"sends at most", "one at a time", "0 errors, 0 warnings", "NOT_EXAMINED"}},
		{"--audit --send --from https://app.example.com " + sound, 0, []string{"The server executes the calls", "0 errors, 0 warnings, 0 notes"}},
		{"--audit --from https://app.example.com " + faulty, 1, []string{"error: ", "[REFLECTS_ORIGIN]", "why: ", "fix: ", "request: curl ", "1 error,"}},
		{"--audit --from https://shop.example.com " + sound, 1, []string{"[ORIGIN_NOT_GRANTED]", "ORIGIN_NOT_ALLOWED"}},
		{"--audit --max-requests 4 --from https://app.example.com " + sound, 3, []string{"of these 4 at most", "ended after 4 requests"}},
		{"--audit " + sound, 2, []string{"--from is missing"}},
		{"--audit --from null " + sound, 2, []string{"http or https origin"}},
		{"--audit --engine firefox --from https://app.example.com " + sound, 2, []string{"leave out --engine"}},
		{"--audit --profile dev --from https://app.example.com " + sound, 2, []string{"--profile is about a policy", "--against"}},
		{"--audit --against $DIR/cors.yaml --from https://app.example.com " + sound, 2, []string{"one at a time"}},
		{"--against $DIR/cors.yaml " + sound, 0, []string{"sends at most 6 preflights, 2 GETs that need no preflight to ", "The server answers as the policy says.", "https://app.example.com, https://attacker.example"}},
		{"--against $DIR/cors.yaml --send " + sound, 0, []string{"The server executes the calls", "Redirects to the same server add 20 at most.", "The server answers as the policy says."}},
		{"--against $DIR/other.yaml " + sound, 1, []string{"[ORIGIN]", "other.yaml:1:28", "Probable cause: ", "1 difference"}},
		{"--against $DIR/cors.yaml " + faulty, 1, []string{"[ORIGIN]", "refuses it (ORIGIN_NOT_ALLOWED), and the server grants it", "defaults.allow_origins at"}},
		{"--against $DIR/tenants.yaml --from https://shop.example.com " + two, 3, []string{"only if the source tenants has this origin", "not everything could be compared"}},
		{"--against $DIR/tenants.yaml --source tenants=https://shop.example.com --from https://shop.example.com " + two, 0, []string{"as the policy says"}},
		{"--against $DIR/env.yaml --from https://shop.example.com " + two, 3, []string{"only if the environment variable SHOP has this origin"}},
		{"--against $DIR/env.yaml --env SHOP=https://shop.example.com " + two, 0, []string{"as the policy says"}},
		{"--against $DIR/cors.yaml " + sound + "/api", 3, []string{"sends nothing to " + sound + "/api: the policy has no rule for these calls.", "The policy has no rule for /api/acme.v1.S/Get at this server", "write --path-prefix /api.", ": 0 requests sent."}},
		{"--against $DIR/cors.yaml --path-prefix /api " + sound + "/api", 1, []string{"[ORIGIN]"}},
		{"--against $DIR/bad.yaml " + sound, 2, []string{"UNKNOWN_FIELD"}},
		{"--against $DIR/none.yaml " + sound, 2, []string{"none.yaml"}},
		{"--against $DIR/cors.yaml --max-requests 1 " + sound, 3, []string{"Not decided: ", "--max-requests"}},
		{"--against $DIR/cors.yaml http://127.0.0.1:1", 2, []string{"does not listen"}},
	} {
		words := append([]string{"probe"}, strings.Fields(strings.ReplaceAll(c.args, "$DIR", dir))...)
		var b strings.Builder
		exit := cli.Run(t.Context(), cli.Streams{Out: &b, Err: &b}, append(words, "acme.v1.S.Get"))
		if exit != c.exit {
			t.Errorf("%s: exit %d, want %d\n%s", c.args, exit, c.exit, b.String())
		}
		for _, part := range c.out {
			if !strings.Contains(b.String(), part) {
				t.Errorf("%s: the output lacks %q\n%s", c.args, part, b.String())
			}
		}
	}
}

// TestProbeAuditAsJSON: the documents have what the text has, and no character that a terminal executes.
func TestProbeAuditAsJSON(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "cors.yaml")
	if err := os.WriteFile(name, []byte(served), 0o600); err != nil {
		t.Fatal(err)
	}
	url := serveReflecting(t, "content-type, connect-protocol-version, \u202e")
	for _, args := range [][]string{
		{"probe", "--audit", "--from", "https://app.example.com", url, "acme.v1.S.Get"},
		{"probe", "--against", name, url, "acme.v1.S.Get"},
	} {
		for _, format := range []string{"text", "json"} {
			var out, errs strings.Builder
			if exit := cli.Run(t.Context(), cli.Streams{Out: &out, Err: &errs}, append(args, "-o", format)); exit != 1 {
				t.Errorf("%q: exit %d: %s", args, exit, errs.String())
			}
			if strings.Contains(out.String(), "\u202e") {
				t.Errorf("%q: the %s has a character that changes the direction of text", args, format)
			}
			var document struct {
				Command string
				Audit   struct {
					Findings []struct{ Class, Curl, Why, Fix string }
				}
				Against struct {
					File        string
					Differences []struct{ Aspect, Curl, Message string }
				}
			}
			if format == "text" {
				continue
			}
			if err := json.Unmarshal([]byte(out.String()), &document); err != nil {
				t.Fatal(err)
			}
			if document.Command != "probe" || len(document.Audit.Findings) == 0 && len(document.Against.Differences) == 0 {
				t.Errorf("%q: %s", args, out.String())
			}
		}
	}
}
