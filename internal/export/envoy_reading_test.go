package export_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/export"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
)

// envoyReading is an export for Envoy, read as Envoy reads it, as far as an export uses Envoy's fields. The tests of
// internal/fleet have the real Envoy.
type envoyReading struct {
	HTTPFilters []struct {
		Name        string
		TypedConfig envoyRules `yaml:"typed_config"`
	} `yaml:"http_filters"`
	RouteConfig struct {
		VirtualHosts []struct {
			Routes []envoyRoute
		} `yaml:"virtual_hosts"`
	} `yaml:"route_config"`
}

type envoyRoute struct {
	Match struct {
		Path, Prefix string
		SafeRegex    *envoyRegex `yaml:"safe_regex"`
	}
	Filters struct {
		RBAC *struct{ RBAC envoyRules } `yaml:"envoy.filters.http.rbac"`
		CORS *struct {
			Credentials bool          `yaml:"allow_credentials"`
			Origins     []envoyString `yaml:"allow_origin_string_match"`
		} `yaml:"envoy.filters.http.cors"`
	} `yaml:"typed_per_filter_config"`
}

type envoyRules struct {
	Rules struct {
		Policies map[string]struct{ Principals, Permissions []envoyCondition }
	}
}

// envoyCondition is a permission or a principal.
type envoyCondition struct {
	Any    bool
	Header *struct {
		Name        string
		Present     *bool        `yaml:"present_match"`
		StringMatch *envoyString `yaml:"string_match"`
	}
	AndRules *struct{ Rules []envoyCondition } `yaml:"and_rules"`
	OrRules  *struct{ Rules []envoyCondition } `yaml:"or_rules"`
	NotRule  *envoyCondition                   `yaml:"not_rule"`
	AndIDs   *struct {
		IDs []envoyCondition `yaml:"ids"`
	} `yaml:"and_ids"`
	OrIDs *struct {
		IDs []envoyCondition `yaml:"ids"`
	} `yaml:"or_ids"`
	NotID *envoyCondition `yaml:"not_id"`
}

type envoyString struct {
	Exact     string
	SafeRegex *envoyRegex `yaml:"safe_regex"`
}

type envoyRegex struct{ Regex string }

func (r envoyRegex) matches(text string) bool { return matches("^(?:"+r.Regex+")$", text) }

func (s envoyString) matches(text string) bool {
	if s.SafeRegex != nil {
		return s.SafeRegex.matches(text)
	}
	return s.Exact == text
}

// holds reports whether the condition holds for a request.
func (c envoyCondition) holds(r *corsrpc.Request) bool {
	holds := func(c envoyCondition) bool { return c.holds(r) }
	fails := func(c envoyCondition) bool { return !c.holds(r) }
	switch {
	case c.Header != nil:
		value, present := strings.Join(r.Header[headerKey(c.Header.Name)], ","), r.Header[headerKey(c.Header.Name)] != nil
		switch c.Header.Name {
		case ":method":
			value, present = r.Method, true
		case ":path":
			value, present = r.Header.Get("X-Target"), true
		}
		if c.Header.Present != nil {
			return present == *c.Header.Present
		}
		return present && c.Header.StringMatch.matches(value)
	case c.AndRules != nil:
		return !slices.ContainsFunc(c.AndRules.Rules, fails)
	case c.OrRules != nil:
		return slices.ContainsFunc(c.OrRules.Rules, holds)
	case c.NotRule != nil:
		return !c.NotRule.holds(r)
	case c.AndIDs != nil:
		return !slices.ContainsFunc(c.AndIDs.IDs, fails)
	case c.OrIDs != nil:
		return slices.ContainsFunc(c.OrIDs.IDs, holds)
	case c.NotID != nil:
		return !c.NotID.holds(r)
	}
	return c.Any
}

func headerKey(name string) string {
	parts := strings.Split(name, "-")
	for i, part := range parts {
		parts[i] = strings.ToUpper(part[:min(1, len(part))]) + part[min(1, len(part)):]
	}
	return strings.Join(parts, "-")
}

// route returns the route of a request.
func (e *envoyReading) route(r *corsrpc.Request) *envoyRoute {
	path, _, _ := strings.Cut(r.Header.Get("X-Target"), "?")
	for i, route := range e.RouteConfig.VirtualHosts[0].Routes {
		m := route.Match
		if m.Path != "" && m.Path == path || m.Prefix != "" && strings.HasPrefix(path, m.Prefix) || m.SafeRegex != nil && m.SafeRegex.matches(path) {
			return &e.RouteConfig.VirtualHosts[0].Routes[i]
		}
	}
	return nil
}

// refuses reports whether the filter rbac refuses a request.
func (e *envoyReading) refuses(r *corsrpc.Request) bool {
	rules := e.HTTPFilters[0].TypedConfig
	if own := e.route(r).Filters.RBAC; own != nil {
		rules = own.RBAC
	}
	holds := func(c envoyCondition) bool { return c.holds(r) }
	for _, p := range rules.Rules.Policies {
		if slices.ContainsFunc(p.Principals, holds) && slices.ContainsFunc(p.Permissions, holds) {
			return true
		}
	}
	return false
}

