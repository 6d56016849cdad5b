package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/route"
)

// ruleLevels holds the parsed defaults and rules (levels) of a policy without its profiles, or of one profile.
type ruleLevels struct {
	defaults *level
	wildcard *level            // the rule with the selector *; nil if there is none
	names    map[string]*level // by selector, for a method or a service
	packages map[string]*level // by selector without .*, for a package
	paths    map[string]*level // by pattern
	patterns []string          // the keys of paths, in the order of the policy
}

// base is a policy or its shadow policy, without profiles.
type base struct {
	ruleLevels
	policy  *corsrpcv1.Policy
	prefix  string            // of its field paths: "shadow.", or "" for the policy itself
	options map[string]*level // the options of the schema, by service or method
	sorted  []string          // the selectors that have a level, sorted
	// withOptions holds the methods that have options, their own or those of their service,
	// sorted by name.
	withOptions []schemaMethod

	usable    []route.Pattern // the valid patterns of path rules; set by checkPaths
	unusable  map[string]bool // the other patterns
	conflicts *route.Patterns // the usable patterns; nil before checkPaths
}

// profile holds the levels of a profile. The zero profile changes nothing.
type profile struct {
	ruleLevels
	added *level // add_origins; nil if there are none
}

// view is a policy with one profile applied.
type view struct {
	*base
	*profile
}

// readBase parses the rules of a policy, and the options of the schema for it.
func (c *compiler) readBase(policy *corsrpcv1.Policy, prefix string) *base {
	c.checkEnum(prefix+"enforcement", policy.GetEnforcement())
	c.checkEnum(prefix+"schema_options", policy.GetSchemaOptions())
	b := &base{policy: policy, prefix: prefix, ruleLevels: c.readLevels(prefix, policy.GetDefaults(), policy.GetRules())}
	b.options = c.readOptions(policy, prefix)
	b.sorted = b.selectors()
	for element := range b.options {
		if c.schema.services[element] && b.names[element] == nil {
			b.sorted = append(b.sorted, element) // applies to the service's methods that the schema does not have
		}
	}
	slices.Sort(b.sorted)
	for _, m := range c.schema.methods {
		if b.elementOf(m.name) != "" {
			b.withOptions = append(b.withOptions, m)
		}
	}
	return b
}

// selectors returns the selectors other than * that have a level, in no order.
func (r *ruleLevels) selectors() (all []string) {
	for name := range r.names {
		all = append(all, name)
	}
	for pkg := range r.packages {
		all = append(all, pkg+".*")
	}
	return all
}

// readProfile parses a profile.
func (c *compiler) readProfile(name string, p *corsrpcv1.Profile, allowUnsetEnv bool) *profile {
	c.allowUnsetEnv = allowUnsetEnv
	defer func() { c.allowUnsetEnv = false }()
	field := fmt.Sprintf("profiles[%q].", name)
	return &profile{
		ruleLevels: c.readLevels(field, p.GetDefaults(), p.GetRules()),
		added:      c.readAdded(field, p),
	}
}

// readLevels parses the defaults and the rules of a policy or of a profile.
func (c *compiler) readLevels(prefix string, defaults *corsrpcv1.Rule, rules []*corsrpcv1.Rule) ruleLevels {
	if defaults == nil {
		defaults = &corsrpcv1.Rule{}
	}
	if defaults.GetSelector() != "" || defaults.GetPath() != "" {
		c.fail(CodeSelectorMisplaced, prefix+"defaults", "", "cannot have a selector or a path: write a rule in rules instead", "")
	}
	r := ruleLevels{
		defaults: c.parseRule(prefix+"defaults", defaults, inDefaults),
		names:    map[string]*level{}, packages: map[string]*level{}, paths: map[string]*level{},
	}
	seen := map[string]string{}
	for i, m := range rules {
		field := fmt.Sprintf("%srules[%d]", prefix, i)
		key, name := "selector", m.GetSelector()
		if (name == "") == (m.GetPath() == "") {
			c.fail(CodeSelectorMissing, field, "", "needs a selector or a path, and not both", "selector: acme.v1.CatalogService")
			c.parseRule(field, m, forSelector)
			continue
		}
		if name == "" {
			key, name = "path", m.GetPath()
		}
		if first, ok := seen[key+name]; ok {
			c.fail(CodeSelectorDuplicate, field+"."+key, name, "already has a rule: merge the two", "", first)
			c.parseRule(field, m, forSelector)
			continue
		}
		seen[key+name] = field + "." + key
		if key == "path" {
			r.patterns = append(r.patterns, name)
			r.paths[name] = c.parseRule(field, m, forPath)
			continue
		}
		l := c.parseRule(field, m, forSelector)
		if !c.checkSelector(l) {
			continue
		}
		if pkg, ok := strings.CutSuffix(name, ".*"); ok {
			r.packages[pkg] = l
		} else if name == "*" {
			r.wildcard = l
		} else {
			r.names[name] = l
		}
	}
	return r
}

