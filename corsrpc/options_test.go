package corsrpc_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// optionErrors returns the option errors that an error joins.
func optionErrors(err error) (all []*corsrpc.OptionError) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	for _, err := range joined.Unwrap() {
		var of *corsrpc.OptionError
		if errors.As(err, &of) {
			all = append(all, of)
		}
	}
	return all
}

// meaningless are layer options with invalid values.
var meaningless = map[string]struct {
	option       corsrpc.LayerOption
	names, wants string // the option in the error, and a part of its reason
}{
	"no option":               {nil, "LayerOption", "nil"},
	"no logger":               {corsrpc.WithLogger(nil), "WithLogger", "slog.DiscardHandler"},
	"a logger of no handler":  {corsrpc.WithLogger(new(slog.Logger)), "WithLogger", "slog.DiscardHandler"},
	"no observer":             {corsrpc.WithObserver(nil), "WithObserver", "nil"},
	"a nil observer":          {corsrpc.WithObserver((*events)(nil)), "WithObserver", "nil"},
	"a nil function observes": {corsrpc.WithObserver(corsrpc.ObserverFunc(nil)), "WithObserver", "nil"},
	"no shadow":               {corsrpc.WithShadow(nil), "WithShadow", "nil"},
	"a zero plan as shadow":   {corsrpc.WithShadow(new(corsrpc.Plan)), "WithShadow", "zero"},
	"no guard":                {corsrpc.WithGuard(nil), "WithGuard", "nil"},
	"a zero plan as guard":    {corsrpc.WithGuard(new(corsrpc.Plan)), "WithGuard", "zero"},
	"no source":               {corsrpc.WithOriginSource("t", nil), "WithOriginSource", `"t": the source is nil`},
	"a nil source":            {corsrpc.WithOriginSource("t", (*table)(nil)), "WithOriginSource", `"t": the source is nil`},
	"a nil function as one":   {corsrpc.WithOriginSource("t", corsrpc.OriginSourceFunc(nil)), "WithOriginSource", `"t": the source is nil`},
	"a source without a name": {corsrpc.WithOriginSource("", rowsOf()), "WithOriginSource", `"": the name`},
	"a name that no rule has": {corsrpc.WithOriginSource("a b", rowsOf()), "WithOriginSource", `"a b": the name`},
	"no option of a source":   {corsrpc.WithOriginSource("t", rowsOf(), nil), "SourceOption", `"t": the option is nil`},
	"no timeout":              {corsrpc.WithOriginSource("t", rowsOf(), corsrpc.SourceTimeout(0)), "SourceTimeout", `"t": 0s is not a positive duration`},
	"a negative timeout":      {corsrpc.WithOriginSource("t", rowsOf(), corsrpc.SourceTimeout(-time.Second)), "SourceTimeout", `"t": -1s is not a positive duration`},
	"no age":                  {corsrpc.WithOriginSource("t", rowsOf(), corsrpc.SourceMaxAge(0)), "SourceMaxAge", "0s"},
	"no period":               {corsrpc.WithOriginSource("t", rowsOf(), corsrpc.SourceEvery(-1)), "SourceEvery", "-1ns"},
	"no wait":                 {corsrpc.WithOriginSource("t", rowsOf(), corsrpc.SourceWait(0)), "SourceWait", "0s"},
	"no origins":              {corsrpc.WithOriginSource("t", rowsOf(), corsrpc.SourceMaxOrigins(0)), "SourceMaxOrigins", `"t": 0 is not a positive number`},
}

// TestInvalidLayerOptions checks that an invalid layer option is an error of New, and of Load before it
// reads the file.
func TestInvalidLayerOptions(t *testing.T) {
	t.Parallel()
	for name, test := range meaningless {
		_, ofNew := corsrpc.New(compilePolicy(t, smallest), test.option)
		errs := map[string]error{"New": ofNew}
		if test.option != nil {
			_, errs["Load"] = corsrpc.Load("no such file.yaml", test.option)
		}
		for of, err := range errs {
			if all := optionErrors(err); len(all) != 1 || all[0].Option != test.names || !strings.Contains(all[0].Reason, test.wants) || !strings.Contains(err.Error(), test.names) {
				t.Errorf("%s: the error of %s is %v, want one of %s that says %q", name, of, err, test.names, test.wants)
			}
		}
	}
	if _, err := corsrpc.Load("no such file.yaml", nil); len(optionErrors(err)) != 1 {
		t.Errorf("no option: the error of Load is %v", err)
	}
}

