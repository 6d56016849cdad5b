package corsrpc_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/analysis"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// guarded allows the pages a and b. The sources are those of the guard.
const guarded = `defaults: {allow_origins: [https://a.example.com, https://b.example.com], allow_origins_from: [tenants]}`

// acme is the schema of the corpus.
func acme(t testing.TB) corsrpc.CompileOption {
	t.Helper()
	files, err := vectors.Schema("acme")
	if err != nil {
		t.Fatal(err)
	}
	return corsrpc.WithFiles(files)
}

// guardErrorIn returns the GuardError of an error; nil if it has none.
func guardErrorIn(err error) *corsrpc.GuardError {
	var wider *corsrpc.GuardError
	errors.As(err, &wider)
	return wider
}

// waysIntoForce are the ways in which a policy gets in force: each tries to put the policy of a text in
// force for a layer with a guard, and returns its error. The layer is nil if there is none.
var waysIntoForce = map[string]func(t *testing.T, text string, guard corsrpc.LayerOption) (*corsrpc.Layer, error){
	"New": func(t *testing.T, text string, guard corsrpc.LayerOption) (*corsrpc.Layer, error) {
		return corsrpc.New(compilePolicy(t, text), quiet, guard)
	},
	"Load": func(t *testing.T, text string, guard corsrpc.LayerOption) (*corsrpc.Layer, error) {
		return corsrpc.Load(writeFile(t, "cors.yaml", text), quiet, guard, acme(t))
	},
	"Reload": func(t *testing.T, text string, guard corsrpc.LayerOption) (*corsrpc.Layer, error) {
		layer, _ := newLayer(t, policyOf("a"), guard)
		return layer, layer.Reload(t.Context(), compilePolicy(t, text))
	},
	"Watch": func(t *testing.T, text string, guard corsrpc.LayerOption) (*corsrpc.Layer, error) {
		file := writeFile(t, "cors.yaml", policyOf("a"))
		w := watch(t, file, guard, acme(t))
		replace(t, file, text)
		return w.layer, (<-w.reported).Err
	},
	"the shadow becomes the policy": func(t *testing.T, text string, guard corsrpc.LayerOption) (*corsrpc.Layer, error) {
		layer, _ := newLayer(t, policyOf("a")+"shadow:\n  "+text, guard)
		return layer, layer.Reload(t.Context(), layer.Plan().Shadow())
	},
}

// TestGuard checks that no policy that grants more than the guard gets in force in any way, and that one
// that grants the same or less does.
func TestGuard(t *testing.T) {
	t.Parallel()
	for way, put := range waysIntoForce {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			guard := corsrpc.WithGuard(compilePolicy(t, guarded))
			for _, text := range []string{policyOf("b"), "defaults: {allow_origins: [https://a.example.com, https://b.example.com]}\n"} {
				layer, err := put(t, text, guard)
				if err != nil || !allows(layer, "https://b.example.com") {
					t.Errorf("%s is not put in force: %v", text, err)
				}
			}
			layer, err := put(t, policyOf("evil"), guard)
			wider := guardErrorIn(err)
			if wider == nil || len(wider.Wider) != 1 || !strings.Contains(wider.Wider[0].Sentence, "https://evil.example.com") {
				t.Fatalf("a policy that grants more: the error is %v", err)
			}
			if at := wider.Wider[0].Plan; at.Field == "" {
				t.Errorf("the place in the policy is %v", at)
			}
			if layer != nil && (allows(layer, "https://evil.example.com") || !allows(layer, "https://a.example.com")) {
				t.Error("the policy in force has changed")
			}
		})
	}
}