// readAdded parses a profile's add_origins and the risks that the profile accepts for them. The
// prefix is that of the profile's field paths. It returns nil if there are no add_origins.
func (c *compiler) readAdded(prefix string, p *corsrpcv1.Profile) *level {
	items, field := p.GetAddOrigins(), prefix+"add_origins"
	l := &level{field: field, added: true}
	c.parseRisks(l, prefix+"accept_risks", p.GetAcceptRisks())
	for i, risk := range p.GetAcceptRisks() {
		if risk == corsrpcv1.Risk_RISK_UNKNOWN_SELECTORS {
			c.fail(CodeFieldMisplaced, fmt.Sprintf("%saccept_risks[%d]", prefix, i), "UNKNOWN_SELECTORS",
				"is a risk of a rule with a selector, and accept_risks of a profile is for its add_origins: write it in that rule", "")
		}
	}
	if len(items) == 0 {
		return nil
	}
	c.parseOriginItems(l, field, func(yield func(int, string) bool) {
		for i, item := range items {
			if item == "*" {
				c.fail(CodeOriginSyntax, fmt.Sprintf("%s[%d]", field, i), item, "would allow every origin in every rule: write allow_origins: [\"*\"] in a rule of the profile instead", "")
			} else if !yield(i, item) {
				return
			}
		}
	})
	return l
}

// appendLevels appends the levels that are not nil.
func appendLevels(levels []*level, more ...*level) []*level {
	for _, l := range more {
		if l != nil {
			levels = append(levels, l)
		}
	}
	return levels
}

// chainOf returns the levels of a selector, from the widest to the narrowest. The options are
// those of element, a service or a method, and of its parent; "" if there are none. If
// operational is true, the defaults and the rule for * are left out. The next call overwrites
// the result.
func (c *compiler) chainOf(v view, selector, element string, operational bool) []*level {
	levels := c.chain[:0]
	if !operational {
		levels = appendLevels(levels, v.base.defaults, v.profile.defaults)
	}
	if element != "" {
		levels = appendLevels(levels, v.options[route.ParentName(element)], v.options[element])
	}
	if !operational {
		levels = appendLevels(levels, v.base.wildcard, v.profile.wildcard)
	}
	name, isPackage := strings.CutSuffix(selector, ".*")
	for end := 0; end < len(name); {
		if dot := strings.IndexByte(name[end+1:], '.'); dot >= 0 {
			end += 1 + dot
		} else {
			end = len(name)
		}
		levels = appendLevels(levels, v.base.packages[name[:end]], v.profile.packages[name[:end]])
	}
	if !isPackage {
		service := route.ParentName(name)
		levels = appendLevels(levels, v.base.names[service], v.profile.names[service], v.base.names[name], v.profile.names[name])
	}
	c.chain = levels
	return levels
}

// narrowest returns the narrowest selector other than * that covers a method and has a level;
// "" if there is none.
func (c *compiler) narrowest(v view, method string) string {
	covers := func(selector string) bool {
		return v.base.names[selector] != nil || v.profile.names[selector] != nil || v.options[selector] != nil && c.schema.services[selector]
	}
	service := route.ParentName(method)
	for _, name := range []string{method, service} {
		if covers(name) {
			return name
		}
	}
	for pkg := service; pkg != ""; pkg = route.ParentName(pkg) {
		if v.base.packages[pkg] != nil || v.profile.packages[pkg] != nil {
			return pkg + ".*"
		}
	}
	return ""
}

// elementOf returns the element whose options apply to a method: the method or its service; ""
// if neither has options.
func (b *base) elementOf(method string) string {
	for _, name := range []string{method, route.ParentName(method)} {
		if b.options[name] != nil {
			return name
		}
	}
	return ""
}

// pathChain returns the levels of a path rule, from the widest to the narrowest.
func (v view) pathChain(pattern string) []*level {
	return appendLevels(nil, v.base.defaults, v.profile.defaults, v.base.paths[pattern], v.profile.paths[pattern])
}
