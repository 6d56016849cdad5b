package analysis_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/analysis"
	"github.com/corsrpc/corsrpc-go/internal/rules"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// compile compiles a policy with the schema of the corpus.
func compile(t *testing.T, p *corsrpcv1.Policy) *rules.Rules {
	t.Helper()
	files, err := vectors.Schema("acme")
	if err != nil {
		t.Fatal(err)
	}
	r, problems := rules.Compile(proto.CloneOf(p), nil, rules.Config{Files: files, LongList: rules.DefaultLongList}, nil)
	if len(problems) > 0 {
		t.Fatal(problems[0])
	}
	return r
}

// fieldValues holds a value of each list and message of a rule that the policy of
// TestRuleWithEachField does not have.
var fieldValues = map[protoreflect.Name]*corsrpcv1.Rule{
	"allow_origins":      {AllowOrigins: []string{"https://other.example.com"}},
	"allow_origins_from": {AllowOriginsFrom: []string{"tenants"}},
	"allow_headers":      {AllowHeaders: []string{"x-other"}},
	"deny_headers":       {DenyHeaders: []string{"x-a"}},
	"expose_headers":     {ExposeHeaders: []string{"etag"}},
	"hide_headers":       {HideHeaders: []string{"x-internal"}},
	"max_age":            {MaxAge: &durationpb.Duration{Seconds: 60}},
	"protocols":          {Protocols: []corsrpcv1.Protocol{corsrpcv1.Protocol_PROTOCOL_CONNECT}},
	"expose":             {Expose: corsrpcv1.Exposure_EXPOSURE_DECLARED},
}

// TestRuleWithEachField: for every field of a rule, a rule that sets it to a value with an effect is
// not reported, and a rule that sets it to the value that it inherits is. A field has an effect if it
// changes the digest of a policy whose defaults set it.
func TestRuleWithEachField(t *testing.T) {
	t.Parallel()
	base := &corsrpcv1.Rule{AllowOrigins: []string{"https://app.example.com"}, AllowHeaders: []string{"x-a"}}
	with := func(rule *corsrpcv1.Rule, defaults *corsrpcv1.Rule) *corsrpcv1.Policy {
		p := &corsrpcv1.Policy{Defaults: defaults}
		if rule != nil {
			rule = proto.CloneOf(rule)
			rule.Selector = "acme.account.v1.AccountService"
			p.Rules = []*corsrpcv1.Rule{rule}
		}
		return p
	}
	reported := func(p *corsrpcv1.Policy) bool {
		found, _ := analysis.Findings(compile(t, p))
		for _, f := range found {
			if f.Kind == analysis.KindRuleChangesNothing && f.Field == "rules[0]" {
				return true
			}
		}
		return false
	}
	fields := base.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		rule := fieldValues[f.Name()]
		switch f.Name() {
		case "selector", "path", "accept_risks", "allow_methods": // the last is for paths only, whose rules are not reported
			continue
		}
		if rule == nil {
			if f.Kind() != protoreflect.BoolKind {
				t.Errorf("%s has no value in fieldValues", f.Name())
				continue
			}
			rule = &corsrpcv1.Rule{}
			rule.ProtoReflect().Set(f, protoreflect.ValueOfBool(true))
		}
		changed := proto.CloneOf(base)
		changed.ProtoReflect().Set(f, proto.CloneOf(rule).ProtoReflect().Get(f))
		if f.Name() == "deny_headers" {
			changed.AllowHeaders = nil // a rule does not both allow and deny a name
		}
		if f.Name() == "allow_origins_from" {
			rule = proto.CloneOf(changed) // the two lists of origins are one value
			rule.AllowHeaders = nil
		}
		effect := compile(t, with(nil, changed)).Digest("") != compile(t, with(nil, base)).Digest("")
		if got := reported(with(rule, base)); got == effect {
			t.Errorf("%s: it has an effect: %v, and a rule that sets it is reported: %v", f.Name(), effect, got)
		}
		if !reported(with(rule, changed)) {
			t.Errorf("%s: a rule that sets it to the inherited value is not reported", f.Name())
		}
	}
}

// TestSharedHosts checks the findings about exact hosts, on one port or on any, whose origin unrelated
// people share.
func TestSharedHosts(t *testing.T) {
	defer analysis.WithSharedHosts(map[string]string{"pages.example.net": "has one page for each author"})()
	found, _ := analysis.Findings(compile(t, &corsrpcv1.Policy{
		Defaults: &corsrpcv1.Rule{AllowOrigins: []string{"https://pages.example.net", "https://a.pages.example.net", "https://pages.example.net:*", "https://*.pages.example.net", "https://app.example.com"}},
		Rules:    []*corsrpcv1.Rule{{Selector: "acme.account.v1.AccountService", AllowOrigins: []string{"https://pages.example.net:8443"}, AllowCredentials: proto.Bool(true)}},
	}))
	var got []string
	for _, f := range found {
		if f.Kind == analysis.KindSharedHost {
			got = append(got, fmt.Sprint(f.Field, " ", f.Message, " ", len(f.Related)))
		}
	}
	want := "defaults.allow_origins[0] has one page for each author, so that unrelated people may call 0\n" +
		"defaults.allow_origins[2] has one page for each author, so that unrelated people may call 0\n" +
		"rules[0].allow_origins[0] has one page for each author, so that unrelated people may call with their visitors' credentials 1"
	if strings.Join(got, "\n") != want {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

// TestDeepRulesAreNotCompared: the levels of a procedure with more than 64 of them count as changing
// something.
func TestDeepRulesAreNotCompared(t *testing.T) {
	t.Parallel()
	policy := func(n int) *corsrpcv1.Policy {
		p := &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: []string{"https://app.example.com"}}}
		for i := range n {
			p.Rules = append(p.Rules, &corsrpcv1.Rule{Selector: strings.Repeat("a.", i+1) + "*", AcceptRisks: []corsrpcv1.Risk{corsrpcv1.Risk_RISK_UNKNOWN_SELECTORS}})
		}
		return p
	}
	if found, left := analysis.Findings(compile(t, policy(40))); len(found)+left != 39 {
		t.Errorf("%d findings", len(found)+left)
	}
	// The rules 64 and above have more levels than are compared; so the others apply to them too.
	if found, left := analysis.Findings(compile(t, policy(100))); len(found)+left != 0 {
		t.Errorf("%d findings", len(found)+left)
	}
}
