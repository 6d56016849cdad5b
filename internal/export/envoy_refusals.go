package export

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Conditions of the filter rbac, as permissions or principals.
const (
	hasOrigin  = `header: {name: origin, present_match: true}`
	noOrigin   = `header: {name: origin, present_match: false}`
	hasUpgrade = `header: {name: upgrade, present_match: true}`
	hasCookie  = `header: {name: cookie, present_match: true}`
	isSafe     = `header: {name: ":method", string_match: {safe_regex: {regex: "GET|HEAD"}}}`
	hasMode    = `header: {name: sec-fetch-mode, present_match: true}`
	isModeCORS = `header: {name: sec-fetch-mode, string_match: {exact: cors}}`
)

// crossOrigin adds the principals that are pages of other origins, by what their browser says of the request. A program sends neither
// Origin nor Sec-Fetch-Site, and is none of them.
func (t *envoyText) crossOrigin(indent int) {
	const name = "pages-of-other-origins"
	if t.written[name] {
		t.line(indent, "principals: *%s", name)
		return
	}
	t.written[name] = true
	t.line(indent, "principals: &%s", name)
	t.line(indent, "- not_id:")
	t.line(indent+4, "or_ids:")
	t.line(indent+6, "ids:")
	t.line(indent+6, `- header: {name: sec-fetch-site, string_match: {safe_regex: {regex: "same-origin|none"}}}`)
	t.line(indent+6, "- and_ids:")
	t.line(indent+10, "ids:")
	t.line(indent+10, "- header: {name: sec-fetch-site, present_match: false}")
	t.line(indent+10, "- or_ids:")
	t.line(indent+14, "ids:")
	t.line(indent+14, "- "+noOrigin)
	for _, own := range t.model.Options.OwnOrigins {
		t.line(indent+14, "- header: {name: origin, string_match: {exact: %s}}", quoted(own))
	}
}

// calls adds the principals that are pages of other origins, apart from preflights that the filter cors answers.
func (t *envoyText) calls(indent int) {
	const name = "calls-of-other-origins"
	if t.written[name] {
		t.line(indent, "principals: *%s", name)
		return
	}
	t.written[name] = true
	t.line(indent, "principals: &%s", name)
	t.line(indent, "- and_ids:")
	t.line(indent+4, "ids:")
	t.line(indent+4, "- or_ids: {ids: *pages-of-other-origins}")
	t.line(indent+4, "- not_id: # a preflight, which the filter cors always answers itself")
	t.line(indent+8, "and_ids:")
	t.line(indent+10, "ids:")
	t.line(indent+10, `- header: {name: ":method", string_match: {exact: OPTIONS}}`)
	t.line(indent+10, `- header: {name: origin, string_match: {safe_regex: {regex: ".+"}}}`)
	t.line(indent+10, `- header: {name: access-control-request-method, string_match: {safe_regex: {regex: ".+"}}}`)
}

// rules adds the beginning of a route's configuration of the filter rbac. The anchor begins with a space, or is "".
func (t *envoyText) rules(anchor string) {
	t.line(8, "envoy.filters.http.rbac:%s", anchor)
	t.line(10, `"@type": type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBACPerRoute`)
	t.line(10, "rbac:")
	t.line(12, "rules:")
	t.line(14, "action: DENY")
	t.line(14, "policies:")
}

// envoyPolicy is a policy of the filter rbac. It refuses a request that one of the permissions matches.
type envoyPolicy struct {
	name        string
	permissions []envoyCondition
}

// envoyCondition is a condition of a permission: several lines of YAML, the first of them without indentation.
type envoyCondition []string

// condition returns a condition of one line.
func condition(format string, args ...any) envoyCondition {
	return envoyCondition{fmt.Sprintf(format, args...)}
}

// all returns the condition that all conditions hold.
func all(conditions ...envoyCondition) envoyCondition { return joined("and_rules:", conditions) }

// anyOf returns the condition that one of the conditions holds.
func anyOf(conditions ...envoyCondition) envoyCondition { return joined("or_rules:", conditions) }

func joined(kind string, conditions []envoyCondition) envoyCondition {
	lines := envoyCondition{kind, "  rules:"}
	for _, c := range conditions {
		lines = append(lines, "  - "+c[0])
		for _, line := range c[1:] {
			lines = append(lines, "    "+line)
		}
	}
	return lines
}

// not returns the condition that a condition does not hold.
func not(c envoyCondition) envoyCondition {
	if len(c) == 1 {
		return envoyCondition{"not_rule: {" + c[0] + "}"}
	}
	lines := envoyCondition{"not_rule:"}
	for _, line := range c {
		lines = append(lines, "  "+line)
	}
	return lines
}

