package rules

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// Written is a level of compiled rules as it is written: the defaults or a rule of the policy or of
// the chosen profile, the add_origins of that profile, or an option of the schema. It is immutable
// and safe for concurrent use.
type Written struct {
	// Field is its path, such as defaults, rules[3] or profiles["dev"].add_origins.
	Field string
	// Profile is true if it belongs to a profile, Added if it is the add_origins of one, and Schema
	// if it is an option of the schema.
	Profile, Added, Schema bool
	// Message is the rule without a long list of origins; nil for add_origins, for an option (but see
	// Options), for defaults that the policy does not have, and for a level of a profile below a shadow
	// policy.
	Message *corsrpcv1.Rule

	rules *Rules
	level *level
}

// Written returns the levels that apply to procedures or paths, in the order in which they were
// read: the policy's, then the schema's, then the profile's.
func (r *Rules) Written() []*Written {
	messages := map[string]*corsrpcv1.Rule{}
	prefix := r.prefix()
	for field, m := range rulesOf(r.policy) {
		messages[prefix+field] = m
	}
	seen := map[*level]bool{}
	var all []*Written
	add := func(l *level) {
		if l == nil || seen[l] {
			return
		}
		seen[l] = true
		all = append(all, &Written{
			Field: l.field, Profile: strings.HasPrefix(l.field, "profiles["), Added: l.added, Schema: l.element != "", Message: messages[l.field],
			rules: r, level: l,
		})
	}
	for _, e := range r.interned {
		for _, l := range e.levels {
			add(l)
		}
	}
	add(r.added)
	slices.SortFunc(all, func(a, b *Written) int {
		return cmp.Or(cmp.Compare(a.level.id, b.level.id), strings.Compare(a.Field, b.Field))
	})
	return all
}

// Options returns the options of the schema that apply to procedures, each with its Message.
func (r *Rules) Options() (all []*Written) {
	for _, w := range r.Written() {
		if w.Schema {
			w.Message = w.level.option
			all = append(all, w)
		}
	}
	return all
}

// prefix returns "shadow." for the rules of a shadow policy, and "" otherwise. The first level of
// every rule of Uncovered is the policy's defaults.
func (r *Rules) prefix() string {
	return strings.TrimSuffix(r.Uncovered.levels[0].field, "defaults")
}

// Place returns the place where a field is written, or the nearest field around it.
func (r *Rules) Place(field string) Place { return r.Uncovered.places.of(field) }

// Effective returns all distinct effective rules, always in the same order.
func (r *Rules) Effective() []*Effective {
	all := make([]*Effective, 0, len(r.interned))
	for _, key := range slices.Sorted(maps.Keys(r.interned)) {
		all = append(all, r.interned[key])
	}
	return all
}

// Profiles returns the profiles of the policy. The caller must not change them.
func (r *Rules) Profiles() map[string]*corsrpcv1.Profile { return r.policy.GetProfiles() }

// Origins returns the origins that the level lists. It is never nil.
func (w *Written) Origins() *origin.Set {
	if w.level.origins == nil {
		return noOrigins
	}
	return w.level.origins
}

// OriginPlace returns the place of the origin with an index in Origins.
func (w *Written) OriginPlace(i int) Place {
	field, variable := w.level.originPlace(i)
	at := w.rules.Place(field)
	at.Variable = variable
	return at
}

// FromEnvironment reports whether the origin with an index in Origins is the value or the fallback
// of an environment variable.
func (w *Written) FromEnvironment(i int) bool { return w.level.originRunOf(i).inOneItem }

// UnneededRisks returns the indexes in accept_risks of the risks that no value of the level needs.
// It never returns UNKNOWN_SELECTORS of a rule that has a selector other than *: a server with
// another schema may need it.
func (w *Written) UnneededRisks(risks []corsrpcv1.Risk) (unneeded []int) {
	need := w.neededRisks(risks)
	for i, risk := range risks {
		if !need[risk] && slices.Index(risks, risk) == i {
			unneeded = append(unneeded, i)
		}
	}
	return unneeded
}

