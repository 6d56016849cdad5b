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

// TestMismatchesFound: the generators once found each of these cases, as a difference between
// the model and the effect in the browser.
func TestMismatchesFound(t *testing.T) {
	t.Parallel()
	const page = "https://app.example.com"
	tests := []struct {
		name   string
		policy string
		call   call
		want   outcome
	}{
		{
			"a script can read the headers of the layer's 405", `
rules: [{path: /healthz, allow_origins: [https://app.example.com], expose: PRESENT, allow_methods: [GET]}]`,
			call{Path: "/healthz", Method: "POST"}, outcome{Reads: true, Status: 405, Headers: "Allow Cache-Control Content-Type"},
		},
		{
			"a package selector matches a service with the package's name", `
rules: [{selector: acme.v1.*, allow_origins: [https://app.example.com], expose: DECLARED, accept_risks: [UNKNOWN_SELECTORS]}]`,
			call{Path: "/acme.v1/x", Method: "POST", Answer: http.Header{"X-B": {"v"}}}, outcome{Runs: true, Reads: true, Status: 200},
		},
		{
			"a path rule can expose a status header of gRPC", `
rules: [{path: /healthz, allow_origins: [https://app.example.com], expose_headers: [grpc-status]}]`,
			call{Path: "/healthz", Method: "POST", Answer: http.Header{"Grpc-Status": {"0"}, "Grpc-Message": {"m"}}},
			outcome{Runs: true, Reads: true, Status: 200, Headers: "Grpc-Status"},
		},
		{
			"a form with cookies does not reach a path that is open to every origin", `
rules: [{path: /healthz, allow_origins: ["*"]}]`,
			call{Path: "/healthz", Method: "POST", Mode: corsbrowser.NoCORS, Credentials: corsbrowser.Include, HasCookie: true}, outcome{},
		},
		{
			"a form without cookies reaches it", `
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

// TestCachedForOthers: for a path that allows only GET, a shared cache does not use the
// response to a program's HEAD for a script, or the 405 to a script for a program.
func TestCachedForOthers(t *testing.T) {
	t.Parallel()
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

// load returns the world of a policy without a schema.
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
