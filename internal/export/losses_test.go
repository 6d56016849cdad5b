package export_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/export"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// modelOf returns the model of a policy in YAML.
func modelOf(t *testing.T, policy string, o export.Options) *export.Model {
	t.Helper()
	files, err := vectors.Schema("")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := planaccess.CompileText("cors.yaml", []byte(policy), corsrpc.WithFiles(files))
	if err != nil {
		t.Fatal(err)
	}
	if o.OwnOrigins == nil {
		o.OwnOrigins = []string{"https://api.example.com"}
	}
	m, err := export.New(planaccess.Rules(plan), o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestLosses checks the losses that every export of a policy has.
func TestLosses(t *testing.T) {
	t.Parallel()
	const always = " other-paths reasons"
	for _, test := range []struct{ policy, want string }{
		{`rules: [{path: /a, allow_origins: [https://app.example.com]}]`, always},
		{`rules: [{path: /a, allow_origins: [https://app.example.com], expose: PRESENT}]`, "exposure:/a" + always},
		{`rules: [{path: /a, allow_origins: [https://app.example.com], allow_headers: [x-acme-*]}]`, "header-patterns:/a" + always},
		{`rules: [{path: /a, allow_origins: [https://app.example.com], timing: true}]`, "timing:/a" + always},
		{`rules: [{path: /a, allow_origins: [https://app.example.com], timing: true, expose: PRESENT, disabled: true}, {path: /b, allow_origins: [https://app.example.com]}]`, always},
		{`rules: [{path: /a, allow_origins_from: [tenants]}]`, "sources:/a" + always},
		{`rules: [{path: /a%2Fb, allow_origins: [https://app.example.com]}, {path: "/a;b/{x}", allow_origins: [https://app.example.com]}]`, "path-patterns:/a%2Fb,/a;b/{x}" + always},
		{`{enforcement: OBSERVE, rules: [{path: /a, allow_origins: [https://app.example.com]}]}`, always + " observe"},
		{`{rules: [{path: /a, allow_origins: [https://app.example.com]}], shadow: {rules: [{path: /a, allow_origins: [https://b.example.com]}]}}`, always + " shadow"},
		{`rules: [{selector: acme.account.v1.AccountService.Update, allow_origins: [https://app.example.com]}]`, "exposure:acme.account.v1.AccountService.Update header-patterns:acme.account.v1.AccountService.Update" + always},
		{`rules: [{selector: acme.account.v1.AccountService.Update, allow_origins_from: [tenants], expose: DECLARED}]`, "sources:acme.account.v1.AccountService.Update" + always},
	} {
		var got []string
		for _, l := range modelOf(t, test.policy, export.Options{}).Losses {
			if text := string(l.Name); l.Targets == nil {
				got = append(got, text)
			} else {
				got = append(got, text+":"+strings.Join(l.Targets, ","))
			}
		}
		want := strings.Fields(test.want)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the losses are %q, want %q", test.policy, got, want)
		}
	}
}

// TestLossOrder checks that losses come in the order of LossNames, and that each has a text.
func TestLossOrder(t *testing.T) {
	t.Parallel()
	var losses []export.LossName
	for _, l := range modelOf(t, `{enforcement: OBSERVE, defaults: {allow_origins: [https://app.example.com], timing: true}}`, export.Options{}).Losses {
		losses = append(losses, l.Name)
	}
	want := slices.DeleteFunc(export.LossNames(), func(n export.LossName) bool { return !slices.Contains(losses, n) })
	if !slices.Equal(losses, want) {
		t.Errorf("the order is %q, want %q", losses, want)
	}
	for _, n := range export.LossNames() {
		if n.Text() == "" {
			t.Errorf("%s has no text", n)
		}
	}
	if text := export.LossName("other").Text(); text != "" {
		t.Errorf("a name that does not exist has the text %q", text)
	}
}

// TestSources checks that the origins of sources are those of Options, and only those that a layer would take.
func TestSources(t *testing.T) {
	t.Parallel()
	m := modelOf(t, `rules: [{path: /a, allow_origins: [https://b.example.com, https://a.example.com], allow_origins_from: [tenants, others]}]`, export.Options{Sources: map[string][]string{
		"tenants": {"https://t.example.com", "http://t.example.com", "*", "null", "https://a.example.com", "https://*.example.com"},
	}})
	want := []string{"https://a.example.com", "https://b.example.com", "https://t.example.com"}
	if a := m.Answers[0]; !slices.Equal(a.Origins, want) || len(a.Patterns) > 0 || a.Everyone {
		t.Errorf("the origins are %q and the patterns %q, want %q", a.Origins, a.Patterns, want)
	}
}

// TestOptions checks the errors of invalid options.
func TestOptions(t *testing.T) {
	t.Parallel()
	plan, err := planaccess.CompileText("cors.yaml", []byte(`rules: [{path: /a, allow_origins: [https://app.example.com]}]`))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		own  []string
		want string
	}{
		{nil, "add --own-origin"}, {[]string{"https://api.example.com/"}, "not the origin of a server"}, {[]string{"null"}, "not the origin of a server"},
		{[]string{"capacitor://localhost"}, "not the origin of a server"}, {[]string{"https://API.example.com"}, "not the origin of a server"}, {[]string{"https://api.example.com", "*"}, "not the origin of a server"},
	} {
		if _, err := export.New(planaccess.Rules(plan), export.Options{OwnOrigins: test.own}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v", test.own, err)
		}
	}
	if _, err := export.Write("apache", modelOf(t, `rules: [{path: /a, allow_origins: ["*"]}]`, export.Options{})); err == nil || !strings.Contains(err.Error(), "write envoy, gateway-api or nginx") {
		t.Error(err)
	}
}

// TestWithoutSchema checks that a policy with rules for procedures needs a schema.
func TestWithoutSchema(t *testing.T) {
	t.Parallel()
	for policy, fails := range map[string]bool{
		`rules: [{path: /a, allow_origins: [https://app.example.com]}]`:                                                           false,
		`defaults: {allow_origins: [https://app.example.com]}`:                                                                    true,
		`rules: [{selector: acme.v1.S, allow_origins: [https://app.example.com], accept_risks: [UNKNOWN_SELECTORS]}, {path: /a}]`: true,
	} {
		plan, err := planaccess.CompileText("cors.yaml", []byte(policy))
		if err != nil {
			t.Fatal(err)
		}
		_, err = export.New(planaccess.Rules(plan), export.Options{OwnOrigins: []string{"https://api.example.com"}})
		if fails != (err != nil) || fails && !strings.Contains(fmt.Sprint(err), "--descriptors") {
			t.Errorf("%s: %v", policy, err)
		}
	}
}

// TestMCP checks that a server of MCP cannot be exported: its own origin is not trusted, and an export trusts it.
func TestMCP(t *testing.T) {
	t.Parallel()
	plan, err := planaccess.CompileText("cors.yaml", []byte("rules:\n- path: /mcp\n  protocols: [MCP]\n  allow_origins: [https://app.example.com]\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = export.New(planaccess.Rules(plan), export.Options{OwnOrigins: []string{"https://api.example.com"}})
	if err == nil || !strings.HasPrefix(err.Error(), "cors.yaml:3:14: rules[0].protocols: ") {
		t.Errorf("the error is %v", err)
	}
}
