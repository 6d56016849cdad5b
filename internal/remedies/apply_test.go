package remedies_test

import (
	"net/http"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/remedies"
)

// TestApplyRefuses checks that Apply fails for a text of an unknown form, and for a text that does not fit the
// policy or the request.
func TestApplyRefuses(t *testing.T) {
	t.Parallel()
	disabled := true
	c := remedies.Case{
		Policy: &corsrpcv1.Policy{
			Defaults: &corsrpcv1.Rule{AllowOrigins: []string{"https://a.example"}},
			Rules: []*corsrpcv1.Rule{
				{Selector: "acme.v1.Shop", AllowHeaders: []string{"x-a"}, AcceptRisks: []corsrpcv1.Risk{corsrpcv1.Risk_RISK_PLAIN_HTTP}},
				{Path: "/files/", Disabled: &disabled, DenyHeaders: []string{"x-b"}},
			},
		},
		Sources: map[string][]string{"tenants": {"https://t.example"}},
		Request: corsrpc.Request{Method: http.MethodPost, Header: http.Header{}},
		Place:   func(field string) string { return field },
	}
	for remedy, applies := range map[string]bool{
		"write allow_headers: [x-b] in a rule with selector acme.v1.Other":                                                  true,
		"write allow_headers: [x-b] in a rule with selector acme.v1.Shop":                                                   false, // it has a rule
		"write allow_headers: [x-b] in the rule with selector acme.v1.Shop (rules[0])":                                      false, // it has the list
		"write tracing: true in the rule with selector acme.v1.Shop (rules[0])":                                             true,
		"write tracing: true in the rule with selector acme.v1.Shop (rules[1])":                                             false, // another place
		"write tracing: true in the rule with selector acme.v1.Other (rules[0])":                                            false,
		"write tracing: true in the rule with selector acme.v1.Shop of the profile dev (rules[0])":                          false,
		"write tracing: true in the rule with selector acme.v1.Shop (rules[0]), with accept_risks: [PLAIN_HTTP]":            false, // it accepts risks
		"write tracing: true in the rule with selector acme.v1.Shop (rules[0]), with NULL_ORIGIN added to its accept_risks": true,
		"write tracing: [x in the rule with selector acme.v1.Shop (rules[0])":                                               false, // not YAML
		"add x-b to rules[0].allow_headers":                                                                                 true,
		"add x-a to rules[0].allow_headers":                                                                                 false,
		"add x-a to rules[0].allow_headers (cors.yaml:3)":                                                                   false,
		"add x-a to rules[1].allow_headers":                                                                                 false, // there is no list
		"move x-b from rules[1].deny_headers to allow_headers of the same rule":                                             true,
		"move x-c from rules[1].deny_headers to allow_headers of the same rule":                                             false,
		"remove x-b from rules[1].deny_headers":                                                                             true,
		"remove disabled: true at rules[1].disabled from the rule with path /files/":                                        true,
		"remove disabled: true at rules[0].disabled from the rule with selector acme.v1.Shop":                               false,
		"write disabled: false in place of rules[1].disabled":                                                               true,
		"write disabled: false in place of rules[0].disabled":                                                               false,
		`add "https://b.example" to the origin source tenants`:                                                              true,
		`add "https://t.example" to the origin source tenants`:                                                              false,
		"leave x-a out of the page's request, which no rule can name":                                                       false, // it does not have the header
		"try something else": false,
		"write tracing: true in the rule with selector acme.v1.Shop (rules[0]); try something else": false,
	} {
		if _, err := remedies.Apply(c, remedy); (err == nil) != applies {
			t.Errorf("%s: %v", remedy, err)
		}
	}
	if len(c.Policy.Rules) != 2 || c.Policy.Rules[0].Tracing != nil || len(c.Policy.Rules[0].AllowHeaders) != 1 {
		t.Error("Apply changes its argument")
	}
}