// neededRisks returns those of the risks that a value of the level needs.
func (w *Written) neededRisks(risks []corsrpcv1.Risk) map[corsrpcv1.Risk]bool {
	need := map[corsrpcv1.Risk]bool{}
	if selector := w.Message.GetSelector(); selector != "" && selector != "*" {
		need[corsrpcv1.Risk_RISK_UNKNOWN_SELECTORS] = true
	}
	missing := func() bool {
		return slices.ContainsFunc(risks, func(r corsrpcv1.Risk) bool { return !need[r] && r != corsrpcv1.Risk_RISK_UNKNOWN_SELECTORS })
	}
	if !missing() {
		return need
	}
	for i, text := range w.Origins().Patterns().All {
		// All other patterns are exact https origins, which have no risk.
		if !strings.Contains(text, "*") && strings.HasPrefix(text, "https://") || w.FromEnvironment(i) {
			continue
		}
		_, problems := origin.ParsePattern(text)
		for _, problem := range problems {
			need[riskOf[problem.Code]] = true
		}
		if len(problems) > 0 && !missing() {
			break
		}
	}
	return need
}

// WiderItem returns the item of the same list that has the same effect on all the names that an
// item of one of the four header lists covers, so that the item changes nothing. A name in
// allow_headers or expose_headers always changes something: each preflight is answered with it, and
// DECLARED exposes it. A name in deny_headers beside tracing may too, since tracing
// grants names.
func (w *Written) WiderItem(list, item string) (wider string, ok bool) {
	d, grants := rpc.Request, list == "allow_headers" || list == "expose_headers"
	if list == "expose_headers" || list == "hide_headers" {
		d = rpc.Response
	}
	h, reason, _ := parseHeaderRule(item, grants)
	l := w.level.headers[d].level
	if reason != "" || l == nil || h.kind == headerAll || h.kind == headerName && (grants || d == rpc.Request && w.Message.Tracing != nil) {
		return "", false
	}
	for prefix := range prefixesOf(strings.TrimSuffix(h.name, "-")) {
		if have, ok := l.prefixes[prefix]; ok {
			covers := have == grants && (!grants || !strings.HasPrefix(h.name, rpc.GatewayPrefix) || strings.HasPrefix(prefix, rpc.GatewayPrefix))
			return prefix + "*", covers
		}
	}
	covers := l.all != nil && *l.all == grants && (!grants || !strings.HasPrefix(h.name, rpc.GatewayPrefix))
	return "*", covers
}

// Levels returns the fields of the levels that the effective rule is merged from, from the widest to
// the narrowest.
func (e *Effective) Levels() (fields []string) {
	for _, l := range e.levels {
		fields = append(fields, l.field)
	}
	return fields
}

// OriginsLevel returns the field of the level that sets the allowed origins; "" if there is none.
func (e *Effective) OriginsLevel() string {
	if e.originsFrom == nil {
		return ""
	}
	return e.originsFrom.field
}

// HasAdded reports whether add_origins join the allowed origins of the effective rule.
func (e *Effective) HasAdded() bool { return e.origins != e.originsFrom }

// RefusesAdded reports whether the origins of the profile's add_origins join the effective rule
// except for those that never go with credentials.
func (e *Effective) RefusesAdded() bool {
	return e.originsFrom != nil && e.originsFrom.origins.Any() == 0 && !e.Disabled() && e.Credentials()
}

// DisabledByPolicy reports whether the policy itself, and not a profile or the schema, disables the
// effective rule.
func (e *Effective) DisabledByPolicy() bool {
	return e.Disabled() && e.disabledFrom.element == "" && !strings.HasPrefix(e.disabledFrom.field, "profiles[")
}

// WithholdsResponse reports whether a level of the effective rule has the response header, or the
// trailer of that name, in hide_headers.
func (e *Effective) WithholdsResponse(name string) bool {
	for _, l := range e.levels {
		for _, item := range l.headers[rpc.Response].items {
			if !item.grants && (item.kind == headerAll || item.name == name || item.name == rpc.TrailerPrefix+name ||
				item.kind == headerPrefix && (strings.HasPrefix(name, item.name) || strings.HasPrefix(rpc.TrailerPrefix+name, item.name))) {
				return true
			}
		}
	}
	return false
}