// guardCases are policies beside a guard. The guard and the policy are compiled with options of their own.
var guardCases = map[string]struct {
	guard, policy         string
	guardOpts, policyOpts []corsrpc.CompileOption
	says                  string // a part of the error; empty if the policy may be in force
}{
	"the same":                      {guard: guarded, policy: guarded},
	"one origin less":               {guard: guarded, policy: policyOf("a")},
	"nobody":                        {guard: guarded, policy: "defaults: {disabled: true}"},
	"a pattern of the guard's":      {guard: `defaults: {allow_origins: ["https://*.example.com"]}`, policy: policyOf("a")},
	"everyone":                      {guard: guarded, policy: `defaults: {allow_origins: ["*"]}`, says: "every origin"},
	"a wider pattern":               {guard: guarded, policy: `defaults: {allow_origins: ["https://*.example.com"]}`, says: "https://*.example.com"},
	"credentials":                   {guard: policyOf("a"), policy: "defaults: {allow_origins: [https://a.example.com], allow_credentials: true}", says: "credentials"},
	"a request header":              {guard: policyOf("a"), policy: "defaults: {allow_origins: [https://a.example.com], allow_headers: [x-a]}", says: "x-a"},
	"all response headers":          {guard: "defaults: {allow_origins: [https://a.example.com], expose: DECLARED}", policy: policyOf("a"), says: "response header"},
	"a longer time":                 {guard: policyOf("a"), policy: "defaults: {allow_origins: [https://a.example.com], max_age: 9000s}", says: "9000s"},
	"a shorter time":                {guard: policyOf("a"), policy: "defaults: {allow_origins: [https://a.example.com], max_age: 60s}"},
	"timing":                        {guard: policyOf("a"), policy: "defaults: {allow_origins: [https://a.example.com], timing: true}", says: "timing"},
	"enforcement: OBSERVE":          {guard: policyOf("a"), policy: "enforcement: OBSERVE\n" + policyOf("a"), says: "reach"},
	"the guard observes":            {guard: "enforcement: OBSERVE\n" + policyOf("a"), policy: policyOf("a")},
	"a procedure":                   {guard: policyOf("a") + "rules: [{selector: acme.catalog.v1.CatalogService.Get, disabled: true}]", policy: policyOf("a"), says: "acme.catalog.v1.CatalogService.Get"},
	"a path that the guard refuses": {guard: policyOf("a") + "rules: [{path: /admin/, disabled: true}]", policy: policyOf("a"), says: "/admin/"},
	"a path of its own": {
		guard: policyOf("a"), policy: policyOf("a") + "rules: [{path: /files/, allow_origins: [https://a.example.com], allow_methods: [GET]}]", says: "/files/",
	},
	"a profile": {
		guard: policyOf("a"), policy: policyOf("a") + "profiles: {dev: {add_origins: [https://dev.example.com]}}",
		policyOpts: []corsrpc.CompileOption{corsrpc.WithProfile("dev")}, says: "https://dev.example.com",
	},
	"a profile that is not chosen": {guard: policyOf("a"), policy: policyOf("a") + "profiles: {dev: {add_origins: [https://dev.example.com]}}"},
	"a profile of the guard": {
		guard: policyOf("a") + "profiles: {dev: {add_origins: [https://dev.example.com]}}", guardOpts: []corsrpc.CompileOption{corsrpc.WithProfile("dev")},
		policy: "defaults: {allow_origins: [https://a.example.com, https://dev.example.com]}",
	},
	"the environment": {
		guard: policyOf("a"), policy: `defaults: {allow_origins: ["${PAGES}"]}`,
		policyOpts: []corsrpc.CompileOption{withEnv(map[string]string{"PAGES": "https://a.example.com,https://evil.example.com"})}, says: "https://evil.example.com",
	},
	"the environment, with the guard's origins": {
		guard: policyOf("a"), policy: `defaults: {allow_origins: ["${PAGES}"]}`,
		policyOpts: []corsrpc.CompileOption{withEnv(map[string]string{"PAGES": "https://a.example.com"})},
	},
	"a path prefix":                 {guard: policyOf("a"), policy: policyOf("a"), policyOpts: []corsrpc.CompileOption{corsrpc.WithPathPrefix("/api")}, says: "/api"},
	"the path prefix of both":       {guard: policyOf("a"), policy: policyOf("a"), guardOpts: []corsrpc.CompileOption{corsrpc.WithPathPrefix("/api")}, policyOpts: []corsrpc.CompileOption{corsrpc.WithPathPrefix("/api")}},
	"a source of the guard":         {guard: guarded, policy: tenantsPolicy},
	"a source that the guard lacks": {guard: policyOf("a"), policy: tenantsPolicy, says: "the source tenants"},
	"another source":                {guard: tenantsPolicy, policy: "defaults: {allow_origins_from: [partners]}", says: "the source partners"},
	"a source of another rule":      {guard: policyOf("a") + "rules: [{selector: acme.catalog.v1.CatalogService.Get, allow_origins_from: [tenants]}]", policy: tenantsPolicy, says: "the source tenants"},
	"the shadow of the policy":      {guard: policyOf("a"), policy: policyOf("a") + "shadow:\n  " + policyOf("evil")},
	"the guard's shadow counts not": {guard: policyOf("a") + "shadow:\n  " + policyOf("evil"), policy: policyOf("evil"), says: "https://evil.example.com"},
}

