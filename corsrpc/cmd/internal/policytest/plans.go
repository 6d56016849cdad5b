package policytest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/route"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// plans compiles the policy, once for each profile and each set of environment variables.
type plans struct {
	settings input.Settings
	name     string // of the policy; empty if it could not be read
	text     []byte
	sources  map[string]*corsrpcv1.SourceOrigins // those of the test
	variants map[string]*variant
	compiled int // how often a policy was compiled, for tests
}

// variant is the policy with one profile and one set of variables.
type variant struct {
	settings input.Settings
	policy   *input.Policy // nil if err is not
	err      error
	routes   *route.Table[*rules.Effective] // nil until rulesOf needs it
	bound    map[string]*corsrpc.Plan       // the plan with the origins of sources, by a key of these
	moved    map[string]string              // for the fields of the origins that writeSources adds, those of their sources
	proven   *rules.Rules                   // the rules with the origins of the test's sources; nil until guarantees need them
}

// base returns the variant of the test as a whole.
func (p *plans) base() *variant { return p.get("", nil) }

// get returns the variant with a profile, which is that of the test if it is empty, and with variables in
// addition to those of the test.
func (p *plans) get(profile string, env map[string]string) *variant {
	if profile == "" {
		profile = p.settings.Profile
	}
	key := profile + keyOf(env)
	if v, ok := p.variants[key]; ok {
		return v
	}
	v := &variant{settings: p.settings, bound: map[string]*corsrpc.Plan{}}
	v.settings.Profile = profile
	if len(env) > 0 {
		v.settings.Env = maps.Clone(p.settings.Env)
		maps.Copy(v.settings.Env, env)
	}
	v.policy, v.err = v.settings.Compile(p.name, p.text)
	p.compiled++
	p.variants[key] = v
	return v
}

// keyOf returns a text that is equal for equal maps.
func keyOf(env map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(env)) {
		fmt.Fprintf(&b, "\x00%q=%q", name, env[name])
	}
	return b.String()
}

// plan returns the plan of a variant with the origins of the test's sources, or those of the case's own.
func (p *plans) plan(v *variant, own map[string]*corsrpcv1.SourceOrigins) *corsrpc.Plan {
	var key strings.Builder
	for _, name := range slices.Sorted(maps.Keys(own)) {
		fmt.Fprintf(&key, "%q: %q\n", name, own[name].GetOrigins())
	}
	if bound, ok := v.bound[key.String()]; ok {
		return bound
	}
	sets := map[string][]string{}
	for name, s := range p.known(own) {
		sets[name] = s.GetOrigins()
	}
	bound := v.policy.Plan.WithSets(sets)
	v.bound[key.String()] = bound
	return bound
}

// known returns the sources whose origins are known: those of the test, replaced by the case's own.
func (p *plans) known(own map[string]*corsrpcv1.SourceOrigins) map[string]*corsrpcv1.SourceOrigins {
	all := maps.Clone(p.sources)
	if all == nil {
		all = map[string]*corsrpcv1.SourceOrigins{}
	}
	maps.Copy(all, own)
	return all
}

// rulesOf returns the effective rules that may govern a request: one for each reading of its path.
func (v *variant) rulesOf(r corsrpc.Request) (all []*rules.Effective) {
	if v.routes == nil {
		same := func(a, b *rules.Effective) bool { return a == b }
		v.routes = rules.Routes(v.policy.Rules, same, func(t rules.Target) *rules.Effective { return t.Rule })
	}
	v.routes.Each(r.Path, r.EscapedPath, true, func(m route.Match[*rules.Effective]) bool {
		if m.Kind != route.None && !slices.Contains(all, m.Value) {
			all = append(all, m.Value)
		}
		return true
	})
	return all
}

