package corsrpc

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
	"github.com/corsrpc/corsrpc-go/internal/route"
)

// Compile checks a policy against the schema and returns the plan that
// carries it out.
//
// The error is a *PolicyError that lists every problem, in file order where
// WithDocument gives the text. A policy is compiled whole or not at all.
// Compile keeps no reference to the policy, and is safe for concurrent use.
func Compile(policy *corsrpcv1.Policy, opts ...CompileOption) (*Plan, error) {
	if policy == nil {
		return nil, errNilPolicy
	}
	return compile(proto.CloneOf(policy), nil, newCompileConfig(opts), nil)
}

// errNilPolicy is what Compile answers to a missing policy.
var errNilPolicy = errors.New("corsrpc: Compile was given no policy: pass doc.Policy() of a document, or a message")

// compile is Compile of a policy that it may keep, with the origins that were cut out
// of it, and with the problems that reading the text has found, so that all are
// reported together. Every profile is compiled, so that none is found wrong on the day
// it is chosen.
func compile(policy *corsrpcv1.Policy, cut map[string]*origin.Texts, config *compileConfig, found []Violation) (*Plan, error) {
	lists := takeLists(policy, cut, config.longList)
	profiles := append([]string{""}, slices.Sorted(maps.Keys(policy.GetProfiles()))...)
	schema := readSchema(config.files)
	base := compiler{config: config, schema: schema, places: &places{config.document.places(), schema.places}, policy: policy, lists: lists, profiles: policy.GetProfiles()}
	chosen := base.checkProfiles(config.profile, profiles[1:])
	all := slices.Concat(found, checkPrefixes(config.prefixes), base.violations)
	base.violations = nil
	plan, violations := base.compileWith(chosen, len(all) == 0)
	all = append(all, violations...)
	for _, profile := range profiles {
		if profile != chosen {
			base.otherProfile = true
			_, violations := base.compileWith(profile, false)
			all = append(all, violations...)
		}
	}
	if len(all) > 0 {
		all = withoutRepetitions(withoutEchoes(all, found))
		sortViolations(all)
		return nil, &PolicyError{all}
	}
	return plan, nil
}

// compileWith makes the plan of one profile, with its shadow's, or finds what is
// wrong. A profile lies over the shadow policy too: it stays where it is on the
// day the candidate takes the policy's place.
func (base compiler) compileWith(profile string, grantsSomething bool) (*Plan, []Violation) {
	c := base
	c.profile = profile
	plan := c.compile(grantsSomething)
	shadow := base.policy.GetShadow()
	if shadow == nil {
		return plan, c.violations
	}
	s := base
	s.profile, s.policy, s.prefix = profile, shadow, "shadow."
	if len(shadow.GetProfiles()) > 0 {
		s.fail(CheckFieldMisplaced, "shadow.profiles", "", "are the policy's own, and lie over the shadow policy too", "")
	}
	if shadow.GetShadow() != nil {
		s.fail(CheckFieldMisplaced, "shadow.shadow", "", "would be the shadow of a shadow: one candidate at a time", "")
	}
	plan.shadow = s.compile(grantsSomething)
	return plan, append(c.violations, s.violations...)
}

// compile makes the plan of the compiler's policy and profile. A policy that is
// otherwise sound has to grant something.
func (c *compiler) compile(grantsSomething bool) *Plan {
	c.checkEnum(c.prefix+"enforcement", c.policy.GetEnforcement())
	c.checkEnum(c.prefix+"schema_options", c.policy.GetSchemaOptions())
	if c.config.document == nil { // reading a document has found them
		c.checkUnknownFields(strings.TrimSuffix(c.prefix, "."), c.policy.ProtoReflect())
	}
	c.readRules()
	plan := c.plan()
	if grantsSomething && len(c.violations) == 0 && !c.someOrigin {
		c.fail(CheckNoOrigins, strings.TrimSuffix(c.prefix, "."), "", "grants no origin anything: nobody could call, so this cannot be meant", "allow_origins: [https://app.example.com] in defaults or in a rule")
	}
	return plan
}

// checkProfiles refuses a profile that has no name, and a choice that the policy does
// not have. It returns the choice, or none.
func (c *compiler) checkProfiles(chosen string, profiles []string) string {
	if c.profiles[""] != nil {
		c.fail(CheckProfileUnknown, `profiles[""]`, "", "has no name, by which it could be chosen", "dev")
	}
	if chosen == "" || c.profiles[chosen] != nil {
		return chosen
	}
	reason := "is no profile of the policy, which has none"
	if len(profiles) > 0 {
		reason = "is no profile of the policy, which has " + strings.Join(profiles, ", ")
	}
	fix, _ := policyfile.Nearest(chosen, profiles)
	c.fail(CheckProfileUnknown, "profiles", chosen, reason+" (WithProfile or CORSRPC_PROFILE chose it)", fix)
	return ""
}