// TestEveryOptionErrorAtOnce checks that New reports all invalid options and all missing sources
// together.
func TestEveryOptionErrorAtOnce(t *testing.T) {
	t.Parallel()
	plan := compilePolicy(t, `defaults: {allow_origins_from: [tenants, partners, other]}`)
	_, err := corsrpc.New(plan, corsrpc.WithLogger(nil), corsrpc.WithObserver(nil),
		corsrpc.WithOriginSource("other", rowsOf(), corsrpc.SourceEvery(0), corsrpc.SourceTimeout(0)),
		corsrpc.WithOriginSource("other", rowsOf()))
	var options []string
	for _, of := range optionErrors(err) {
		options = append(options, of.Option)
	}
	if got := strings.Join(options, " "); got != "WithLogger WithObserver SourceEvery SourceTimeout WithOriginSource" {
		t.Errorf("options that are wrong: %s", got)
	}
	if !errors.Is(err, corsrpc.ErrUnknownSource) || !strings.Contains(err.Error(), `"tenants"`) || !strings.Contains(err.Error(), `"partners"`) || !strings.Contains(err.Error(), "given twice") {
		t.Errorf("%v", err)
	}
	if _, err := corsrpc.New(nil, corsrpc.WithLogger(nil)); len(optionErrors(err)) != 1 || !strings.Contains(err.Error(), "the plan is nil") {
		t.Errorf("without a plan: %v", err)
	}
	if _, err := corsrpc.New(new(corsrpc.Plan)); err == nil || !strings.Contains(err.Error(), "the plan is nil") {
		t.Errorf("with a zero plan: %v", err)
	}
}

// TestInvalidCompileOptions checks that an invalid option of Compile or ParsePolicy is a violation.
func TestInvalidCompileOptions(t *testing.T) {
	t.Parallel()
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(smallest))
	if err != nil {
		t.Fatal(err)
	}
	for option, given := range map[string]corsrpc.CompileOption{
		"CompileOption":  nil,
		"WithDocument":   corsrpc.WithDocument(nil),
		"WithFiles":      corsrpc.WithFiles(nil),
		"WithLookupEnv":  corsrpc.WithLookupEnv(nil),
		"WithPathPrefix": corsrpc.WithPathPrefix(""),
	} {
		_, err := corsrpc.Compile(doc.Policy(), given)
		errs := []error{err}
		if given != nil {
			errs = append(errs, load(t, "cors.yaml", smallest, given), load(t, "cors.yaml", "defaults: [", given))
		}
		for _, err := range errs {
			found := violations(t, err)
			if last := found[len(found)-1]; last.Check != corsrpc.CheckOption || last.Field != option || last.Reason == "" {
				t.Errorf("%s: %v", option, err)
			}
		}
	}
	for _, n := range []int{0, -1} {
		_, err := corsrpc.ParsePolicy("cors.yaml", []byte(smallest), corsrpc.WithMaxPolicyBytes(n))
		for _, err := range []error{err, load(t, "cors.yaml", smallest, corsrpc.WithMaxPolicyBytes(n))} {
			if found := violations(t, err); len(found) != 1 || found[0].Check != corsrpc.CheckOption || found[0].Field != "WithMaxPolicyBytes" {
				t.Errorf("%d bytes: %v", n, err)
			}
		}
	}
	if _, err := corsrpc.ParsePolicy("cors.yaml", []byte(smallest), nil); len(violations(t, err)) != 1 {
		t.Errorf("no option: %v", err)
	}
	if err := load(t, "cors.yaml", smallest, corsrpc.WithDocument(doc)); len(violations(t, err)) != 1 {
		t.Errorf("a document for Load: %v", err)
	}
	all := violations(t, load(t, "cors.yaml", "defaults: {allow_origin: [x]}", corsrpc.WithFiles(nil), corsrpc.WithMaxPolicyBytes(0)))
	if len(all) != 3 {
		t.Errorf("of the policy and the options: %v", all)
	}
}

// TestMaxPolicyBytes checks that ParsePolicy and Load apply WithMaxPolicyBytes to the text.
func TestMaxPolicyBytes(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]bool{math.MaxInt: true, len(smallest): true, len(smallest) - 1: false} {
		_, err := corsrpc.ParsePolicy("cors.yaml", []byte(smallest), corsrpc.WithMaxPolicyBytes(n))
		loaded := load(t, "cors.yaml", smallest, corsrpc.WithMaxPolicyBytes(n), quiet)
		if (err == nil) != want || (loaded == nil) != want {
			t.Errorf("%d bytes: %v, %v", n, err, loaded)
		}
	}
}