// TestGuardCompares checks what counts as granting more than the guard.
func TestGuardCompares(t *testing.T) {
	t.Parallel()
	for name, test := range guardCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			guard := compilePolicy(t, test.guard, test.guardOpts...)
			plan := compilePolicy(t, test.policy, test.policyOpts...)
			_, err := corsrpc.New(plan, quiet, corsrpc.WithGuard(guard), corsrpc.WithOriginSource("tenants", rowsOf(shop)), corsrpc.WithOriginSource("partners", rowsOf(cafe)))
			switch wider := guardErrorIn(err); {
			case test.says == "" && err != nil:
				t.Errorf("the policy is refused: %v", err)
			case test.says != "" && (wider == nil || len(wider.Wider) == 0 || !strings.Contains(err.Error(), test.says)):
				t.Errorf("the error is %v, want one that says %q", err, test.says)
			}
		})
	}
}

// TestGuardIgnoresTheShadow checks that a shadow of WithShadow may grant more than the guard.
func TestGuardIgnoresTheShadow(t *testing.T) {
	t.Parallel()
	shadow := compilePolicy(t, policyOf("evil"))
	layer, _ := newLayer(t, policyOf("a"), corsrpc.WithGuard(compilePolicy(t, guarded)), corsrpc.WithShadow(shadow))
	if err := layer.Reload(t.Context(), compilePolicy(t, policyOf("b"))); err != nil {
		t.Error(err)
	}
	if err := layer.Reload(t.Context(), layer.Plan().Shadow()); guardErrorIn(err) == nil || !allows(layer, "https://b.example.com") {
		t.Errorf("the shadow as the policy: %v", err)
	}
}

// TestGuardOfAnotherSet checks that the origins of a source do not matter to the guard, and that a policy
// whose source is refused is not put in force when the source has a set.
func TestGuardOfAnotherSet(t *testing.T) {
	t.Parallel()
	guard := compilePolicy(t, guarded).WithSets(map[string][]string{"tenants": {cafe}})
	layer, err := corsrpc.New(compilePolicy(t, policyOf("a")), quiet, corsrpc.WithGuard(guard),
		corsrpc.WithOriginSource("tenants", rowsOf(shop)), corsrpc.WithOriginSource("partners", rowsOf(shop)))
	if err != nil {
		t.Fatal(err)
	}
	if err := layer.Reload(t.Context(), compilePolicy(t, tenantsPolicy)); err != nil || !allows(layer, shop) {
		t.Errorf("a source of the guard: %v", err)
	}
	if err := layer.Reload(t.Context(), compilePolicy(t, policyOf("a"))); err != nil || allows(layer, shop) {
		t.Errorf("without the source: %v", err)
	}
	bound := compilePolicy(t, "defaults: {allow_origins_from: [partners]}").WithSets(map[string][]string{"partners": {"https://a.example.com"}})
	if err := layer.Reload(t.Context(), bound); guardErrorIn(err) == nil || allows(layer, shop) {
		t.Errorf("another source: %v", err)
	}
}

