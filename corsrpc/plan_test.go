package corsrpc_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// TestRule checks which rule Plan.Rule returns, and that it returns equal values for procedures with
// the same rule.
func TestRule(t *testing.T) {
	t.Parallel()
	plan := compilePolicy(t, allowPage+"  - selector: acme.account.v1.*\n    allow_credentials: true\n")
	for path, want := range map[string]string{
		listRPC:                              "acme.catalog.v1.CatalogService.List",
		"/other.v1.S/M":                      "other.v1.S.M",
		"/files/a?b":                         "/files/",
		"/elsewhere":                         "",
		"/acme.catalog.v1.CatalogService/x/": "", // has two readings
	} {
		r := corsrpc.RequestOf(newRequest(http.MethodPost, path, nil))
		rule, ok := plan.Rule(r)
		if rule.Name != want || ok != (want != "") || ok != (len(rule.Values()) > 0) {
			t.Errorf("%s: %q %v, want %q", path, rule.Name, ok, want)
		}
	}
	alike := map[corsrpc.EffectiveRule][]string{}
	for _, r := range plan.Procedures() {
		key := r
		key.Name = ""
		if !slices.Equal(key.Values(), r.Values()) {
			t.Errorf("%s: the name counts among %v", r.Name, r.Values())
		}
		alike[key] = append(alike[key], r.Name)
	}
	together := func(a, b string) bool {
		for _, names := range alike {
			if slices.Contains(names, a) && slices.Contains(names, b) {
				return true
			}
		}
		return false
	}
	const list = "acme.catalog.v1.CatalogService.List"
	if !together(list, "acme.catalog.v1.CatalogService.Watch") || together(list, "acme.account.v1.AccountService.Close") {
		t.Errorf("rules that are the same: %v", alike)
	}
}

// TestFirstValues checks that FirstValues returns the first of many origins.
func TestFirstValues(t *testing.T) {
	t.Parallel()
	plan := compilePolicy(t, "defaults: {allow_origins: [https://a.example, https://b.example, https://c.example], allow_credentials: true}")
	rule := plan.Procedures()[0]
	origins := func(values []corsrpc.EffectiveValue) (origins []string) {
		for _, v := range values {
			if v.Field == "allow_origins" {
				origins = append(origins, v.Value)
			}
		}
		return origins
	}
	all := rule.Values()
	for most, want := range map[int]int{0: 0, 1: 1, 3: 3, 4: 3} {
		some, left := rule.FirstValues(most)
		if got := origins(some); !slices.Equal(got, origins(all)[:want]) || left != 3-want || len(some) != len(all)-left {
			t.Errorf("the first %d: %v, and %d left", most, got, left)
		}
	}
	if values, left := (corsrpc.EffectiveRule{}).FirstValues(1); values != nil || left != 0 {
		t.Errorf("no rule: %v, %d", values, left)
	}
}

// TestPlanProperties checks the profile, the enforcement, the shadow and the size of a plan.
func TestPlanProperties(t *testing.T) {
	t.Parallel()
	const text = "defaults: {allow_origins: [https://a.example]}\nprofiles: {dev: {add_origins: [https://b.example]}}\n"
	plan := compilePolicy(t, text)
	if plan.Profile() != "" || !plan.Enforced() || plan.Shadow() != nil {
		t.Errorf("%q %v %v", plan.Profile(), plan.Enforced(), plan.Shadow())
	}
	plan = compilePolicy(t, text+"enforcement: OBSERVE\nshadow: {defaults: {allow_origins: [https://c.example]}}\n", corsrpc.WithProfile("dev"))
	if plan.Profile() != "dev" || plan.Enforced() || plan.Shadow() == nil || !plan.Shadow().Enforced() || plan.Shadow().Shadow() != nil {
		t.Errorf("%q %v %v", plan.Profile(), plan.Enforced(), plan.Shadow())
	}
	layer, _ := newLayer(t, text, corsrpc.WithShadow(plan))
	if shadow := layer.Plan().Shadow(); shadow == nil || shadow.Enforced() {
		t.Errorf("the shadow of WithShadow: %v", shadow)
	}

	list := "defaults:\n  allow_origins:\n"
	for i := range 50 {
		list += "    - https://app" + strings.Repeat("x", i) + ".example.org\n"
	}
	for _, longest := range []int{1000, 10} {
		plan := compilePolicy(t, list, corsrpc.WithLongLists(longest))
		if got, want := plan.PolicySize(), proto.Size(plan.Policy()); got > want || got < want*95/100 {
			t.Errorf("lists longer than %d are kept apart: %d bytes, want %d", longest, got, want)
		}
	}
}

// TestPlanWrap checks that Plan.Wrap decides with the origins of the layer's sources, and that it
// neither logs nor calls observers.
func TestPlanWrap(t *testing.T) {
	t.Parallel()
	all := &events{}
	layer, log := newLayer(t, tenantsPolicy+"\nshadow: {defaults: {allow_origins: [https://new.example.com]}}\n", corsrpc.WithObserver(all),
		corsrpc.WithOriginSource("tenants", rowsOf(shop), corsrpc.SourceWait(1e9)))
	reported, logged := len(all.kinds()), log.String()
	h := layer.Plan().Wrap(emptyHandler)
	for origin, want := range map[string]int{shop: 200, "https://evil.example": 403} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, newRequest(http.MethodPost, listRPC, http.Header{"Origin": {origin}}))
		if w.Code != want || w.Code == 200 && w.Header().Get("Access-Control-Allow-Origin") != origin {
			t.Errorf("%s: %d %v", origin, w.Code, w.Header())
		}
	}
	if len(all.kinds()) != reported || log.String() != logged {
		t.Errorf("received %v, and logged %s", all.kinds()[reported:], log)
	}
}

// TestWrapOfZeroPlanPanics checks that Wrap panics if the plan is nil or zero.
func TestWrapOfZeroPlanPanics(t *testing.T) {
	t.Parallel()
	for name, plan := range map[string]*corsrpc.Plan{"nil": nil, "zero": {}} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.Contains(text, "the plan is nil or zero") {
					t.Errorf("%s: %s", name, text)
				}
			}()
			plan.Wrap(http.NotFoundHandler())
		}()
	}
}
