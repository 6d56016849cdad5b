package corsrpc_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// TestProfileSelection checks that WithProfile has precedence over the environment, and that the log
// names the choice. Without either there is no profile.
func TestProfileSelection(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "cors.yaml", `
defaults: {allow_origins: [https://app.example.com]}
profiles:
  dev: {add_origins: ["http://localhost:*"]}
  prod: {defaults: {max_age: 60s}}
`)
	for _, test := range []struct {
		name   string
		env    map[string]string
		opts   []corsrpc.Option
		allows bool // whether a page on localhost may call
		says   string
	}{
		{"nobody", nil, nil, false, ""},
		{"the environment", map[string]string{"CORSRPC_PROFILE": "dev"}, nil, true, "profile=dev chosen_by=CORSRPC_PROFILE"},
		{"the option", nil, []corsrpc.Option{corsrpc.WithProfile("dev")}, true, "profile=dev chosen_by=WithProfile"},
		{"the option, over the environment", map[string]string{"CORSRPC_PROFILE": "dev"}, []corsrpc.Option{corsrpc.WithProfile("prod")}, false, "profile=prod chosen_by=WithProfile"},
		{"the option, none", map[string]string{"CORSRPC_PROFILE": "dev"}, []corsrpc.Option{corsrpc.WithProfile("")}, false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			logger, log := newLog()
			layer, err := corsrpc.Load(file, append(test.opts, withEnv(test.env), corsrpc.WithLogger(logger))...)
			if err != nil {
				t.Fatal(err)
			}
			if got := allows(layer, "http://localhost:3000"); got != test.allows {
				t.Errorf("a page on localhost: %v, want %v", got, test.allows)
			}
			if got := log.String(); (got != "") != (test.says != "") || !strings.Contains(got, test.says) {
				t.Errorf("the log says %q, want %q", got, test.says)
			}
		})
	}
}

// TestEnvironmentDefaultsToTheProcess checks that variables are looked up in the process by default.
func TestEnvironmentDefaultsToTheProcess(t *testing.T) {
	t.Setenv("APP_ORIGINS", "https://env.example.com")
	layer, err := corsrpc.Load(writeFile(t, "cors.yaml", `defaults: {allow_origins: ["${APP_ORIGINS}"]}`), quiet)
	if err != nil {
		t.Fatal(err)
	}
	if !allows(layer, "https://env.example.com") {
		t.Error("the process's environment is not read")
	}
}

// TestOtherProfilesEnvironment checks that the variables of profiles that are not chosen may be missing.
func TestOtherProfilesEnvironment(t *testing.T) {
	t.Parallel()
	const text = `
defaults: {allow_origins: [https://app.example.com]}
profiles:
  dev: {add_origins: ["${DEV_ORIGIN}"]}
`
	if err := load(t, "cors.yaml", text, withEnv(nil), quiet); err != nil {
		t.Error(err)
	}
	if err := load(t, "cors.yaml", text, withEnv(nil), corsrpc.WithProfile("dev"), quiet); err == nil || !strings.Contains(err.Error(), "DEV_ORIGIN") {
		t.Error(err)
	}
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestAddedOriginsNeverGetCredentials checks that a rule with credentials does not take the origins of unrelated owners
// that a profile adds, also if another rule takes them with the same list of origins, in each order of the two rules.
func TestAddedOriginsNeverGetCredentials(t *testing.T) {
	t.Parallel()
	const (
		plain, withCredentials = "/a", "/b"
		profile                = "profiles: {dev: {add_origins: [\"null\", \"file://\", \"moz-extension://*\", \"http://localhost:*\"], accept_risks: [NULL_ORIGIN, ANY_INSTALLATION]}}\n"
	)
	for name, policy := range map[string]string{
		"a rule allows credentials": "defaults: {allow_origins: [https://app.example.com]}\nrules: [{path: /a}, {path: /b, allow_credentials: true}]\n",
		"a rule does not":           "defaults: {allow_origins: [https://app.example.com], allow_credentials: true}\nrules: [{path: /b}, {path: /a, allow_credentials: false}]\n",
	} {
		for _, longList := range []int{0, 1000} {
			plan := compilePolicy(t, policy+profile, corsrpc.WithProfile("dev"), corsrpc.WithLongLists(longList))
			for origin, shared := range map[string]bool{"null": true, "file://": true, "moz-extension://3c78b7c7": true, "http://localhost:3000": false, page: false} {
				for _, path := range []string{plain, withCredentials} {
					d := plan.Decide(corsrpc.Request{Method: http.MethodPost, Host: "api.example.com", Path: path, Header: http.Header{"Origin": {origin}}})
					if want := !shared || path == plain; d.Refused() == want {
						t.Errorf("%s: %s from %s: %s", name, path, origin, d.Reason())
					}
				}
			}
		}
	}
}