// refusals adds what an answer refuses, or the alias of an answer that refuses the same.
func (t *envoyText) refusals(a *Answer) {
	policies := t.policies(a)
	content := fmt.Sprint(policies)
	if name := t.refused[content]; name != "" {
		t.line(8, "envoy.filters.http.rbac: *%s", name)
		return
	}
	name := fmt.Sprintf("refusals-%d", a.ID)
	t.refused[content] = name
	t.rules(" &" + name)
	for _, p := range policies {
		t.line(16, "%s:", p.name)
		if a.grantsSomebody() {
			t.calls(18)
		} else {
			t.crossOrigin(18) // the filter cors answers no preflights
		}
		t.permissions(p.permissions)
	}
}

// permissions adds the permissions of a policy.
func (t *envoyText) permissions(conditions []envoyCondition) {
	t.line(18, "permissions:")
	for _, c := range conditions {
		t.line(18, "- %s", c[0])
		for _, line := range c[1:] {
			t.line(20, "%s", line)
		}
	}
}

// policies returns what an answer refuses. The names are those of the reasons of decisions. Envoy tries them by name and logs
// the first that matches.
func (t *envoyText) policies(a *Answer) []envoyPolicy {
	if !a.grantsSomebody() {
		return []envoyPolicy{{"origin_not_allowed", []envoyCondition{condition(hasOrigin)}}, {"origin_missing", t.missing(a)}}
	}
	var origins []envoyCondition
	for _, o := range t.origins(a) {
		matcher, pattern, _ := strings.Cut(o, " # ")
		c := condition("header: {name: origin, string_match: {%s}}", matcher)
		if pattern != "" {
			c[0] += " # " + pattern
		}
		origins = append(origins, c)
	}
	notAllowed := not(anyOf(origins...))
	if a.ToPath || a.Everyone { // otherwise origin_missing comes first, for all requests without Origin
		notAllowed = all(condition(hasOrigin), notAllowed)
	}
	policies := []envoyPolicy{{"origin_not_allowed", []envoyCondition{notAllowed}}}
	if credentials := t.credentials(a); len(credentials) > 0 {
		policies = append(policies, envoyPolicy{"credentials_not_allowed", credentials})
	}
	if a.ToPath {
		methods := condition(`header: {name: ":method", string_match: {safe_regex: {regex: %s}}}`, t.expression(methodsRegexp(a.Methods)))
		policies = append(policies, envoyPolicy{"method_not_allowed", []envoyCondition{all(condition(hasOrigin), not(methods))}})
	} else {
		policies = append(policies, envoyPolicy{"mode_not_cors", []envoyCondition{all(condition(hasOrigin), condition(hasMode), not(condition(isModeCORS)))}})
	}
	return append(policies, envoyPolicy{"origin_missing", t.missing(a)})
}

// credentials returns the conditions under which a call has credentials that it must not have.
func (t *envoyText) credentials(a *Answer) (conditions []envoyCondition) {
	if !a.Credentials {
		conditions = append(conditions, condition(hasUpgrade)) // browsers send cookies with each handshake
		if !a.ToPath {
			conditions = append(conditions, all(condition(hasOrigin), condition(hasCookie)))
		}
	}
	if !a.RefusesAmbient {
		return conditions
	}
	authorization := condition("header: {name: authorization, present_match: true}")
	if a.GrantsAuthorization {
		authorization = all(authorization, condition(hasMode), not(condition(isModeCORS)))
	}
	if !a.Credentials && !a.ToPath {
		return append(conditions, all(not(condition(isSafe)), authorization)) // cookies are refused above, or the Origin header is missing
	}
	return append(conditions, all(not(condition(isSafe)), anyOf(condition(hasCookie), authorization)))
}

// missing returns the conditions under which a request needs an Origin header.
func (t *envoyText) missing(a *Answer) []envoyCondition {
	if !a.ToPath && !a.Everyone {
		return []envoyCondition{condition(noOrigin)}
	}
	unsafe := not(condition(isSafe))
	if !a.ToPath || !a.grantsSomebody() || slices.ContainsFunc(a.Methods, isUnsafe) { // otherwise method_not_allowed comes first, for all with Origin
		unsafe = all(condition(noOrigin), unsafe)
	}
	conditions := []envoyCondition{unsafe}
	if a.Credentials || !a.grantsSomebody() {
		conditions = append(conditions, all(condition(noOrigin), condition(hasUpgrade)))
	}
	if a.Credentials {
		conditions = append(conditions, all(condition(noOrigin), not(condition(`header: {name: sec-fetch-mode, string_match: {exact: navigate}}`))))
	}
	return conditions
}

// isUnsafe reports whether a method is neither GET nor HEAD.
func isUnsafe(method string) bool { return method != http.MethodGet && method != http.MethodHead }

// fallback adds what is refused on paths without a rule.
func (t *envoyText) fallback() {
	t.line(16, "not_granted:")
	t.crossOrigin(18)
	t.permissions([]envoyCondition{
		condition(hasOrigin),
		condition(hasUpgrade),
		not(condition(isSafe)),
		condition(`header: {name: ":path", string_match: {safe_regex: {regex: %s}}}`, t.expression("(?i)(?:"+t.model.OddTarget+").*")),
	})
}
