package corsrpc

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
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
	return compile(policy, newCompileConfig(opts), nil)
}

// compile is Compile with the problems that reading the text has found, so
// that all are reported together.
func compile(policy *corsrpcv1.Policy, config *compileConfig, found []Violation) (*Plan, error) {
	c := &compiler{config: config, violations: found, schema: readSchema(config.files)}
	c.policy = proto.CloneOf(policy)
	c.checkPrefixes()
	c.checkSupport()
	c.readRules()
	plan := c.plan()
	if len(c.violations) == 0 && !c.someOrigin {
		c.fail(CheckNoOrigins, "", "", "grants no origin anything: nobody could call, so this cannot be meant", "allow_origins: [https://app.example.com] in defaults or in a rule")
	}
	if len(c.violations) > 0 {
		c.violations = withoutEchoes(c.violations, found)
		sortViolations(c.violations)
		return nil, &PolicyError{c.violations}
	}
	return plan, nil
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
	policy     *corsrpcv1.Policy
	schema     *schema
	violations []Violation

	defaults *parsedRule
	every    *parsedRule            // the rule with the selector *
	rules    map[string]*parsedRule // by selector
	paths    []*parsedRule

	known      []string // every selector that the schema has, sorted
	someOrigin bool
	reported   map[string]bool // violations across layers, each once
}