// withoutRepetitions drops what was found of the policy in one profile and
// again in the next.
func withoutRepetitions(all []Violation) (kept []Violation) {
	seen := map[string]bool{}
	for _, v := range all {
		if key := v.String(); !seen[key] {
			seen[key] = true
			kept = append(kept, v)
		}
	}
	return kept
}

// withoutEchoes drops what was found of values that could not even be read:
// they stand for nothing.
func withoutEchoes(all, unreadable []Violation) []Violation {
	fields := map[string]bool{}
	for _, v := range unreadable {
		fields[v.Field] = v.Field != ""
	}
	kept := slices.Clone(unreadable)
	for _, v := range all[len(unreadable):] {
		if !fields[v.Field] {
			kept = append(kept, v)
		}
	}
	return kept
}

// compiler holds what one compilation has found so far.
type compiler struct {
	config     *compileConfig
	schema     *schema
	places     *places
	policy     *corsrpcv1.Policy
	lists      originLists // of the policy's rules
	profiles   map[string]*corsrpcv1.Profile
	violations []Violation

	profile      string // whose layers are in; empty for none
	prefix       string // of the policy's field paths: "shadow."; empty for the policy itself
	otherProfile bool   // which is not the chosen one: it is checked, no more

	// Each is the file's, and the profile's behind it.
	defaults []*parsedRule
	every    []*parsedRule            // the rules with the selector *
	rules    map[string][]*parsedRule // by selector
	paths    map[string][]*parsedRule // by pattern
	patterns []string                 // in the order of the policy

	added   *parsedRule            // the profile's add_origins; nil for none
	options map[string]*parsedRule // what the schema says, by service or method

	known      []string // every selector that the schema has, sorted
	someOrigin bool
	reported   map[string]bool // violations across layers, each once
}

// fail records a violation of the value at a field.
func (c *compiler) fail(check Check, field, value, reason, fix string, related ...string) {
	at := c.places.of(field)
	v := Violation{Check: check, Field: field, Value: value, Reason: reason, Fix: fix, File: at.File, Position: at.Position}
	for _, r := range related {
		at := c.places.of(r)
		v.Related = append(v.Related, Related{Field: r, File: at.File, Position: at.Position})
	}
	c.violations = append(c.violations, v)
}

// failOnce is fail for what several procedures have in common.
func (c *compiler) failOnce(check Check, field, reason, fix string, related ...string) {
	key := string(check) + " " + field + " " + strings.Join(related, " ")
	if !c.reported[key] {
		c.reported[key] = true
		c.fail(check, field, "", reason, fix, related...)
	}
}

// checkUnknownFields refuses what a newer version has written into a message:
// it may narrow what the rest grants.
func (c *compiler) checkUnknownFields(field string, m protoreflect.Message) {
	if len(m.GetUnknown()) > 0 {
		c.fail(CheckUnknownField, field, "", "holds fields that this version does not know, and they may narrow what the rest grants", "")
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		at := strings.TrimPrefix(field+"."+string(f.Name()), ".")
		switch {
		case f.IsMap():
			v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
				c.checkUnknownFields(fmt.Sprintf("%s[%q]", at, k.String()), v.Message())
				return true
			})
		case f.IsList() && f.Message() != nil:
			for i := range v.List().Len() {
				c.checkUnknownFields(fmt.Sprintf("%s[%d]", at, i), v.List().Get(i).Message())
			}
		case f.Message() != nil && !f.IsList():
			c.checkUnknownFields(at, v.Message())
		}
		return true
	})
}

// checkEnum refuses numbers that the enum does not have.
func (c *compiler) checkEnum(field string, value protoreflect.Enum) {
	if value.Descriptor().Values().ByNumber(value.Number()) == nil {
		c.fail(CheckUnknownEnumValue, field, fmt.Sprint(value.Number()), "is no value of "+string(value.Descriptor().Name()), "")
	}
}

func checkPrefixes(prefixes []string) (found []Violation) {
	for _, prefix := range prefixes {
		if !route.IsPrefix(prefix) {
			found = append(found, Violation{Check: CheckOption, Field: "WithPathPrefix", Value: prefix,
				Reason: "is no path prefix: it begins with a slash, does not end with one, and holds nothing that is escaped in a path, and no dot segments"})
		}
	}
	return found
}

// readRules parses every rule and finds the layer that each one is.
func (c *compiler) readRules() {
	c.rules, c.paths, c.reported = map[string][]*parsedRule{}, map[string][]*parsedRule{}, map[string]bool{}
	c.readLayers(c.prefix, c.policy.GetDefaults(), c.policy.GetRules())
	if profile := c.profiles[c.profile]; profile != nil && c.profile != "" {
		field := fmt.Sprintf("profiles[%q].", c.profile)
		c.readLayers(field, profile.GetDefaults(), profile.GetRules())
		c.readAdded(field+"add_origins", profile.GetAddOrigins())
	}
	c.readOptions()
}