// readEnvoy returns the export of a model for Envoy, also as its text.
func readEnvoy(t *testing.T, m *export.Model) (e *envoyReading, text string) {
	t.Helper()
	x, err := export.Write(export.Envoy, m)
	if err != nil {
		t.Fatal(err)
	}
	e = new(envoyReading)
	if err := yaml.Unmarshal([]byte(x.Text), e); err != nil {
		t.Fatal(err)
	}
	return e, x.Text
}

// TestEnvoyReading checks that an export for Envoy refuses what the model refuses, and that its filter cors allows the
// origins that the model allows. An export refuses the preflights that the filter does not answer.
func TestEnvoyReading(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for seed := range uint64(40) {
		d := draw{rand.New(rand.NewPCG(seed, 3))}
		plan := d.plan(t)
		m, err := export.New(planaccess.Rules(plan), export.Options{OwnOrigins: []string{"https://api.example.com"}})
		if err != nil {
			t.Fatal(err)
		}
		e, text := readEnvoy(t, m)
		for range 150 {
			r := d.request(m)
			_, allows := reading{m}.allows(&r)
			what := fmt.Sprintf("%s %q %v: %s", r.Method, r.Header["X-Target"], r.Header, plan.Policy())
			if refuses := e.refuses(&r); refuses == allows {
				t.Fatalf("seed %d: the export refuses is %t, the model allows is %t: %s\n%s", seed, refuses, allows, what, text)
			}
			seen[fmt.Sprint("allowed ", allows)]++
			cors, from := e.route(&r).Filters.CORS, r.Header.Get("Origin")
			granted := cors != nil && from != "" && slices.ContainsFunc(cors.Origins, func(s envoyString) bool { return s.matches("*") || s.matches(from) })
			if granted {
				seen["granted"]++
			}
			if decision := plan.Decide(r); granted && decision.Reason() == corsrpc.ReasonOriginNotAllowed {
				t.Fatalf("seed %d: the export grants: %s\n%s", seed, what, text)
			}
			preflight := r
			preflight.Method, preflight.Header = "OPTIONS", r.Header.Clone()
			preflight.Header["Access-Control-Request-Method"] = []string{r.Method}
			if forwarded := cors == nil && !e.refuses(&preflight); forwarded && r.Header.Get("Sec-Fetch-Site") == "cross-site" {
				t.Fatalf("seed %d: a preflight reaches the server: %s\n%s", seed, what, text)
			}
			if cors != nil && from != "" && e.refuses(&preflight) {
				t.Fatalf("seed %d: a preflight does not reach the filter cors: %s\n%s", seed, what, text)
			}
		}
	}
	t.Log(seen)
	for _, class := range []string{"allowed true", "allowed false", "granted"} {
		if seen[class] < 100 {
			t.Errorf("%d requests are %s", seen[class], class)
		}
	}
}

// TestEnvoyMethods checks that the methods of a path are compared as they are: methods of HTTP may have the signs of a regular expression.
func TestEnvoyMethods(t *testing.T) {
	t.Parallel()
	plan, err := corsrpc.Compile(&corsrpcv1.Policy{Rules: []*corsrpcv1.Rule{{Path: "/a", AllowOrigins: allowed[:1], AllowMethods: []string{"GET", "P.T", "A|B", "C+", "D*", "E$"}}}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := export.New(planaccess.Rules(plan), export.Options{OwnOrigins: []string{"https://api.example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	e, _ := readEnvoy(t, m)
	for _, method := range []string{"GET", "P.T", "A|B", "C+", "D*", "E$", "PUT", "POT", "A", "B", "CC", "DD", "D", "E", "POST"} {
		r := corsrpc.Request{Method: method, Host: "api.example.com", TLS: true, Path: "/a", Header: http.Header{"Origin": allowed[:1], "X-Target": {"/a"}}}
		if refuses, decision := e.refuses(&r), plan.Decide(r); refuses != decision.Refused() {
			t.Errorf("%s: the export refuses is %t, and the decision is %s", method, refuses, decision.Reason())
		}
	}
}

// TestEnvoyOrder checks that the order of rules, origins and headers in a policy does not change the export, apart from the
// places.
func TestEnvoyOrder(t *testing.T) {
	t.Parallel()
	places := regexp.MustCompile(`rich[.]yaml:[0-9]+: rules.[0-9]+.`)
	text := richPolicy(t)
	head, rules, _ := strings.Cut(text, "rules:\n")
	list := strings.SplitAfter(rules, "\n  - ")
	for i := range list {
		list[i] = strings.TrimSuffix(strings.TrimPrefix(list[i], "  - "), "  - ")
		list[i] = "  - " + strings.TrimSuffix(list[i], "\n") + "\n"
	}
	slices.Reverse(list)
	other := head + "rules:\n" + strings.Join(list, "")
	other = strings.ReplaceAll(other, "[x-tenant, x-acme-*]", "[x-acme-*, x-tenant]")
	other = strings.ReplaceAll(other, `[capacitor://localhost, "null"]`, `["null", capacitor://localhost]`)
	if other == text {
		t.Fatal("the order is the same")
	}
	write := func(text string) string {
		x, err := export.Write(export.Envoy, richModelOf(t, text))
		if err != nil {
			t.Fatal(err)
		}
		return places.ReplaceAllString(x.Text, "")
	}
	if a, b := write(text), write(other); a != b {
		t.Errorf("the order of the policy changes the export:\n%s\nand\n%s", a, b)
	}
}