// TestWatchReportsTheGuardOnce checks that a policy that the guard refuses is reported once, also if one of
// its sources fails and works later, and that the next content of the file is put in force.
func TestWatchReportsTheGuardOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := &recordingSource{}
		file := writeFile(t, "cors.yaml", policyOf("a"))
		w := watchByPolling(t, file, acme(t), corsrpc.WithGuard(compilePolicy(t, guarded)), corsrpc.WithOriginSource("tenants", source))
		wider := `defaults: {allow_origins: [https://evil.example.com], allow_origins_from: [tenants]}`
		replace(t, file, wider)
		w.nextWithin(poll, "https://evil.example.com", "a")
		time.Sleep(time.Hour)
		w.expectNone("the same content")
		if n := source.timesLoaded(); n != 0 {
			t.Errorf("a source of a policy that is refused was loaded %d times", n)
		}
		source.setWorks(true)
		replace(t, file, wider) // written again, with the same content
		time.Sleep(time.Hour)
		w.expectNone("the same content in a new file")
		replace(t, file, policyOf("b"))
		w.nextWithin(poll, "", "b")
		replace(t, file, wider+"\n")
		w.nextWithin(poll, "https://evil.example.com", "b")
	})
}

// TestGuardHoldsForRetries checks that a policy whose source fails, and which is tried again later, is held
// against the guard.
func TestGuardHoldsForRetries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := &recordingSource{}
		file := writeFile(t, "cors.yaml", policyOf("a"))
		w := watchByPolling(t, file, acme(t), corsrpc.WithGuard(compilePolicy(t, guarded)), corsrpc.WithOriginSource("tenants", source))
		replace(t, file, tenantsPolicy)
		w.nextWithin(poll, "down", "a")
		if !w.layer.RetriesFile() {
			t.Fatal("a policy that the guard allows is not tried again")
		}
		replace(t, file, policyOf("evil"))
		w.nextWithin(poll, "https://evil.example.com", "a")
		if w.layer.RetriesFile() {
			t.Error("a policy that the guard refuses is tried again")
		}
		source.setWorks(true)
		time.Sleep(time.Hour)
		w.expectNone("a policy that the guard refuses")
		if !allows(w.layer, "https://a.example.com") {
			t.Error("the policy in force has changed")
		}
	})
}

