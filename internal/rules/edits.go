package rules

import (
	"slices"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// Edited is a level of an effective rule, for advice on how to change it.
type Edited struct{ level *level }

// RuleOf returns the narrowest rule of the policy or of the chosen profile that has this selector or
// path. ok is false if there is none.
func (e *Effective) RuleOf(name string) (rule Edited, ok bool) {
	for _, l := range slices.Backward(e.levels) {
		if l.isRule && l.element == "" && l.selector == name {
			return Edited{l}, true
		}
	}
	return Edited{}, false
}

// RulesOf returns the number of rules that have this selector or path: two if the policy and the chosen
// profile each have one.
func (e *Effective) RulesOf(name string) (n int) {
	for _, l := range e.levels {
		if l.isRule && l.element == "" && l.selector == name {
			n++
		}
	}
	return n
}

// NarrowestRule returns the narrowest level if it is a rule of the policy or of the chosen profile. A
// header that it names is granted, whatever wider levels withhold. ok is false if it is another level.
func (e *Effective) NarrowestRule() (rule Edited, ok bool) {
	if len(e.levels) == 0 {
		return Edited{}, false
	}
	l := e.levels[len(e.levels)-1]
	return Edited{l}, l.isRule && l.element == ""
}

// LevelOf returns the level that sets a field, with the names of ValueField. ok is false if the value is
// built in.
func (e *Effective) LevelOf(field string) (level Edited, ok bool) {
	l := e.level(field)
	return Edited{l}, l != nil
}

// DisabledWithout reports whether the effective rule, with or without its profile, is disabled if a level
// does not set disabled.
func (e *Effective) DisabledWithout(rule Edited) bool {
	var all, policy merged
	for _, l := range e.levels {
		if l == rule.level {
			continue
		}
		all.setDisabled(l)
		if _, ok := (Edited{l}).Profile(); !ok {
			policy.setDisabled(l)
		}
	}
	return all.Disabled() || policy.Disabled()
}

// EnabledByProfile returns the profile that enables what the policy disables. Without it, a new rule of
// the policy would have no effect. ok is false if there is none.
func (e *Effective) EnabledByProfile() (profile string, ok bool) {
	var m merged
	for _, l := range e.levels {
		if _, ok := (Edited{l}).Profile(); !ok {
			m.setDisabled(l)
		}
	}
	if !m.Disabled() || e.Disabled() {
		return "", false
	}
	return Edited{e.disabledFrom}.Profile()
}

// CredentialsOffByProfile returns the profile that refuses the credentials that the policy allows without
// it. ok is false if there is none.
func (e *Effective) CredentialsOffByProfile() (profile string, ok bool) {
	policy := false
	for _, l := range e.levels {
		if _, ok := (Edited{l}).Profile(); !ok && l.credentials != nil {
			policy = *l.credentials
		}
	}
	if !policy || e.Credentials() {
		return "", false
	}
	return Edited{e.credentialsFrom}.Profile()
}

// HasShared reports whether the level that sets the allowed origins lists one that never goes with
// credentials. It leaves out the add_origins of a profile, which join a rule without those.
func (e *Effective) HasShared() bool {
	return e.originsFrom != nil && e.originsFrom.origins.HasShared()
}

// Field returns the path of the level, such as rules[3], or option(acme.v1.CatalogService).
func (r Edited) Field() string { return r.level.field }

// Name returns the selector or the path of a rule, the service or method of an option, or "defaults".
func (r Edited) Name() string { return r.level.selector }

// IsDefaults reports whether the level is the defaults of the policy or of a profile.
func (r Edited) IsDefaults() bool { return !r.level.isRule }

// IsOption reports whether the level is an option of the schema.
func (r Edited) IsOption() bool { return r.level.element != "" }

// Profile returns the profile that the level belongs to. ok is false if it belongs to none.
func (r Edited) Profile() (name string, ok bool) {
	rest, ok := strings.CutPrefix(r.level.field, "profiles[")
	if !ok {
		return "", false
	}
	quoted, err := strconv.QuotedPrefix(rest)
	if err != nil {
		return "", false
	}
	name, err = strconv.Unquote(quoted)
	return name, err == nil
}

// InShadow reports whether the level belongs to a shadow policy that is written in its policy.
func (r Edited) InShadow() bool { return strings.HasPrefix(r.level.field, "shadow.") }

// InShadow reports whether the widest level of the effective rule belongs to a shadow policy that is
// written in its policy.
func (e *Effective) InShadow() bool { return len(e.levels) > 0 && Edited{e.levels[0]}.InShadow() }

// Has reports whether the level sets a field.
func (r Edited) Has(field string) bool {
	switch l := r.level; field {
	case "allow_origins":
		return l.items > 0
	case "allow_credentials":
		return l.credentials != nil
	case "disabled":
		return l.disabled != nil
	case "protocols":
		return l.protocols != 0
	case "allow_methods":
		return len(l.methods) > 0
	case "accept_risks":
		return len(l.risks) > 0
	}
	return slices.ContainsFunc(r.level.headers[rpc.Request].items, func(i headerItem) bool { return i.field == field })
}

// IsDisabled reports whether the level has disabled: true.
func (r Edited) IsDisabled() bool { return r.level.disabled != nil && *r.level.disabled }

// Accepts reports whether the level has a risk in accept_risks.
func (r Edited) Accepts(risk string) bool {
	return r.level.risks[corsrpcv1.Risk(corsrpcv1.Risk_value["RISK_"+risk])]
}

// Denies reports whether deny_headers of the level has an item for the lower-case name itself.
func (r Edited) Denies(name string) bool {
	return slices.Contains(itemsOf(r.level.headers[rpc.Request].items), headerRule{name: name})
}

// DeniesNeeded reports whether the level has an item of deny_headers or hide_headers that a rule which
// serves the protocols cannot have.
func (r Edited) DeniesNeeded(protocols rpc.Protocols) bool {
	for _, d := range []rpc.Direction{rpc.Request, rpc.Response} {
		if slices.ContainsFunc(r.level.headers[d].items, func(i headerItem) bool { return !i.grants && isProtocolHeader(i.headerRule, d, protocols) }) {
			return true
		}
	}
	return false
}

// itemsOf returns the header rules of items.
func itemsOf(items []headerItem) (rules []headerRule) {
	for _, i := range items {
		rules = append(rules, i.headerRule)
	}
	return rules
}

// WithCredentials reports whether a rule that takes the origins of the level allows credentials, under
// any profile.
func (r Edited) WithCredentials() bool { return r.level.withCredentials }