// fail records a violation of the value at a field.
func (c *compiler) fail(check Check, field, value, reason, fix string, related ...string) {
	v := Violation{Check: check, Field: field, Value: value, Reason: reason, Fix: fix}
	if doc := c.config.document; doc != nil {
		v.File, v.Position = doc.name, doc.position(field)
	}
	for _, r := range related {
		v.Related = append(v.Related, Related{Field: r, Position: c.config.document.position(r)})
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

func (c *compiler) unsupported(field, value, what string) {
	c.fail(CheckNotSupported, field, value, what+" not supported yet", "")
}

// checkSupport refuses what the format has and this version cannot do.
func (c *compiler) checkSupport() {
	if len(c.policy.GetProfiles()) > 0 {
		c.unsupported("profiles", "", "profiles are")
	}
	if c.policy.GetSchemaOptions() != corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_UNSPECIFIED {
		c.unsupported("schema_options", "", "schema options are")
	}
	if c.policy.GetEnforcement() != corsrpcv1.Enforcement_ENFORCEMENT_UNSPECIFIED {
		c.unsupported("enforcement", "", "a choice of enforcement is")
	}
	if c.policy.GetShadow() != nil {
		c.unsupported("shadow", "", "a shadow policy is")
	}
	for _, name := range c.schema.carriers {
		c.unsupported("", name, "carries an option of corsrpc.v1 in its .proto file, and these are")
	}
	if c.config.document == nil { // reading a document has found them
		c.checkUnknownFields("", c.policy.ProtoReflect())
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

func (c *compiler) checkPrefixes() {
	for i, prefix := range c.config.prefixes {
		if prefix == "" || prefix[0] != '/' || cleanReading(prefix) != strings.ToLower(prefix) {
			v := Violation{Check: CheckOption, Field: "WithPathPrefix", Value: prefix,
				Reason: "is no path prefix: it begins with a slash, does not end with one, and holds neither escapes nor dot segments"}
			c.violations = append(c.violations, v)
			c.config.prefixes[i] = "/"
		}
	}
}

// readRules parses every rule and finds the layer that each one is.
func (c *compiler) readRules() {
	c.rules, c.reported = map[string]*parsedRule{}, map[string]bool{}
	defaults := c.policy.GetDefaults()
	if defaults == nil {
		defaults = &corsrpcv1.Rule{}
	}
	if defaults.GetSelector() != "" || defaults.GetPath() != "" {
		c.fail(CheckSelectorMisplaced, "defaults", "", "hold for everything: a selector or path belongs in rules", "")
	}
	c.defaults = c.parseRule("defaults", defaults, inDefaults)
	seen := map[string]string{}
	for i, r := range c.policy.GetRules() {
		field := fmt.Sprintf("rules[%d]", i)
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
				c.paths = append(c.paths, c.parseRule(field, r, forPath))
				continue
			}
			p := c.parseRule(field, r, forSelector)
			c.checkSelector(p)
			if name == "*" {
				c.every = p
			} else {
				c.rules[name] = p
			}
		}
	}
}

func (c *compiler) checkSelector(p *parsedRule) {
	at := p.field + ".selector"
	if reason, fix := selectorProblem(p.selector); reason != "" {
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

// chain returns the layers of a selector, from the widest to the narrowest.
// The built-in layer is the absence of all.
func (c *compiler) chain(selector string) []*parsedRule {
	var layers []*parsedRule
	name, isPackage := strings.CutSuffix(selector, ".*")
	if p := c.rules[selector]; p != nil {
		layers = append(layers, p)
	}
	if !isPackage {
		if service := c.rules[parentName(name)]; service != nil {
			layers = append(layers, service)
		}
	}
	pkg := name
	if isPackage {
		pkg = parentName(name)
	}
	for ; pkg != ""; pkg = parentName(pkg) {
		if p := c.rules[pkg+".*"]; p != nil {
			layers = append(layers, p)
		}
	}
	if !isOperational(selector) {
		if c.every != nil {
			layers = append(layers, c.every)
		}
		layers = append(layers, c.defaults)
	}
	slices.Reverse(layers)
	return layers
}

// plan makes the answers: one for each selector, which serves every procedure
// that no narrower selector covers, and one for each path.
func (c *compiler) plan() *Plan {
	p := &Plan{
		prefixes: append([]string{""}, c.config.prefixes...), policy: c.policy,
		procedures: map[string]target{}, exact: newNameTable(), interned: map[string]*grant{},
	}
	p.folded = newNameTable()
	p.uncovered = p.intern(c.grant(c.chain(""), grantKind{}))
	p.nothing = p.intern(c.grant(nil, grantKind{}))
	selectors := slices.Sorted(maps.Keys(c.rules))
	for _, selector := range selectors {
		g := p.intern(c.grant(c.chain(selector), grantKind{}))
		p.exact.addSelector(selector, g)
		p.folded.addSelector(strings.ToLower(selector), g)
	}
	for service := range c.schema.services {
		p.exact.services[service] = true
		p.folded.services[strings.ToLower(service)] = true
	}
	grants := map[grantKey]*grant{}
	for _, m := range c.schema.methods {
		narrowest, _ := p.resolve(p.exact, m.name)
		key := grantKey{narrowest, m.noSideEffects, isOperational(m.name)}
		if grants[key] == nil {
			grants[key] = p.intern(c.grant(c.chainBelow(key), grantKind{get: key.get}))
		}
		for _, prefix := range p.prefixes {
			p.procedures[prefix+m.path] = target{kind: targetProcedure, name: m.name, known: true, grant: grants[key]}
		}
		p.folded.methods[strings.ToLower(m.name)] = true
	}
	c.addPaths(p)
	return p
}

// grantKey is what procedures with the same answers have in common.
type grantKey struct {
	narrowest   string // the narrowest selector that covers them; empty for none
	get         bool
	operational bool
}

func (c *compiler) chainBelow(key grantKey) []*parsedRule {
	if key.narrowest == "" && key.operational {
		return nil
	}
	return c.chain(key.narrowest)
}

// addPaths registers the path rules with a ServeMux, which finds conflicts and
// matches paths as the user's own mux does.
func (c *compiler) addPaths(p *Plan) {
	if len(c.paths) == 0 {
		return
	}
	p.mux, p.paths = http.NewServeMux(), map[string]target{}
	for _, rule := range c.paths {
		at := rule.field + ".path"
		g := p.intern(c.grant([]*parsedRule{c.defaults, rule}, grantKind{path: true}))
		pattern := rule.message.GetPath()
		if !strings.HasPrefix(pattern, "/") {
			c.fail(CheckPathSyntax, at, pattern, "is no path: it begins with a slash, without method and host", "")
			continue
		}
		if selector, ok := c.procedurePattern(p, pattern); ok {
			c.fail(CheckPathIsProcedure, at, pattern, "is the path of procedures", "selector: "+selector)
			continue
		}
		if err := register(p.mux, pattern); err != nil {
			check, reason := describePatternError(err.Error())
			c.fail(check, at, pattern, reason, "")
			continue
		}
		p.pathStarts = append(p.pathStarts, pathStart(pattern))
		p.paths[pattern] = target{kind: targetPath, name: pattern, known: true, grant: g}
	}
}

// procedurePattern reports whether a path pattern is about a known service's
// procedures, where it would have no effect, and the selector for them.
func (c *compiler) procedurePattern(p *Plan, pattern string) (string, bool) {
	if t, ok := p.procedures[pattern]; ok {
		return t.name, true
	}
	for _, prefix := range p.prefixes {
		if rest, ok := strings.CutPrefix(pattern, prefix+"/"); ok {
			if service, _, _ := strings.Cut(rest, "/"); c.schema.services[service] {
				return service, true
			}
		}
	}
	return "", false
}

// register adds a pattern, turning ServeMux's panic into an error.
func register(mux *http.ServeMux, pattern string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	mux.Handle(pattern, http.NotFoundHandler())
	return nil
}

// describePatternError rewords what ServeMux says of a pattern.
func describePatternError(text string) (Check, string) {
	if _, conflict, ok := strings.Cut(text, "conflicts with pattern"); ok {
		other, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(conflict), `"`), `"`)
		return CheckPathConflict, fmt.Sprintf("overlaps with %q, and neither is more specific: a request could be either's", other)
	}
	_, detail, ok := strings.Cut(text, "at offset ")
	if _, d, found := strings.Cut(detail, ": "); ok && found {
		return CheckPathSyntax, "is no pattern of net/http.ServeMux: " + d
	}
	return CheckPathSyntax, "is no pattern of net/http.ServeMux: " + text
}

func durationText(d *durationpb.Duration) string {
	if d.CheckValid() != nil {
		return fmt.Sprintf("%ds %dns", d.GetSeconds(), d.GetNanos())
	}
	return d.AsDuration().String()
}
