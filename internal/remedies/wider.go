package remedies

import (
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// Wider returns cases with the changes that a developer would try in order to grant a request: each sets
// the fields that concern it in the rule of the procedure or of the path alone. The changed policies may
// not load. They are of the kind for which the remedy that was applied says that they do not help.
func Wider(c Case, d corsrpc.Decision, applied Applied) (all []Case) {
	for _, origins := range [][]string{nil, {d.Origin()}, {"*"}} {
		for _, credentials := range []string{"", "true", "false"} {
			if applied.KeepsCredentials && credentials != "" || applied.OnlyNames && slices.Equal(origins, []string{"*"}) {
				continue
			}
			for _, everyHeader := range []bool{false, true} {
				wide := c.clone()
				r := wide.ruleOf(d)
				if r == nil {
					return nil
				}
				widen(r, c, d, origins, credentials, everyHeader)
				all = append(all, wide)
			}
		}
	}
	return all
}

// widen sets the fields of a rule that concern a request.
func widen(r *corsrpcv1.Rule, c Case, d corsrpc.Decision, origins []string, credentials string, everyHeader bool) {
	enabled, tracing, allow := false, true, credentials == "true"
	r.Disabled, r.Tracing = &enabled, &tracing
	r.DenyHeaders = slices.DeleteFunc(slices.Clone(r.DenyHeaders), func(item string) bool { return !strings.Contains(item, "*") })
	r.AcceptRisks = []corsrpcv1.Risk{
		corsrpcv1.Risk_RISK_NULL_ORIGIN, corsrpcv1.Risk_RISK_PLAIN_HTTP, corsrpcv1.Risk_RISK_PUBLIC_SUFFIX, corsrpcv1.Risk_RISK_ANY_INSTALLATION, corsrpcv1.Risk_RISK_UNKNOWN_SELECTORS,
	}
	if origins != nil {
		r.AllowOrigins, r.AllowOriginsFrom = origins, nil
	}
	if credentials != "" {
		r.AllowCredentials = &allow
	}
	switch named := slices.DeleteFunc(strings.Split(d.Missing(), ", "), func(name string) bool { return strings.Contains(name, "*") }); {
	case d.Reason() == corsrpc.ReasonHeadersNotGranted: // each rule may allow every name, or every name with a prefix, and names none
		r.AllowHeaders = named
	case everyHeader:
		r.AllowHeaders = []string{"*", "authorization"}
	}
	if r.GetPath() != "" {
		r.AllowMethods = []string{http.MethodGet, http.MethodPost}
		if !everyHeader {
			method := c.Request.Method
			if d.Preflight() {
				method = c.Request.Header.Get("Access-Control-Request-Method")
			}
			r.AllowMethods = append(r.AllowMethods, method)
		}
	}
}

// ruleOf returns the narrowest rule of the decision's procedure or path, which it adds if there is none; nil
// if the path does not resolve to either.
func (c Case) ruleOf(d corsrpc.Decision) *corsrpcv1.Rule {
	procedure, _ := d.Procedure()
	path := d.PathPattern()
	if procedure == "" && path == "" {
		return nil
	}
	for _, r := range c.Policy.GetRules() {
		if procedure != "" && r.GetSelector() == procedure || path != "" && r.GetPath() == path {
			return r
		}
	}
	r := &corsrpcv1.Rule{Selector: procedure, Path: path}
	c.Policy.Rules = append(c.Policy.Rules, r)
	return r
}
