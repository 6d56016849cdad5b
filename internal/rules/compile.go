package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
	"github.com/corsrpc/corsrpc-go/internal/route"
)

// Config is what a policy is compiled with.
type Config struct {
	// Document is the text that the policy came from; nil for none.
	Document *Document
	// Files are the services whose procedures the policy governs.
	Files *protoregistry.Files
	// Prefixes are the path prefixes below which procedures are served: route.IsPrefix.
	Prefixes []string
	// Profile is the profile that is chosen; empty for none.
	Profile string
	// LookupEnv looks up the environment variables that a policy names.
	LookupEnv func(name string) (string, bool)
	// LongList is the number of origins beyond which a list stands apart from its rule's
	// message.
	LongList int
}

// maxNearest is the number of violations beyond which no nearest selector is looked for: the
// search is long, and nobody reads on.
const maxNearest = 100

// Compile checks a policy against the schema, and returns what it says. It keeps the policy,
// which the caller must not use any more. Cut holds the lists of origins that were cut out of
// the policy, by the field of their rule, and found the problems that reading the text has
// found, so that all are reported together, in file order. The result is nil where there is
// a violation.
//
// Every profile is checked, so that none is found wrong on the day it is chosen. A profile
// lies over the shadow policy too: it stays where it is on the day the candidate takes the
// policy's place.
func Compile(policy *corsrpcv1.Policy, cut map[string]*origin.Texts, config Config, found []Violation) (*Rules, []Violation) {
	c := &compiler{
		config: config, schema: readSchema(config.Files), lists: takeLists(policy, cut, config.LongList),
		reported: map[string]bool{},
	}
	c.places = &places{config.Document.withoutPolicy(), c.schema.places}
	names := slices.Sorted(maps.Keys(policy.GetProfiles()))
	chosen := c.checkProfileNames(policy, names)
	if config.Document == nil { // reading a document has found them
		c.checkUnknownFields("", policy.ProtoReflect())
	}
	bases := []*base{c.readBase(policy, "")}
	if shadow := policy.GetShadow(); shadow != nil {
		c.checkShadow(shadow)
		bases = append(bases, c.readBase(shadow, "shadow."))
	}
	profiles := map[string]*profile{"": {}}
	if chosen != "" {
		profiles[chosen] = c.readProfile(chosen, policy.GetProfiles()[chosen], false)
	}
	var rules []*Rules
	for _, b := range bases {
		rules = append(rules, c.rules(b, profiles[chosen], chosen))
	}
	sound := len(found)+len(c.violations) == 0
	for _, name := range names {
		if name != "" && name != chosen { // checkProfileNames refuses the one without a name
			profiles[name] = c.readProfile(name, policy.GetProfiles()[name], true)
		}
	}
	for _, b := range bases {
		c.checkProfiles(b, profiles, chosen)
	}
	for i, b := range bases {
		if sound && !rules[i].grantsSomething() {
			c.fail(CodeNoOrigins, strings.TrimSuffix(b.prefix, "."), "", "grants no origin anything: nobody could call, so this cannot be meant", "allow_origins: [https://app.example.com] in defaults or in a rule")
		}
	}
	if all := slices.Concat(found, c.violations); len(all) > 0 {
		all = withoutRepetitions(withoutEchoes(all, found))
		sortViolations(all)
		return nil, all
	}
	if len(rules) > 1 {
		rules[0].Shadow = rules[1]
	}
	return rules[0], nil
}

// compiler holds what one compilation has found so far.
type compiler struct {
	config     Config
	schema     *schema
	places     *places
	lists      originLists // of the policy's rules
	levels     int         // how many were read
	violations []Violation
	reported   map[string]bool        // violations across levels, each once
	selectors  []string               // every selector that the schema has, sorted; nil before they are needed
	procedures *route.Table[struct{}] // see procedurePaths; nil before it is needed
	chain      []*level               // the last one, whose memory the next one takes

	envMayBeUnset bool // what is read belongs to a profile that is not chosen: it is checked, no more
}