// readLayers reads the defaults and the rules of the policy, or those of a
// profile.
func (c *compiler) readLayers(prefix string, defaults *corsrpcv1.Rule, rules []*corsrpcv1.Rule) {
	if defaults == nil {
		defaults = &corsrpcv1.Rule{}
	}
	if defaults.GetSelector() != "" || defaults.GetPath() != "" {
		c.fail(CheckSelectorMisplaced, prefix+"defaults", "", "hold for everything: a selector or path belongs in rules", "")
	}
	c.defaults = append(c.defaults, c.parseRule(prefix+"defaults", defaults, inDefaults))
	seen := map[string]string{}
	for i, r := range rules {
		field := fmt.Sprintf("%srules[%d]", prefix, i)
		switch key, name := "selector", r.GetSelector(); {
		case (name == "") == (r.GetPath() == ""):
			c.fail(CheckSelectorMissing, field, "", "has to have a selector or a path, and one of them only", "selector: acme.v1.CatalogService")
			c.parseRule(field, r, forSelector)
		default:
			if name == "" {
				key, name = "path", r.GetPath()
			}
			if first, ok := seen[key+name]; ok {
				c.fail(CheckSelectorDuplicate, field+"."+key, name, "has a rule already: one rule says all of it", "", first)
				c.parseRule(field, r, forSelector)
				continue
			}
			seen[key+name] = field + "." + key
			if key == "path" {
				if c.paths[name] == nil {
					c.patterns = append(c.patterns, name)
				}
				c.paths[name] = append(c.paths[name], c.parseRule(field, r, forPath))
				continue
			}
			p := c.parseRule(field, r, forSelector)
			c.checkSelector(p)
			if name == "*" {
				c.every = append(c.every, p)
			} else {
				c.rules[name] = append(c.rules[name], p)
			}
		}
	}
}

// readAdded reads a profile's add_origins.
func (c *compiler) readAdded(field string, items []string) {
	if len(items) == 0 {
		return
	}
	c.added = &parsedRule{field: field, added: true, message: &corsrpcv1.Rule{}}
	c.parseOriginItems(c.added, field, func(yield func(int, string) bool) {
		for i, item := range items {
			if item == "*" {
				c.fail(CheckOriginSyntax, fmt.Sprintf("%s[%d]", field, i), item, "would join every rule: a rule of the profile that everyone may call says so itself", "")
			} else if !yield(i, item) {
				return
			}
		}
	})
}

func (c *compiler) checkSelector(p *parsedRule) {
	at := p.field + ".selector"
	if reason, fix := route.CheckSelector(p.selector); reason != "" {
		c.fail(CheckSelectorSyntax, at, p.selector, reason, fix)
		return
	}
	if c.schema.names[p.selector] || p.selector == "*" || p.accepts(corsrpcv1.Risk_RISK_UNKNOWN_SELECTORS) {
		return
	}
	if service, ok := strings.CutSuffix(p.selector, ".*"); ok && c.schema.services[service] {
		c.fail(CheckSelectorUnknown, at, p.selector, "names a package, and this is a service", fmt.Sprintf("%q", service))
		return
	}
	if c.schema.names[p.selector+".*"] {
		c.fail(CheckSelectorUnknown, at, p.selector, "is a package", fmt.Sprintf("%q", p.selector+".*"))
		return
	}
	fix := ""
	if len(c.violations) < maxListed { // the search is long, and nobody reads on
		if c.known == nil {
			c.known = slices.Sorted(maps.Keys(c.schema.names))
		}
		if nearest, ok := policyfile.Nearest(p.selector, c.known); ok {
			fix = fmt.Sprintf("%q", nearest)
		}
	}
	c.fail(CheckSelectorUnknown, at, p.selector,
		"selects nothing that this server knows (accept_risks: [UNKNOWN_SELECTORS] in this rule accepts it)", fix)
}

// chain returns the layers of a selector, from the widest to the narrowest,
// for the service or the method whose options count; empty for none. The
// built-in layer is the absence of all. The defaults and * do not reach what is
// operational.
func (c *compiler) chain(selector, element string, operational bool) []*parsedRule {
	var layers []*parsedRule
	reached := !operational
	if reached {
		layers = append(layers, c.defaults...)
	}
	for _, name := range []string{route.ParentName(element), element} {
		if o := c.options[name]; o != nil {
			layers = append(layers, o)
		}
	}
	if reached {
		layers = append(layers, c.every...)
	}
	var covering [][]*parsedRule // from the narrowest on
	name, isPackage := strings.CutSuffix(selector, ".*")
	covering = append(covering, c.rules[selector])
	pkg := name
	if isPackage {
		pkg = route.ParentName(name)
	} else {
		covering = append(covering, c.rules[route.ParentName(name)])
	}
	for ; pkg != ""; pkg = route.ParentName(pkg) {
		covering = append(covering, c.rules[pkg+".*"])
	}
	for _, rules := range slices.Backward(covering) {
		layers = append(layers, rules...)
	}
	return layers
}

