package intent

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"testing"

	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
)

// TestMismatchesFound: each case was once found by the generators, as a
// difference between what the policy says and what the browser allowed, or as a
// question that the model answered otherwise.
func TestMismatchesFound(t *testing.T) {
	const page = "https://app.example.com"
	tests := []struct {
		name   string
		policy string
		call   call
		want   outcome
	}{
		{
			"the layer's own 405 shows what it carries", `
rules: [{path: /healthz, allow_origins: [https://app.example.com], expose: PRESENT, allow_methods: [GET]}]`,
			call{Path: "/healthz", Method: "POST"}, outcome{Reads: true, Status: 405, Headers: "Allow Cache-Control Content-Type"},
		},
		{
			"a selector of a package covers what has the package's name for its service", `
rules: [{selector: acme.v1.*, allow_origins: [https://app.example.com], expose: DECLARED, accept_risks: [UNKNOWN_SELECTORS]}]`,
			call{Path: "/acme.v1/x", Method: "POST", Answer: http.Header{"X-B": {"v"}}}, outcome{Runs: true, Reads: true, Status: 200},
		},
		{
			"a path may show a protocol's status header that it names", `
rules: [{path: /healthz, allow_origins: [https://app.example.com], expose_headers: [grpc-status]}]`,
			call{Path: "/healthz", Method: "POST", Answer: http.Header{"Grpc-Status": {"0"}, "Grpc-Message": {"m"}}},
			outcome{Runs: true, Reads: true, Status: 200, Headers: "Grpc-Status"},
		},
		{
			"cookies of a page like any other write to no open path", `
rules: [{path: /healthz, allow_origins: ["*"]}]`,
			call{Path: "/healthz", Method: "POST", Mode: corsbrowser.NoCORS, Credentials: corsbrowser.Include, HasCookie: true}, outcome{},
		},
		{
			"without them it writes", `
rules: [{path: /healthz, allow_origins: ["*"]}]`,
			call{Path: "/healthz", Method: "POST", Mode: corsbrowser.NoCORS, Credentials: corsbrowser.Include}, outcome{Runs: true, Reaches: true},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := load(t, test.policy)
			c := test.call
			c.Mode, c.Credentials = cmp.Or(c.Mode, corsbrowser.CORS), cmp.Or(c.Credentials, corsbrowser.SameOrigin)
			c.Page, c.API, c.Engine, c.Status = page, "https://api.example.com", corsbrowser.Standard, http.StatusOK
			compare(t, w, c)
			if got, log, err := effect(t, w.layer.Wrap, c); got != test.want {
				t.Errorf("got %+v (%v), want %+v\n%+v", got, err, test.want, log)
			}
		})
	}
}

// TestCachedForOthers: a path open to everyone, by GET alone. A shared cache
// gives the answer to a program's HEAD to no script, and the 405 for a script to
// no program.
func TestCachedForOthers(t *testing.T) {
	w := load(t, `rules: [{path: /healthz, allow_origins: ["*"], allow_methods: [GET]}]`)
	for _, programFirst := range []bool{true, false} {
		cache := &sharedCache{next: w.layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Cache-Control", "max-age=60") }))}
		program := func() int {
			rec := httptest.NewRecorder()
			cache.ServeHTTP(rec, httptest.NewRequest(http.MethodHead, "/healthz", nil))
			return rec.Code
		}
		if programFirst {
			program()
		}
		c := call{Page: "https://app.example.com", API: "https://api.example.com", Path: "/healthz", Method: "HEAD", Mode: corsbrowser.CORS, Engine: corsbrowser.Standard}
		if got, _, err := effect(t, func(http.Handler) http.Handler { return cache }, c); got.Status != http.StatusMethodNotAllowed {
			t.Errorf("the script got %+v (%v)", got, err)
		}
		if status := program(); status != http.StatusOK {
			t.Errorf("the program got %d", status)
		}
	}
}

func load(t *testing.T, policy string) *world {
	t.Helper()
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, Policy{Policy: doc.Policy()}, new(descriptorpb.FileDescriptorSet))
	if w == nil || len(w.GetRules()) != len(doc.Policy().GetRules()) {
		t.Fatal("the policy does not load")
	}
	return w
}