// fail records a violation of the value at a field.
func (c *compiler) fail(code Code, field, value, reason, fix string, related ...string) {
	v := Violation{Code: code, Place: c.places.of(field), Value: value, Reason: reason, Fix: fix}
	for _, r := range related {
		v.Related = append(v.Related, c.places.of(r))
	}
	c.violations = append(c.violations, v)
}

// failOnce is fail for what several procedures have in common.
func (c *compiler) failOnce(code Code, field, reason, fix string, related ...string) {
	key := string(code) + " " + field + " " + strings.Join(related, " ")
	if !c.reported[key] {
		c.reported[key] = true
		c.fail(code, field, "", reason, fix, related...)
	}
}

// checkProfileNames refuses a profile that has no name, and a choice that the policy does
// not have. It returns the choice, or none.
func (c *compiler) checkProfileNames(policy *corsrpcv1.Policy, names []string) (chosen string) {
	profiles := policy.GetProfiles()
	if profiles[""] != nil {
		c.fail(CodeProfileUnknown, `profiles[""]`, "", "has no name, by which it could be chosen", "dev")
	}
	chosen = c.config.Profile
	if chosen == "" || profiles[chosen] != nil {
		return chosen
	}
	reason := "is no profile of the policy, which has none"
	if len(names) > 0 {
		reason = "is no profile of the policy, which has " + strings.Join(names, ", ")
	}
	fix, _ := policyfile.Nearest(chosen, names)
	c.fail(CodeProfileUnknown, "profiles", chosen, reason+" (WithProfile or CORSRPC_PROFILE chose it)", fix)
	return ""
}

// checkShadow refuses what only a policy has that is in force.
func (c *compiler) checkShadow(shadow *corsrpcv1.Policy) {
	if len(shadow.GetProfiles()) > 0 {
		c.fail(CodeFieldMisplaced, "shadow.profiles", "", "are the policy's own, and lie over the shadow policy too", "")
	}
	if shadow.GetShadow() != nil {
		c.fail(CodeFieldMisplaced, "shadow.shadow", "", "would be the shadow of a shadow: one candidate at a time", "")
	}
}

// checkUnknownFields refuses what a newer version has written into a message:
// it may narrow what the rest grants.
func (c *compiler) checkUnknownFields(field string, m protoreflect.Message) {
	if len(m.GetUnknown()) > 0 {
		c.fail(CodeUnknownField, field, "", "holds fields that this version does not know, and they may narrow what the rest grants", "")
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
		c.fail(CodeUnknownEnumValue, field, fmt.Sprint(value.Number()), "is no value of "+string(value.Descriptor().Name()), "")
	}
}

// checkSelector refuses a selector that selects nothing, and reports whether the form of it
// is that of a selector.
func (c *compiler) checkSelector(l *level) (wellFormed bool) {
	at := l.field + ".selector"
	if c.schema.knows(l.selector) {
		return true // however long it is
	}
	if reason, fix := route.CheckSelector(l.selector); reason != "" {
		c.fail(CodeSelectorSyntax, at, l.selector, reason, fix)
		return false
	}
	if l.selector == "*" || l.risks[corsrpcv1.Risk_RISK_UNKNOWN_SELECTORS] {
		return true
	}
	if service, ok := strings.CutSuffix(l.selector, ".*"); ok && c.schema.services[service] {
		c.fail(CodeSelectorUnknown, at, l.selector, "names a package, and this is a service", fmt.Sprintf("%q", service))
		return true
	}
	if c.schema.packages[l.selector] {
		c.fail(CodeSelectorUnknown, at, l.selector, "is a package", fmt.Sprintf("%q", l.selector+".*"))
		return true
	}
	fix := ""
	if len(c.violations) < maxNearest {
		if c.selectors == nil {
			c.selectors = c.schema.selectors()
		}
		if nearest, ok := policyfile.Nearest(l.selector, c.selectors); ok {
			fix = fmt.Sprintf("%q", nearest)
		}
	}
	c.fail(CodeSelectorUnknown, at, l.selector,
		"selects nothing that this server knows (accept_risks: [UNKNOWN_SELECTORS] in this rule accepts it)", fix)
	return true
}