// TestEmptySchema checks that an empty registry is a schema without services.
func TestEmptySchema(t *testing.T) {
	t.Parallel()
	plan := compilePolicy(t, smallest, corsrpc.WithFiles(new(protoregistry.Files)))
	if got := plan.Procedures(); len(got) != 0 {
		t.Errorf("%d procedures", len(got))
	}
}

// TestWaitEndsWithTheContext checks that LoadContext and NewContext wait for a source only as long as
// their context lasts, and use the context for nothing else.
func TestWaitEndsWithTheContext(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "cors.yaml", tenantsPolicy)
	plan := compilePolicy(t, tenantsPolicy)
	for name, start := range map[string]func(ctx context.Context, opts ...corsrpc.LayerOption) (*corsrpc.Layer, error){
		"NewContext": func(ctx context.Context, opts ...corsrpc.LayerOption) (*corsrpc.Layer, error) {
			return corsrpc.NewContext(ctx, plan, opts...)
		},
		"LoadContext": func(ctx context.Context, opts ...corsrpc.LayerOption) (*corsrpc.Layer, error) {
			var all []corsrpc.Option
			for _, o := range opts {
				all = append(all, o)
			}
			return corsrpc.LoadContext(ctx, file, all...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				begin := time.Now()
				if _, err := start(ctx, quiet, corsrpc.WithOriginSource("tenants", &table{hangs: true}, corsrpc.SourceWait(time.Hour))); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 3*time.Second {
					t.Errorf("%v after %v", err, time.Since(begin))
				}
				layer, err := start(ctx, quiet, corsrpc.WithOriginSource("tenants", &table{rows: []string{shop}})) // no source has SourceWait
				if err != nil {
					t.Fatal(err)
				}
				if err := layer.Refresh(t.Context(), "tenants"); err != nil || !allows(layer, shop) {
					t.Errorf("behind the context's end: %v", err)
				}
			})
		})
	}
}

// TestZeroLayer checks that Wrap of a zero Layer panics when it is called, that no other method
// panics, and that a zero Layer allows nothing.
func TestZeroLayer(t *testing.T) {
	t.Parallel()
	panics := func(f func()) (says any) {
		defer func() { says = recover() }()
		f()
		return nil
	}
	if got, _ := panics(func() { new(corsrpc.Layer).Wrap(emptyHandler) }).(string); !strings.Contains(got, "corsrpc.Load") {
		t.Errorf("Wrap of a zero layer: %q", got)
	}
	layer, _ := newLayer(t, smallest)
	if got, _ := panics(func() { layer.Wrap(nil) }).(string); !strings.Contains(got, "the handler is nil") {
		t.Errorf("Wrap of no handler: %q", got)
	}
	zero, plan := new(corsrpc.Layer), compilePolicy(t, smallest)
	if zero.Plan() != nil || zero.CheckOrigin(httptest.NewRequest(http.MethodGet, "/", nil)) {
		t.Error("a zero layer has a plan, or lets a handshake in")
	}
	if err := zero.Reload(t.Context(), plan); err == nil || !strings.Contains(err.Error(), "corsrpc.New") || zero.Plan() != nil {
		t.Errorf("Reload: %v", err)
	}
	if err := zero.Refresh(t.Context(), "tenants"); !errors.Is(err, corsrpc.ErrUnknownSource) {
		t.Errorf("Refresh: %v", err)
	}
	if err := zero.Watch(t.Context()); !errors.Is(err, corsrpc.ErrNoFile) {
		t.Errorf("Watch: %v", err)
	}
}

// TestUnknownSource checks that errors.Is finds ErrUnknownSource.
func TestUnknownSource(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, smallest)
	_, ofNew := corsrpc.New(compilePolicy(t, tenantsPolicy))
	for of, err := range map[string]error{
		"New": ofNew, "Load": load(t, "cors.yaml", tenantsPolicy), "Refresh": layer.Refresh(t.Context(), "tenants"),
		"Reload": layer.Reload(t.Context(), compilePolicy(t, tenantsPolicy)),
	} {
		if !errors.Is(err, corsrpc.ErrUnknownSource) || !strings.Contains(err.Error(), `"tenants"`) || !strings.Contains(err.Error(), "WithOriginSource") {
			t.Errorf("%s: %v", of, err)
		}
	}
}

