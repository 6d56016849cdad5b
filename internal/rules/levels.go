package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/route"
)

// ruleLevels are the levels of a policy without its profiles, or those of one profile.
type ruleLevels struct {
	defaults *level
	every    *level            // the rule with the selector *; nil for none
	names    map[string]*level // by the selector that is a method or a service
	packages map[string]*level // by the selector that is a package, without its .*
	paths    map[string]*level // by pattern
	patterns []string          // in the order of the policy
}

// base is a policy, or its shadow, without its profiles.
type base struct {
	ruleLevels
	policy  *corsrpcv1.Policy
	prefix  string            // of its field paths: "shadow."; empty for the policy itself
	options map[string]*level // what the schema says, by service or method
	sorted  []string          // the selectors that have a level, sorted
	// optioned are the methods that have options, their own or their service's, sorted.
	optioned []schemaMethod

	usable    []route.Pattern // of the path rules, once checkPaths has looked at them
	unusable  map[string]bool // the others, by their text
	conflicts *route.Patterns // the usable ones; nil before
}

// profile is what a profile lays over a policy. The zero profile is none.
type profile struct {
	ruleLevels
	added *level // add_origins; nil for none
}

// view is a policy with one profile laid over it.
type view struct {
	*base
	*profile
}

// readBase parses the rules of a policy and the options that the schema has for it.
func (c *compiler) readBase(policy *corsrpcv1.Policy, prefix string) *base {
	c.checkEnum(prefix+"enforcement", policy.GetEnforcement())
	c.checkEnum(prefix+"schema_options", policy.GetSchemaOptions())
	b := &base{policy: policy, prefix: prefix, ruleLevels: c.readLevels(prefix, policy.GetDefaults(), policy.GetRules())}
	b.options = c.readOptions(policy, prefix)
	b.sorted = b.selectors()
	for element := range b.options {
		if c.schema.services[element] && b.names[element] == nil {
			b.sorted = append(b.sorted, element) // for methods that the schema does not have
		}
	}
	slices.Sort(b.sorted)
	for _, m := range c.schema.methods {
		if b.elementOf(m.name) != "" {
			b.optioned = append(b.optioned, m)
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

// readProfile parses what a profile says.
func (c *compiler) readProfile(name string, p *corsrpcv1.Profile, envMayBeUnset bool) *profile {
	c.envMayBeUnset = envMayBeUnset
	defer func() { c.envMayBeUnset = false }()
	field := fmt.Sprintf("profiles[%q].", name)
	return &profile{
		ruleLevels: c.readLevels(field, p.GetDefaults(), p.GetRules()),
		added:      c.readAdded(field+"add_origins", p.GetAddOrigins()),
	}
}

// readLevels reads the defaults and the rules of the policy, or those of a
// profile.
func (c *compiler) readLevels(prefix string, defaults *corsrpcv1.Rule, rules []*corsrpcv1.Rule) ruleLevels {
	if defaults == nil {
		defaults = &corsrpcv1.Rule{}
	}
	if defaults.GetSelector() != "" || defaults.GetPath() != "" {
		c.fail(CodeSelectorMisplaced, prefix+"defaults", "", "hold for everything: a selector or path belongs in rules", "")
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
			c.fail(CodeSelectorMissing, field, "", "has to have a selector or a path, and one of them only", "selector: acme.v1.CatalogService")
			c.parseRule(field, m, forSelector)
			continue
		}
		if name == "" {
			key, name = "path", m.GetPath()
		}
		if first, ok := seen[key+name]; ok {
			c.fail(CodeSelectorDuplicate, field+"."+key, name, "has a rule already: one rule says all of it", "", first)
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
			r.every = l
		} else {
			r.names[name] = l
		}
	}
	return r
}

// readAdded reads a profile's add_origins.
func (c *compiler) readAdded(field string, items []string) *level {
	if len(items) == 0 {
		return nil
	}
	l := &level{field: field, added: true}
	c.parseOriginItems(l, field, func(yield func(int, string) bool) {
		for i, item := range items {
			if item == "*" {
				c.fail(CodeOriginSyntax, fmt.Sprintf("%s[%d]", field, i), item, "would join every rule: a rule of the profile that everyone may call says so itself", "")
			} else if !yield(i, item) {
				return
			}
		}
	})
	return l
}

// appendLevels appends those that there are.
func appendLevels(levels []*level, more ...*level) []*level {
	for _, l := range more {
		if l != nil {
			levels = append(levels, l)
		}
	}
	return levels
}

// chainOf returns the levels of a selector, from the widest to the narrowest,
// for the service or the method whose options count; empty for none. The
// built-in level is the absence of all. The defaults and * do not reach what is
// operational. The next call overwrites the result.
func (c *compiler) chainOf(v view, selector, element string, operational bool) []*level {
	levels := c.chain[:0]
	if !operational {
		levels = appendLevels(levels, v.base.defaults, v.profile.defaults)
	}
	if element != "" {
		levels = appendLevels(levels, v.options[route.ParentName(element)], v.options[element])
	}
	if !operational {
		levels = appendLevels(levels, v.base.every, v.profile.every)
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

// narrowest returns the narrowest selector other than * that covers a method, as the
// rules have it; empty for none.
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

// elementOf returns the name that a method's options hang on: its own, its
// service's, or none.
func (b *base) elementOf(method string) string {
	for _, name := range []string{method, route.ParentName(method)} {
		if b.options[name] != nil {
			return name
		}
	}
	return ""
}

// pathChain returns the levels of a path rule.
func (v view) pathChain(pattern string) []*level {
	return appendLevels(nil, v.base.defaults, v.profile.defaults, v.base.paths[pattern], v.profile.paths[pattern])
}
