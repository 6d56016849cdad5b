package intent

import (
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"pgregory.net/rapid"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
)

// pair is two policies with the same environment and, most often, the same schema. They are compiled as
// tools do.
type pair struct {
	old, next *world
	change    string // how the one policy was made from the other one
}

// tool is the option of a tool that knows the schema.
var tool = planaccess.Option(planaccess.Tool{UnsetVariables: true}).(corsrpc.CompileOption)

// compileAsTool compiles the policy. Environment variables that are not set are unknown sets.
func (w *world) compileAsTool(t failer) error { return w.compilePlan(t, tool) }

// drawPair draws two policies.
func drawPair(t *rapid.T) pair {
	from, set := drawPolicy(t)
	from.Sources, from.Shadow = nil, nil
	if chance(t, 40, "APP is not set") {
		from.Env["APP"] = ""
	}
	if chance(t, 6, "observes") {
		from.Enforcement = corsrpcv1.Enforcement_ENFORCEMENT_OBSERVE
	}
	prepareOrigins(&from)
	p := pair{old: repaired(t, from, set, func(w *world) error { return w.compileAsTool(t) })}
	if p.old == nil {
		t.Fatalf("the policy cannot be repaired so that it loads: %v", from.Policy)
	}
	for p.next == nil {
		next := p.old.Policy
		next.Policy = proto.CloneOf(next.Policy)
		next.Options = maps.Clone(next.Options)
		nextSet := p.old.set
		change := pick(t, changes, "change")
		if p.change = change.name; !change.make(t, &next, &nextSet) {
			continue
		}
		prepareOrigins(&next)
		p.next = repaired(t, next, nextSet, func(w *world) error { return w.compileAsTool(t) })
	}
	if chance(t, 50, "the other way round") {
		p.old, p.next = p.next, p.old
	}
	return p
}

// prepareOrigins gives variables with a fallback names of their own: without a value, they are their
// fallbacks, and those without a fallback are unknown sets. It removes origins that no page has, since a
// browser cannot show what they may do.
func prepareOrigins(p *Policy) {
	p.Env = maps.Clone(p.Env)
	if items := strings.Split(p.Env["APP"], ","); len(withPages(slices.Clone(items))) < len(items) {
		p.Env["APP"] = ""
	}
	p.Env["APP_OR"] = p.Env["APP"]
	prepare := func(items []string) []string {
		for i, item := range items {
			if name, fallback, ok := variable(item); ok && fallback != "" && !strings.HasSuffix(name, "_OR") {
				items[i] = "${" + name + "_OR:-" + fallback + "}"
			}
		}
		return withPages(items)
	}
	for _, r := range p.everyRule() {
		r.AllowOrigins = prepare(r.AllowOrigins)
	}
	for _, profile := range p.GetProfiles() {
		profile.AddOrigins = prepare(profile.AddOrigins)
	}
}

// withPages returns the items without the origins that no page has.
func withPages(items []string) []string {
	return slices.DeleteFunc(items, func(item string) bool {
		if _, _, ok := variable(item); ok || strings.Contains(item, "*") {
			return false
		}
		_, err := corsbrowser.New(strings.TrimSpace(item))
		return err != nil
	})
}

// changeKind is a way to make a policy from another one.
type changeKind struct {
	name string
	// make changes the policy or its schema. It returns false if there is nothing that it can change.
	make func(t *rapid.T, p *Policy, set **descriptorpb.FileDescriptorSet) bool
}

// changes are the ways to make a policy from another one. Small ones prevail, since their effects are
// the hardest to find.
var changes = []changeKind{
	{"a field", changeField}, {"a field", changeField}, {"a field", changeField}, {"a field", changeField},
	{"an item", changeItem}, {"an item", changeItem}, {"an item", changeItem}, {"an item", changeItem},
	{"a flag", changeFlag}, {"a flag", changeFlag},
	{"a rule more", addRule}, {"a rule more", addRule},
	{"a rule less", removeRule}, {"a rule less", removeRule},
	{"a path", addPath},
	{"a field of a path", changePathField}, {"a field of a path", changePathField}, {"a field of a path", changePathField}, {"a field of a path", changePathField},
	{"an added origin", changeAdded}, {"an added origin", changeAdded},
	{"the profile", changeProfile}, {"the profile", changeProfile},
	{"the enforcement", changeEnforcement},
	{"the schema options", changeSchemaOptions}, {"the schema options", changeSchemaOptions},
	{"an option of the schema", changeOption},
	{"the schema", changeSchema},
	{"everything", changeEverything}, {"everything", changeEverything},
	{"several fields", func(t *rapid.T, p *Policy, set **descriptorpb.FileDescriptorSet) bool {
		return changeField(t, p, set) && changeItem(t, p, set) && changeFlag(t, p, set)
	}},
}