// TestGuardIsLogged checks the record of the log about a policy that is refused, and the reload event.
func TestGuardIsLogged(t *testing.T) {
	t.Parallel()
	var reported []error
	observer := corsrpc.ObserverFunc(func(_ context.Context, e corsrpc.Event) {
		if e.Kind == corsrpc.EventReload {
			reported = append(reported, e.Err)
		}
	})
	layer, log := newLayer(t, policyOf("a"), corsrpc.WithGuard(compilePolicy(t, guarded)), corsrpc.WithObserver(observer))
	err := layer.Reload(t.Context(), compilePolicy(t, policyOf("evil")))
	if len(reported) != 1 || guardErrorIn(reported[0]) == nil || guardErrorIn(err) == nil {
		t.Errorf("reported %v, returned %v", reported, err)
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 1 || !strings.Contains(lines[0], "level=ERROR") || !strings.Contains(lines[0], "https://evil.example.com") || !strings.Contains(lines[0], "cors.yaml:1:28") {
		t.Errorf("the log is\n%s", log)
	}
}

// TestGuardErrorIsBounded checks that the error lists a bounded number of differences, and says how many
// there are besides.
func TestGuardErrorIsBounded(t *testing.T) {
	t.Parallel()
	guard := compilePolicy(t, policyOf("a"))
	var c analysis.Comparison
	for i := range 1000 {
		c.Differences = append(c.Differences, analysis.Difference{Gained: true, Aspect: analysis.AspectTiming, Targets: []string{fmt.Sprintf("acme.v1.S.M%d", i)}})
		c.Undecided = append(c.Undecided, fmt.Sprintf("the rule %d", i))
	}
	err := corsrpc.GuardErrorOf(&c, guard, guard)
	wider := guardErrorIn(err)
	if wider == nil || len(wider.Wider) != 20 || wider.More != 980 || len(wider.Undecided) != 20 || wider.MoreUndecided != 980 {
		t.Fatalf("the error is %+v", wider)
	}
	if text := err.Error(); strings.Count(text, "\n") != 42 || !strings.Contains(text, "and 980 more differences") || !strings.Contains(text, "and 980 more that are undecided") {
		t.Errorf("the error is %s", text)
	}
}

// TestGuardRefusesTheUndecided checks that a policy that cannot be compared with the guard is refused, and
// that what only the guard grants does not matter.
func TestGuardRefusesTheUndecided(t *testing.T) {
	t.Parallel()
	guard := compilePolicy(t, policyOf("a"))
	err := corsrpc.GuardErrorOf(&analysis.Comparison{Undecided: []string{"a path pattern has too many readings"}}, guard, guard)
	if guardErrorIn(err) == nil || !strings.Contains(err.Error(), "cannot be decided") || !strings.Contains(err.Error(), "too many readings") {
		t.Errorf("the error is %v", err)
	}
	if err := corsrpc.GuardErrorOf(&analysis.Comparison{Differences: []analysis.Difference{{Aspect: analysis.AspectTiming}}}, guard, guard); err != nil {
		t.Errorf("a stricter policy: %v", err)
	}
}

// TestGuardUnderRacingReloads checks that concurrent reloads never put a policy in force that the guard
// refuses, while requests are decided.
func TestGuardUnderRacingReloads(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, policyOf("a"), quiet, corsrpc.WithGuard(compilePolicy(t, guarded)))
	wider, narrower := compilePolicy(t, policyOf("evil")), compilePolicy(t, policyOf("b"))
	ctx, cancel := context.WithCancel(t.Context())
	var reloads, readers sync.WaitGroup
	readers.Go(func() {
		for ctx.Err() == nil {
			if allows(layer, "https://evil.example.com") {
				t.Error("the policy that the guard refuses is in force")
				return
			}
		}
	})
	for range 2 {
		reloads.Go(func() {
			for range 50 {
				if err := layer.Reload(ctx, wider); guardErrorIn(err) == nil {
					t.Errorf("a policy that grants more: %v", err)
				}
				if err := layer.Reload(ctx, narrower); err != nil {
					t.Error(err)
				}
			}
		})
	}
	reloads.Wait()
	cancel()
	readers.Wait()
	if !allows(layer, "https://b.example.com") {
		t.Error("the last policy is not in force")
	}
}

// TestGuardDecidesNothing checks that a layer with a guard decides and identifies itself by its own policy.
func TestGuardDecidesNothing(t *testing.T) {
	t.Parallel()
	plan := compilePolicy(t, policyOf("a"))
	layer, _ := newLayer(t, policyOf("a"), corsrpc.WithGuard(compilePolicy(t, guarded)))
	if allows(layer, "https://b.example.com") || layer.Plan().Digest() != plan.Digest() || len(layer.Plan().Sources()) != 0 {
		t.Error("the guard has an effect on the plan in force")
	}
}

// TestGuardErrorIsNotThatOfTheFile checks that an invalid policy is still reported as such.
func TestGuardErrorIsNotThatOfTheFile(t *testing.T) {
	t.Parallel()
	_, err := corsrpc.Load(writeFile(t, "cors.yaml", "defaults: {allow_origin: [https://evil.example.com]}"), quiet, corsrpc.WithGuard(compilePolicy(t, guarded)))
	var problems *corsrpc.PolicyError
	if !errors.As(err, &problems) || guardErrorIn(err) != nil {
		t.Errorf("an invalid policy: %v", err)
	}
	if _, err := corsrpc.Load("no such file.yaml", quiet, corsrpc.WithGuard(compilePolicy(t, guarded))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := corsrpc.New(compilePolicy(t, policyOf("a")), corsrpc.WithGuard(compilePolicy(t, guarded)), corsrpc.WithGuard(compilePolicy(t, guarded))); len(optionErrors(err)) != 1 {
		t.Errorf("two guards: %v", err)
	}
}
