package serve

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

const appPolicy = `defaults: {allow_origins: ["https://app.example.com"]}`

// withRule returns the policy of the app with a rule for a selector.
func withRule(selector string) string {
	return appPolicy + "\nrules:\n- {selector: " + selector + `, allow_origins: ["https://shop.example.com"]}`
}

// TestPolicyThatCannotLoad: NewPolicy reports every problem of a policy, with its place, and files that
// cannot be read.
func TestPolicyThatCannotLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shopImage := write(t, filepath.Join(dir, "shop.binpb"), image(t, declared("shop.proto", "acme.v1.Shop/Get")))
	garbage := write(t, filepath.Join(dir, "garbage.binpb"), "\xff\xff")
	for name, test := range map[string]struct {
		policy string
		config PolicyConfig
		want   []string
	}{
		"no file":         {"", PolicyConfig{File: filepath.Join(dir, "none.yaml")}, []string{"cannot read the policy: open " + filepath.Join(dir, "none.yaml")}},
		"a folder":        {"", PolicyConfig{File: dir}, []string{"cannot read the policy", "not a regular file"}},
		"not YAML":        {"a: [", PolicyConfig{}, []string{"cors.yaml:1:"}},
		"two problems":    {"defaults: {allow_origins: [\"https://app.example.com/\"], max_age: x}", PolicyConfig{}, []string{"2 problems", "cors.yaml:1:28", "cors.yaml:1:66"}},
		"unset variable":  {`defaults: {allow_origins: ["${ORIGINS}"]}`, PolicyConfig{}, []string{"ORIGINS", "cors.yaml:1:28"}},
		"unknown profile": {appPolicy, PolicyConfig{Profile: "prod"}, []string{`"prod"`}},
		"unknown profile of the environment": {appPolicy, PolicyConfig{LookupEnv: func(name string) (string, bool) { return "dev", name == "CORSRPC_PROFILE" }},
			[]string{`"dev"`}},
		"unknown source":         {"defaults: {allow_origins_from: [tenants]}", PolicyConfig{}, []string{"cors.yaml:1:33", "origin source of this program", "origin_sources"}},
		"bad prefix":             {appPolicy, PolicyConfig{Prefixes: []string{"api"}}, []string{"api"}},
		"a host that is not one": {appPolicy, PolicyConfig{InspectorHosts: []string{"*.example.com"}}, []string{"*.example.com"}},
		"no such descriptors":    {appPolicy, PolicyConfig{Descriptors: []string{filepath.Join(dir, "none.binpb")}}, []string{"none.binpb does not exist", "buf build"}},
		"bad descriptors":        {appPolicy, PolicyConfig{Descriptors: []string{garbage}}, []string{"garbage.binpb is not a file with descriptors"}},
		"a typo in a selector":   {withRule("acme.v1.Shop.Gte"), PolicyConfig{Descriptors: []string{shopImage}}, []string{"cors.yaml:3:14", "acme.v1.Shop.Get"}},
		"bad selector by name":   {withRule("acme..v1"), PolicyConfig{}, []string{"cors.yaml:3:14"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := test.config
			config.Logger = slog.New(slog.DiscardHandler)
			if config.File == "" {
				config.File = policyFile(t, test.policy)
			}
			if config.LookupEnv == nil {
				config.LookupEnv = func(string) (string, bool) { return "", false }
			}
			_, err := NewPolicy(config)
			if err == nil {
				t.Fatal("not an error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error has no %q:\n%v", want, err)
				}
			}
		})
	}
}

// TestByName: a policy without a schema is served by name, and the log says what is not known.
func TestByName(t *testing.T) {
	t.Parallel()
	r := newRunning(t, PolicyConfig{File: policyFile(t, withRule("acme.v1.Shop")), LookupEnv: func(string) (string, bool) { return "", false }})
	r.awaitReady()
	if !r.allows(app, "/acme.v1.Cart/Get") || !r.allows(shop, "/acme.v1.Shop/Get") || r.allows(shop, "/acme.v1.Cart/Get") {
		t.Error("the policy is not in force")
	}
	if r.Streams("acme.v1.Shop", "Get") || r.log.count("the schema is not known") != 1 {
		t.Errorf("streams %v; the log:\n%s", r.Streams("acme.v1.Shop", "Get"), r.log)
	}
}

// TestProfile: the environment chooses the profile, unless the configuration does.
func TestProfile(t *testing.T) {
	t.Parallel()
	file := policyFile(t, appPolicy+`
profiles:
  dev: {defaults: {allow_origins: ["http://localhost:3000"]}}
  prod: {defaults: {allow_origins: ["https://shop.example.com"]}}
`)
	env := func(name string) (string, bool) { return "dev", name == "CORSRPC_PROFILE" }
	byEnv := newRunning(t, PolicyConfig{File: file, LookupEnv: env})
	byConfig := newRunning(t, PolicyConfig{File: file, LookupEnv: env, Profile: "prod"})
	byEnv.awaitReady()
	byConfig.awaitReady()
	if !byEnv.allows("http://localhost:3000", "/a.B/C") || byEnv.allows(shop, "/a.B/C") || byEnv.log.count("profile=dev chosen_by=CORSRPC_PROFILE") != 1 {
		t.Error("the environment does not choose the profile")
	}
	if byConfig.allows("http://localhost:3000", "/a.B/C") || !byConfig.allows(shop, "/a.B/C") || byConfig.log.count("profile=prod") != 1 {
		t.Error("the configuration does not choose the profile")
	}
}