// inForce returns the rules of the policy and of its chosen profile. The caller may change them.
func (p *Policy) inForce() []*corsrpcv1.Rule {
	profile := p.GetProfiles()[p.Profile]
	all := slices.Concat(p.GetRules(), profile.GetRules(), []*corsrpcv1.Rule{p.GetDefaults(), profile.GetDefaults()})
	return slices.DeleteFunc(all, func(r *corsrpcv1.Rule) bool { return r == nil })
}

// pickRule draws a rule that is in force; nil if there is none.
func pickRule(t *rapid.T, p *Policy) *corsrpcv1.Rule {
	if all := p.inForce(); len(all) > 0 {
		return pick(t, all, "rule")
	}
	return nil
}

// changeField replaces a field of a rule by that of another one.
func changeField(t *rapid.T, p *Policy, _ **descriptorpb.FileDescriptorSet) bool {
	r := pickRule(t, p)
	return r != nil && replaceField(t, r)
}

// changePathField replaces a field of the rule of a path: its methods, its origins, its credentials or MCP, which
// decide who reaches the handler.
func changePathField(t *rapid.T, p *Policy, _ **descriptorpb.FileDescriptorSet) bool {
	paths := slices.DeleteFunc(p.inForce(), func(r *corsrpcv1.Rule) bool { return r.GetPath() == "" })
	if len(paths) == 0 {
		return false
	}
	r := pick(t, paths, "path")
	switch index(t, 4, "field of the path") {
	case 3:
		if r.Protocols = nil; chance(t, 70, "serves MCP") {
			r.Protocols = []corsrpcv1.Protocol{corsrpcv1.Protocol_PROTOCOL_MCP}
		}
	case 0:
		r.AllowMethods = some(t, []string{"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"}, 4, "methods")
	case 1:
		r.AllowCredentials = proto.Bool(!r.GetAllowCredentials())
	default:
		r.AllowOrigins = append(some(t, []string{"moz-extension://1f", "https://app.example.com", "${UNSET}"}, 2, "origins"), "https://*.example.com")
		if chance(t, 70, "unrelated owners") {
			r.AllowOrigins = append(r.AllowOrigins, pick(t, []string{"*", "*", "null", "moz-extension://*"}, "unrelated owners"))
		}
		if chance(t, 50, "without credentials") {
			r.AllowCredentials, r.Disabled = proto.Bool(false), nil
		}
	}
	return true
}

// replaceField replaces a field of a rule by that of another one.
func replaceField(t *rapid.T, r *corsrpcv1.Rule) bool {
	other := drawRule(t, r.GetPath() != "").ProtoReflect()
	var fields []protoreflect.FieldDescriptor
	for i := range other.Descriptor().Fields().Len() {
		switch f := other.Descriptor().Fields().Get(i); f.Name() {
		case "selector", "path", "accept_risks":
		default:
			if other.Has(f) || r.ProtoReflect().Has(f) {
				fields = append(fields, f)
			}
		}
	}
	if len(fields) == 0 {
		return false
	}
	f := pick(t, fields, "field")
	r.ProtoReflect().Clear(f)
	if other.Has(f) {
		r.ProtoReflect().Set(f, other.Get(f))
	}
	return true
}

// changeItem adds an item to a list of a rule or removes one.
func changeItem(t *rapid.T, p *Policy, _ **descriptorpb.FileDescriptorSet) bool {
	r := pickRule(t, p)
	if r == nil {
		return false
	}
	list := pick(t, []struct {
		items *[]string
		from  []string
	}{
		{&r.AllowOrigins, slices.Concat(originPatterns, variables)}, {&r.AllowOrigins, originPatterns}, {&r.AllowOriginsFrom, sourceNames}, {&r.AllowHeaders, requestItems}, {&r.DenyHeaders, requestItems},
		{&r.ExposeHeaders, responseItems}, {&r.HideHeaders, responseItems},
	}, "list")
	return changeList(t, list.items, list.from)
}

// changeList adds an item to a list or removes one.
func changeList(t *rapid.T, items *[]string, from []string) bool {
	if len(*items) > 0 && rapid.Bool().Draw(t, "remove") {
		i := index(t, len(*items), "removed item")
		*items = slices.Delete(slices.Clone(*items), i, i+1)
		return true
	}
	item := pick(t, from, "item")
	if slices.Contains(*items, item) {
		return false
	}
	*items = append(slices.Clip(*items), item)
	return true
}