// rulesForProofs returns the rules of a variant in which the origins of sources that the test knows are
// allowed as if they were written in the policy, so that only the others are unknown.
func (p *plans) rulesForProofs(v *variant) (*rules.Rules, error) {
	if v.proven != nil {
		return v.proven, nil
	}
	v.proven = v.policy.Rules
	if len(p.sources) == 0 {
		return v.proven, nil
	}
	policy := v.policy.Plan.Policy()
	v.moved = writeSources(policy, p.sources)
	compiled, err := v.settings.CompilePolicy(p.name, p.text, policy)
	p.compiled++
	if err != nil {
		var problems *corsrpc.PolicyError
		if errors.As(err, &problems) {
			err = fmt.Errorf("with the origins of the test's sources, %s", problems.Violations[0])
		}
		return nil, err
	}
	v.proven = compiled.Rules
	return v.proven, nil
}

// writeSources moves the origins of known sources from allow_origins_from to the end of allow_origins, so
// that the items before keep their places. It returns the field of the source for the field of each item that
// it adds.
func writeSources(policy *corsrpcv1.Policy, sources map[string]*corsrpcv1.SourceOrigins) map[string]string {
	moved := map[string]string{}
	eachRule(policy, func(field string, r *corsrpcv1.Rule) {
		have := map[string]bool{}
		for _, o := range r.GetAllowOrigins() {
			have[o] = true
		}
		var left []string
		for i, name := range r.GetAllowOriginsFrom() {
			s, known := sources[name]
			if !known || len(s.GetOrigins()) == 0 && len(r.GetAllowOrigins()) == 0 {
				left = append(left, name) // a rule without any origin would inherit those of a wider rule
				continue
			}
			for _, o := range s.GetOrigins() {
				if !have[o] {
					have[o] = true
					moved[fmt.Sprintf("%s.allow_origins[%d]", field, len(r.AllowOrigins))] = fmt.Sprintf("%s.allow_origins_from[%d]", field, i)
					r.AllowOrigins = append(r.AllowOrigins, o)
				}
			}
		}
		r.AllowOriginsFrom = left
	})
	return moved
}

// eachRule calls visit for each rule of a policy and of its profiles, with its field.
func eachRule(policy *corsrpcv1.Policy, visit func(field string, r *corsrpcv1.Rule)) {
	visitAll := func(prefix string, defaults *corsrpcv1.Rule, all []*corsrpcv1.Rule) {
		if defaults != nil {
			visit(prefix+"defaults", defaults)
		}
		for i, r := range all {
			visit(fmt.Sprintf("%srules[%d]", prefix, i), r)
		}
	}
	visitAll("", policy.GetDefaults(), policy.GetRules())
	for name, profile := range policy.GetProfiles() {
		visitAll(fmt.Sprintf("profiles[%q].", name), profile.GetDefaults(), profile.GetRules())
	}
}

// uses holds the names that a policy uses, in all profiles.
type uses struct {
	sources, variables, profiles []string
}

// usesOf returns the names that a policy uses.
func usesOf(policy *corsrpcv1.Policy) (u uses) {
	variables := func(items []string) {
		for _, item := range items {
			if name, ok := variableOf(item); ok {
				u.variables = append(u.variables, name)
			}
		}
	}
	eachRule(policy, func(_ string, r *corsrpcv1.Rule) {
		u.sources = append(u.sources, r.GetAllowOriginsFrom()...)
		variables(r.GetAllowOrigins())
	})
	for name, profile := range policy.GetProfiles() {
		u.profiles = append(u.profiles, name)
		variables(profile.GetAddOrigins())
	}
	if policy.GetShadow() != nil {
		shadow := usesOf(policy.GetShadow())
		u.sources, u.variables = append(u.sources, shadow.sources...), append(u.variables, shadow.variables...)
	}
	for _, names := range []*[]string{&u.sources, &u.variables, &u.profiles} {
		slices.Sort(*names)
		*names = slices.Compact(*names)
	}
	return u
}

// variableOf returns the environment variable of an item of a list of origins.
func variableOf(item string) (name string, ok bool) {
	inner, opens := strings.CutPrefix(item, "${")
	inner, closes := strings.CutSuffix(inner, "}")
	name, _, _ = strings.Cut(inner, ":-")
	return name, opens && closes && route.IsIdentifier(name)
}