// TestDescriptorsOnly: with descriptor files alone the policy is in force at once, with its schema.
func TestDescriptorsOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := newRunning(t, PolicyConfig{File: policyFile(t, withRule("acme.v1.Shop.Get")), Descriptors: []string{
		write(t, filepath.Join(dir, "shop.binpb"), image(t, declared("shop.proto", "acme.v1.Shop/Get Watch*"))),
		write(t, filepath.Join(dir, "cart.binpb"), image(t, declared("cart.proto", "acme.v1.Cart/Put"))),
	}})
	r.awaitReady()
	if !r.Streams("acme.v1.Shop", "Watch") || r.Streams("acme.v1.Cart", "Put") || r.log.count("procedures=3") != 1 {
		t.Error("not the schema of both files")
	}
}

// TestServerThatIsAway: until a server has told its schema, requests are answered with 503, which does not
// tell clients what is waited for. The log says why once.
func TestServerThatIsAway(t *testing.T) {
	t.Parallel()
	server := &reflecting{t: t, address: freeAddress(t)}
	r := newRunning(t, PolicyConfig{File: policyFile(t, appPolicy), Reflect: []ReflectedServer{server.upstream("shop")}})
	passed := 0
	handler := r.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { passed++ }))
	request := httptest.NewRequest(http.MethodPost, "/acme.v1.Shop/Get", nil)
	request.Header.Set("Origin", app)
	r.await("a reason", func() bool { _, why := r.Ready(); return strings.Contains(why, "does not listen") })
	if _, why := r.Ready(); !strings.Contains(why, "the upstream shop (grpc://"+server.address+")") {
		t.Errorf("waits for %s", why)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, request)
	body, _ := io.ReadAll(w.Result().Body)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || passed != 0 || r.Layer() != nil || r.Digest() != "" {
		t.Errorf("status %d, %v; passed %d times", w.Code, w.Header(), passed)
	}
	if strings.Contains(string(body), "shop") || strings.Contains(string(body), server.address) || w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("strangers read %q with %v", body, w.Header())
	}
	server.start(version1, declared("shop.proto", "acme.v1.Shop/Get"))
	t.Cleanup(server.stop)
	r.awaitReady()
	handler.ServeHTTP(httptest.NewRecorder(), request)
	if passed != 1 {
		t.Error("the request does not pass")
	}
	if n := r.log.count("waiting for the schema"); n != 1 {
		t.Errorf("the reason is logged %d times", n)
	}
}

// TestTypoInSelector: a selector that the schema of the server does not have ends Run with its place.
func TestTypoInSelector(t *testing.T) {
	t.Parallel()
	server := startReflecting(t, version1, declared("shop.proto", "acme.v1.Shop/Get"))
	p, err := NewPolicy(PolicyConfig{File: policyFile(t, withRule("acme.v1.Shop.Gte")), Reflect: []ReflectedServer{server.upstream("shop")}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	err = p.Run(t.Context())
	var problems *corsrpc.PolicyError
	if !errors.As(err, &problems) || !strings.Contains(err.Error(), "cors.yaml:3:14") || p.Layer() != nil {
		t.Errorf("error %v", err)
	}
	if err := p.Run(t.Context()); err == nil {
		t.Error("Run runs twice")
	}
}

// TestRunEndsWithContext: Run returns nil when its context ends, also while it waits for a server.
func TestRunEndsWithContext(t *testing.T) {
	t.Parallel()
	server := &reflecting{t: t, address: freeAddress(t)}
	p, err := NewPolicy(PolicyConfig{File: policyFile(t, appPolicy), Reflect: []ReflectedServer{server.upstream("shop")}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- p.Run(ctx) }()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestWrapCosts: Wrap adds no allocation to a request that the layer handles.
func TestWrapCosts(t *testing.T) {
	r := newRunning(t, PolicyConfig{File: policyFile(t, appPolicy)})
	r.awaitReady()
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	request := httptest.NewRequest(http.MethodPost, "/acme.v1.Shop/Get", nil)
	request.Header.Set("Origin", app)
	cost := func(h http.Handler) float64 {
		return testing.AllocsPerRun(100, func() { h.ServeHTTP(httptest.NewRecorder(), request) })
	}
	if with, without := cost(r.Wrap(next)), cost(r.Layer().Wrap(next)); with > without {
		t.Errorf("%v allocations instead of %v", with, without)
	}
}