// changeFlag flips a bool of a rule.
func changeFlag(t *rapid.T, p *Policy, _ **descriptorpb.FileDescriptorSet) bool {
	r := pickRule(t, p)
	if r == nil {
		return false
	}
	flag := pick(t, []**bool{&r.AllowCredentials, &r.AllowCredentials, &r.Disabled, &r.Disabled, &r.Tracing, &r.Timing}, "flag")
	*flag = proto.Bool(!(*flag != nil && **flag))
	return true
}

// addRule adds a rule for a selector, to the policy or to its profile.
func addRule(t *rapid.T, p *Policy, _ **descriptorpb.FileDescriptorSet) bool {
	return joinRules(t, p, drawLevels(t, p.Methods).Rules)
}

// addPath adds a rule for a path.
func addPath(t *rapid.T, p *Policy, _ **descriptorpb.FileDescriptorSet) bool {
	r := drawRule(t, true)
	r.Path = pick(t, patterns, "pattern")
	return joinRules(t, p, []*corsrpcv1.Rule{r})
}

// joinRules adds the first of some rules whose name is new.
func joinRules(t *rapid.T, p *Policy, from []*corsrpcv1.Rule) bool {
	rules := &p.Policy.Rules
	if profile := p.GetProfiles()[p.Profile]; profile != nil && rapid.Bool().Draw(t, "in the profile") {
		rules = &profile.Rules
	}
	for _, r := range from {
		if !slices.ContainsFunc(*rules, func(have *corsrpcv1.Rule) bool { return have.Selector == r.Selector && have.Path == r.Path }) {
			*rules = append(*rules, r)
			return true
		}
	}
	return false
}

// removeRule removes a rule.
func removeRule(t *rapid.T, p *Policy, _ **descriptorpb.FileDescriptorSet) bool {
	if len(p.Policy.Rules) == 0 {
		return false
	}
	i := index(t, len(p.Policy.Rules), "removed rule")
	p.Policy.Rules = slices.Delete(p.Policy.Rules, i, i+1)
	return true
}

// changeAdded changes the added origins of the profile.
func changeAdded(t *rapid.T, p *Policy, _ **descriptorpb.FileDescriptorSet) bool {
	profile := p.GetProfiles()[p.Profile]
	return profile != nil && changeList(t, &profile.AddOrigins, originPatterns)
}

// changeProfile chooses another profile, or none.
func changeProfile(t *rapid.T, p *Policy, _ **descriptorpb.FileDescriptorSet) bool {
	if len(p.GetProfiles()) == 0 {
		return false
	}
	old := p.Profile
	p.Profile = pick(t, []string{"", "dev", "prod"}, "another profile")
	return p.Profile != old
}

// changeEnforcement flips the enforcement.
func changeEnforcement(_ *rapid.T, p *Policy, _ **descriptorpb.FileDescriptorSet) bool {
	if p.Enforcement == corsrpcv1.Enforcement_ENFORCEMENT_OBSERVE {
		p.Enforcement = corsrpcv1.Enforcement_ENFORCEMENT_ENFORCE
	} else {
		p.Enforcement = corsrpcv1.Enforcement_ENFORCEMENT_OBSERVE
	}
	return true
}

// changeSchemaOptions changes what options in the schema may do.
func changeSchemaOptions(t *rapid.T, p *Policy, _ **descriptorpb.FileDescriptorSet) bool {
	old := p.SchemaOptions
	p.SchemaOptions = corsrpcv1.SchemaOptions(index(t, 4, "schema options"))
	return p.SchemaOptions != old && len(p.Options) > 0
}

// changeOption removes an option of the schema, or replaces the options.
func changeOption(t *rapid.T, p *Policy, _ **descriptorpb.FileDescriptorSet) bool {
	if names := sortedKeys(p.Options); len(names) > 0 && rapid.Bool().Draw(t, "remove") {
		delete(p.Options, pick(t, names, "option"))
		return true
	}
	p.Options = drawOptions(t, p.Methods, p.SchemaOptions)
	return true
}

// changeSchema replaces the schema.
func changeSchema(t *rapid.T, p *Policy, set **descriptorpb.FileDescriptorSet) bool {
	*set, p.Methods = drawSchema(t)
	p.Options = drawOptions(t, p.Methods, p.SchemaOptions)
	return true
}

// changeEverything replaces the policy.
func changeEverything(t *rapid.T, p *Policy, _ **descriptorpb.FileDescriptorSet) bool {
	other, _ := drawPolicy(t)
	p.Policy, p.Profile = other.Policy, other.Profile
	p.Shadow = nil
	levels := drawLevels(t, p.Methods)
	p.Defaults, p.Rules = levels.Defaults, levels.Rules
	return true
}