// plan makes the answers: one for each selector, which serves every procedure
// that no narrower selector covers, and one for each path.
func (c *compiler) plan() *Plan {
	p := &Plan{
		policy: c.policy, lists: c.lists, profile: c.profile,
		observes:   c.policy.GetEnforcement() == corsrpcv1.Enforcement_ENFORCEMENT_OBSERVE,
		procedures: map[string]*grant{}, selectors: map[string]*grant{}, paths: map[string]*grant{}, interned: map[string]*grant{},
	}
	p.uncovered = p.intern(c.grant(c.chain("", "", false), grantKind{}))
	p.nobody = p.intern(c.grant(nil, grantKind{}))
	p.unbounded = &target{kind: targetUnclear, grant: p.nobody, answers: &p.nobody.answers}
	p.routes = route.New(route.Config[*target]{
		Prefixes: c.config.prefixes, Same: func(a, b *target) bool { return a.grant == b.grant },
		Uncovered: namelessTarget(p.uncovered), Unnamed: namelessTarget(p.intern(c.grant(nil, grantKind{unnamed: true}))),
	})
	c.addSelectors(p)
	c.addProcedures(p)
	c.addPaths(p)
	names := map[string]bool{}
	for _, g := range p.interned {
		for _, name := range g.sources {
			names[name] = true
		}
	}
	p.sourceNames = slices.Sorted(maps.Keys(names))
	return p
}

// addSelectors makes the answers for procedures that the schema does not have.
func (c *compiler) addSelectors(p *Plan) {
	selectors := slices.Sorted(maps.Keys(c.rules))
	for service := range c.schema.services {
		p.routes.AddService(service)
		if c.options[service] != nil && c.rules[service] == nil {
			selectors = append(selectors, service) // for methods that the schema does not have
		}
	}
	slices.Sort(selectors)
	for _, selector := range selectors {
		grantOf := func(operational bool) *target {
			element := selector
			if strings.HasSuffix(selector, ".*") {
				element = ""
			}
			return namelessTarget(p.intern(c.grant(c.chain(selector, element, operational), grantKind{})))
		}
		t := grantOf(route.IsOperational(selector))
		operational := t
		if pkg, ok := strings.CutSuffix(selector, ".*"); ok && route.CoversOperational(pkg) {
			operational = grantOf(true)
		}
		p.selectors[selector] = t.grant
		p.routes.AddSelector(selector, t, operational)
	}
}

// addProcedures makes the answers for the schema's procedures.
func (c *compiler) addProcedures(p *Plan) {
	grants := map[grantKey]*grant{}
	for _, m := range c.schema.methods {
		key := grantKey{c.narrowest(m.name), m.noSideEffects, route.IsOperational(m.name), c.elementOf(m.name)}
		if grants[key] == nil {
			grants[key] = p.intern(c.grant(c.chainBelow(key), grantKind{get: key.get, unnamed: key.operational && key.narrowest == ""}))
		}
		p.procedures[m.name] = grants[key]
		p.routes.AddMethod(m.service, m.method, knownTarget(targetProcedure, m.name, grants[key]))
	}
}

// narrowest returns the narrowest selector other than * that covers a method, as the
// rules have it; empty for none.
func (c *compiler) narrowest(method string) string {
	covers := func(selector string) bool {
		return c.rules[selector] != nil || c.options[selector] != nil && c.schema.services[selector]
	}
	service := route.ParentName(method)
	for _, name := range []string{method, service} {
		if covers(name) {
			return name
		}
	}
	for pkg := service; pkg != ""; pkg = route.ParentName(pkg) {
		if c.rules[pkg+".*"] != nil {
			return pkg + ".*"
		}
	}
	return ""
}

// elementOf returns the name that a method's options hang on: its own, its
// service's, or none.
func (c *compiler) elementOf(method string) string {
	for _, name := range []string{method, route.ParentName(method)} {
		if c.options[name] != nil {
			return name
		}
	}
	return ""
}

// grantKey is what procedures with the same answers have in common.
type grantKey struct {
	narrowest   string // the narrowest selector that covers them; empty for none
	get         bool
	operational bool
	element     string // the service or the method whose options count
}

func (c *compiler) chainBelow(key grantKey) []*parsedRule {
	if key.narrowest == "" && key.operational && key.element == "" {
		return nil
	}
	return c.chain(key.narrowest, key.element, key.operational)
}
