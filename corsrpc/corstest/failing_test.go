package corstest_test

import (
	"flag"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/corsrpc/corstest"
)

var update = flag.Bool("update", false, "write the golden file anew")

// failing is set in the process whose tests fail.
const failing = "CORSTEST_FAILING"

const (
	app   = "https://app.example.com"
	evil  = "https://evil.example"
	greet = "https://api.example.com/acme.v1.Greeter/Greet"
)

// layer is a CORS layer that tells why it refuses requests.
type layer struct{ refusal string }

func (l layer) Refusal(r *http.Request) string {
	if r.Header.Get("Origin") == app {
		return ""
	}
	return l.refusal
}

func (l layer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if l.Refusal(r) != "" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	w.Header().Set("Access-Control-Allow-Origin", app)
	w.Header().Set("Access-Control-Allow-Headers", "content-type, connect-protocol-version")
	w.Header().Set("X-Cost", "3")
	w.Header().Set("X-Page", "2")
	io.WriteString(w, "{}")
}

// cases is a table outside of the function that runs it.
var cases = []corstest.Case{
	{From: app, Call: corsbrowser.Connect(greet)},
	{From: app, Credentials: corsbrowser.Include, Call: corsbrowser.Connect(greet)}, // this row
	{From: evil, Call: corsbrowser.Connect(greet), Blocked: corstest.AnyCheck},
}

// TestFailing runs tables that fail, in the process that TestFailureOutput starts.
func TestFailing(t *testing.T) {
	if os.Getenv(failing) == "" {
		return
	}
	handler := corsbrowser.WithHandler(layer{"ORIGIN_NOT_ALLOWED: the policy does not allow the origin: add \"https://evil.example\" to allow_origins"})
	t.Run("literal", func(t *testing.T) {
		corstest.Run(t, []corstest.Case{
			{From: app, Call: corsbrowser.Connect(greet)},
			{From: evil, Call: corsbrowser.Connect(greet)}, // this row: the layer's reason
			{
				Name: "a header that is not granted", // the row begins above: the brace
				From: app,
				Call: corsbrowser.Connect(greet, "X-Tenant-Id", "7"),
			},
			{From: app, Call: corsbrowser.Connect(greet), Blocked: corsbrowser.CheckHeaders},
			{From: app, Call: corsbrowser.Connect(greet), Readable: []string{"X-Cost", "X-Page", "X-Absent"}, Hidden: []string{"X-Cost"}},
			{Name: "engines that differ", From: app, Call: corsbrowser.Fetch("GET", greet, "Accept", strings.Repeat("a", 64), "Accept", strings.Repeat("b", 64))},
			{Name: "engines with different problems", From: app, Call: corsbrowser.Fetch("GET", greet, "Accept", strings.Repeat("a", 64), "Accept", strings.Repeat("b", 65)), Blocked: corsbrowser.CheckMethods},
		}, handler)
	})
	t.Run("variable", func(t *testing.T) { corstest.Run(t, cases, handler) })
	t.Run("table of its own", func(t *testing.T) {
		for _, test := range []struct{ name, page string }{
			{"allowed", app},
			{"not allowed", evil}, // this row
		} {
			corstest.Run(t, []corstest.Case{{Name: test.name, From: test.page, Call: corsbrowser.Connect(greet)}}, handler)
		}
	})
	t.Run("rows in another order", func(t *testing.T) {
		reversed := []corstest.Case{
			{Name: "refused", From: evil, Call: corsbrowser.Connect(greet)}, // this row
			{Name: "granted", From: app, Call: corsbrowser.Connect(greet)},
		}
		slices.Reverse(reversed)
		corstest.Run(t, reversed, handler)
	})
	t.Run("fewer rows than the literal", func(t *testing.T) {
		all := []corstest.Case{
			{Name: "first", From: app, Call: corsbrowser.Connect(greet)},
			{Name: "second", From: evil, Call: corsbrowser.Connect(greet)}, // this row
		}
		all = all[1:]
		corstest.Run(t, all, handler)
	})
	t.Run("generated", func(t *testing.T) {
		var cases []corstest.Case
		for _, page := range []string{app, evil} {
			cases = append(cases, corstest.Case{From: page, Call: corsbrowser.Connect(greet)})
		}
		corstest.Run(t, cases, handler) // the call of Run
	})
	t.Run("other middleware around the layer", func(t *testing.T) {
		outer := http.HandlerFunc(layer{"not known outside"}.ServeHTTP)
		corstest.Run(t, []corstest.Case{{From: evil, Call: corsbrowser.Connect(greet)}}, corsbrowser.WithHandler(outer))
	})
	t.Run("no call", func(t *testing.T) {
		corstest.Run(t, []corstest.Case{
			{From: app},
			{From: "app.example.com", Call: corsbrowser.Connect(greet)},
		}, handler)
	})
}

// TestFailureOutput: each case that fails prints one block, which begins with the line of its row, and has the layer's reason
// where the layer is the handler itself.
func TestFailureOutput(t *testing.T) {
	t.Parallel()
	got := failingOutput(t)
	const golden = "testdata/failures.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the output is\n%s\nwant\n%s", got, want)
	}
	_, file, _, _ := runtime.Caller(0) // with -trimpath, the folder is the path of the package
	full := failingOutput(t, "-test.fullpath")
	if short := strings.ReplaceAll(full, filepath.Dir(file)+"/", ""); short != got || short == full {
		t.Errorf("with -test.fullpath, the output is\n%s", full)
	}
}

// failingOutput returns the output of TestFailing.
func failingOutput(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], append(args, "-test.run=^TestFailing$")...)
	cmd.Env = append(os.Environ(), failing+"=1")
	out, err := cmd.Output()
	if err == nil {
		t.Fatal("the failing tests passed")
	}
	return regexp.MustCompile(`\(\d+\.\d+s\)`).ReplaceAllString(string(out), "(TIME)")
}