// TestUnknownSourceHasAPlace checks that an origin source that the layer does not have is a
// violation with the place that names it: in the policy, in its shadow policy, and in that of
// WithShadow.
func TestUnknownSourceHasAPlace(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		policy, want string
		opts         []corsrpc.Option
	}{
		"the policy":        {policy: "defaults:\n  allow_origins_from: [tenants]\n", want: "2:24 defaults.allow_origins_from[0]"},
		"two places":        {policy: "defaults: {allow_origins_from: [tenants]}\nrules:\n  - path: /a\n    allow_origins_from: [tenants]\n", want: "1:33 defaults.allow_origins_from[0] and rules[0].allow_origins_from[0]"},
		"the shadow policy": {policy: "defaults: {allow_origins: [https://app.example.com]}\nshadow:\n  defaults: {allow_origins_from: [tenants]}\n", want: "3:35 shadow.defaults.allow_origins_from[0]"},
		"WithShadow": {policy: smallest, want: "1:33 defaults.allow_origins_from[0]",
			opts: []corsrpc.Option{corsrpc.WithShadow(compilePolicy(t, tenantsPolicy))}},
	}
	for name, test := range tests {
		err := load(t, "cors.yaml", test.policy, test.opts...)
		var policy *corsrpc.PolicyError
		if !errors.As(err, &policy) || !errors.Is(err, corsrpc.ErrUnknownSource) || len(policy.Violations) != 1 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		v := policy.Violations[0]
		got := fmt.Sprintf("%d:%d %s", v.Position.Line, v.Position.Column, v.Field)
		for _, r := range v.Related {
			got += " and " + r.Field
		}
		if got != test.want || v.Check != corsrpc.CheckOriginSource || v.Value != "tenants" {
			t.Errorf("%s: %s (%+v), want %s", name, got, v, test.want)
		}
	}
}

// TestMisspeltSource checks that the violations of sources are in file order, and that a name that is
// near that of a given source is a misspelling of it.
func TestMisspeltSource(t *testing.T) {
	t.Parallel()
	const policy = "rules:\n  - path: /a\n    allow_origins_from: [tenantz]\n  - path: /b\n    allow_origins_from: [other]\n"
	err := load(t, "cors.yaml", policy, corsrpc.WithOriginSource("tenants", rowsOf("https://app.example.com")))
	var problems *corsrpc.PolicyError
	if !errors.As(err, &problems) || len(problems.Violations) != 2 {
		t.Fatal(err)
	}
	if v := problems.Violations; v[0].Fix != `"tenants"` || v[0].Position.Line != 3 || v[1].Fix != "" || v[1].Position.Line != 5 {
		t.Errorf("%v", err)
	}
}

// TestWatchWithoutAFile checks that Watch of a layer that New made follows its sources only.
func TestWatchWithoutAFile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		layer, _ := newLayer(t, smallest)
		if err := layer.Watch(ended); !errors.Is(err, corsrpc.ErrNoFile) {
			t.Errorf("without sources: %v", err)
		}
		tenants := &table{rows: []string{shop}}
		layer, _ = newLayer(t, tenantsPolicy, corsrpc.WithOriginSource("tenants", tenants))
		follow(t, layer)
		if !allows(layer, shop) {
			t.Error("the source is not followed")
		}
		if err := layer.Watch(t.Context()); !errors.Is(err, corsrpc.ErrWatching) {
			t.Errorf("a second Watch: %v", err)
		}
	})
}

// TestObserverGivenTwice checks that giving an observer twice is an error. Functions cannot be compared,
// so they are not checked.
func TestObserverGivenTwice(t *testing.T) {
	t.Parallel()
	plan, o := compilePolicy(t, smallest), &events{}
	_, err := corsrpc.New(plan, quiet, corsrpc.WithObserver(o), corsrpc.WithObserver(o))
	var of *corsrpc.OptionError
	if !errors.As(err, &of) || of.Option != "WithObserver" || !strings.Contains(of.Reason, "twice") {
		t.Error(err)
	}
	function := corsrpc.ObserverFunc(func(context.Context, corsrpc.Event) {})
	if _, err := corsrpc.New(plan, quiet, corsrpc.WithObserver(o), corsrpc.WithObserver(&events{}), corsrpc.WithObserver(function), corsrpc.WithObserver(function)); err != nil {
		t.Error(err)
	}
}
