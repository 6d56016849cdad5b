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

// Config holds the settings that a policy is compiled with.
type Config struct {
	// Document is the text that the policy was read from; nil if there is none.
	Document *Document
	// Files holds the schema: the services whose procedures the policy governs.
	Files *protoregistry.Files
	// Prefixes are the path prefixes below which procedures are served, each a valid prefix by
	// route.IsPrefix.
	Prefixes []string
	// Profile is the name of the chosen profile; empty if none is chosen.
	Profile string
	// LookupEnv returns the value of an environment variable, and whether it is set.
	LookupEnv func(name string) (string, bool)
	// LongList is the number of origins from which on a list is held outside of its rule's
	// message: longer lists are.
	LongList int
	// UnsetVariables makes an environment variable that is not set and has no fallback a set of
	// origins that is not known, instead of a violation. It is for tools: nothing matches the set.
	UnsetVariables bool
	// WithoutSchema takes selectors by name: a selector that selects nothing in the schema is not a
	// violation. It is for tools that do not have the schema.
	WithoutSchema bool
}

// maxNearest is the number of violations after which Compile suggests no nearest selector: the
// search is slow, and more suggestions do not help.
const maxNearest = 100

// Compile checks a policy against a schema, and returns its rules. It keeps the policy, which
// the caller must not use afterwards. The map cut holds the lists of origins that were cut out
// of the policy, by the field of their rule. The violations found while the text was read are
// reported together with those of Compile, in file order. The result is nil if there is a
// violation.
//
// Every profile is checked, not only the chosen one, so that a mistake is found before the
// profile is used. A profile applies to the shadow policy too, since it stays in the file when
// the shadow policy replaces the policy.
func Compile(policy *corsrpcv1.Policy, cut map[string]*origin.StringList, config Config, found []Violation) (*Rules, []Violation) {
	c := &compiler{
		config: config, schema: readSchema(config.Files), lists: extractLists(policy, cut, config.LongList),
		reported: map[string]bool{},
	}
	c.places = &places{config.Document.withoutPolicy(), c.schema.places}
	names := slices.Sorted(maps.Keys(policy.GetProfiles()))
	chosen := c.checkProfileNames(policy, names)
	if config.Document == nil { // Parse has checked a document's
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
	valid := len(found)+len(c.violations) == 0
	for _, name := range names {
		if name != "" && name != chosen { // checkProfileNames has reported the empty name
			profiles[name] = c.readProfile(name, policy.GetProfiles()[name], true)
		}
	}
	for _, b := range bases {
		c.checkProfiles(b, profiles, chosen)
	}
	for i, b := range bases {
		if valid && !rules[i].grantsSomething() && !c.defaultsDisabled(view{b, profiles[chosen]}) {
			c.fail(CodeNoOrigins, strings.TrimSuffix(b.prefix, "."), "", "allows no origin to call anything",
				"allow_origins: [https://app.example.com] in defaults or in a rule, or disabled: true in defaults if no page on another origin may call")
		}
	}
	if len(found)+len(c.violations) == 0 {
		c.checkProfileOrigins(bases, profiles)
	}
	if all := slices.Concat(found, c.violations); len(all) > 0 {
		all = withoutDuplicates(withoutFollowUps(all, found))
		sortViolations(all)
		return nil, all
	}
	if len(rules) > 1 {
		rules[0].Shadow = rules[1]
	}
	return rules[0], nil
}

// compiler holds the state of one call of Compile.
type compiler struct {
	config     Config
	schema     *schema
	places     *places
	lists      originLists // the long lists of the policy's rules
	levels     int         // the number of levels that were read
	violations []Violation
	reported   map[string]bool        // the violations that failOnce has reported
	selectors  []string               // every selector of the schema, sorted; nil until they are needed
	procedures *route.Table[struct{}] // see procedurePaths; nil until they are needed
	chain      []*level               // the last result of chainOf, whose memory is reused

	allowUnsetEnv bool // set while a profile that is not chosen is read: its variables may be unset
}

// fail records a violation of the value at a field.
func (c *compiler) fail(code Code, field, value, reason, fix string, related ...string) {
	if strings.HasPrefix(field, schemaField) {
		reason, fix = forOption(reason, fix)
	}
	v := Violation{Code: code, Place: c.places.of(field), Value: value, Reason: reason, Fix: fix}
	for _, r := range related {
		v.Related = append(v.Related, c.places.of(r))
	}
	c.violations = append(c.violations, v)
}

// failOnce is fail for a violation that several procedures may share. It is recorded once.
func (c *compiler) failOnce(code Code, field, reason, fix string, related ...string) {
	key := string(code) + " " + field + " " + strings.Join(related, " ")
	if !c.reported[key] {
		c.reported[key] = true
		c.fail(code, field, "", reason, fix, related...)
	}
}

// checkProfileNames reports a profile with an empty name, and a chosen profile that the policy
// does not have. It returns the chosen profile's name, or "" if there is none.
func (c *compiler) checkProfileNames(policy *corsrpcv1.Policy, names []string) (chosen string) {
	profiles := policy.GetProfiles()
	if profiles[""] != nil {
		c.fail(CodeProfileUnknown, `profiles[""]`, "", "has an empty name, so that it cannot be chosen", "a name such as dev")
	}
	chosen = c.config.Profile
	if chosen == "" || profiles[chosen] != nil {
		return chosen
	}
	reason := "is not a profile of the policy, which has no profiles"
	if len(names) > 0 {
		reason = "is not a profile of the policy, whose profiles are " + strings.Join(names, ", ")
	}
	fix, _ := policyfile.Nearest(chosen, names)
	c.fail(CodeProfileUnknown, "profiles", chosen, reason+" (it was chosen by WithProfile, CORSRPC_PROFILE or --profile)", fix)
	return ""
}

// checkShadow reports the fields that a shadow policy must not have.
func (c *compiler) checkShadow(shadow *corsrpcv1.Policy) {
	if len(shadow.GetProfiles()) > 0 {
		c.fail(CodeFieldMisplaced, "shadow.profiles", "", "is not allowed in a shadow policy, since the policy's profiles apply to it too: leave it out", "")
	}
	if shadow.GetShadow() != nil {
		c.fail(CodeFieldMisplaced, "shadow.shadow", "", "is not allowed, since a shadow policy cannot have a shadow policy of its own: leave it out", "")
	}
}

// checkUnknownFields reports unknown fields in a message, which a newer version has written.
// They are refused because they may narrow what the other fields grant.
func (c *compiler) checkUnknownFields(field string, m protoreflect.Message) {
	if len(m.GetUnknown()) > 0 {
		c.fail(CodeUnknownField, field, "", "contains fields that this version of corsrpc does not know, and that may narrow what the other fields grant", "")
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

// checkEnum reports a number that is not a value of its enum.
func (c *compiler) checkEnum(field string, value protoreflect.Enum) {
	if value.Descriptor().Values().ByNumber(value.Number()) == nil {
		c.fail(CodeUnknownEnumValue, field, fmt.Sprint(value.Number()), "is not a value of "+string(value.Descriptor().Name()), "")
	}
}

// checkSelector reports a selector that is malformed, or that selects nothing in the schema. It
// returns whether the selector is well-formed.
func (c *compiler) checkSelector(l *level) (wellFormed bool) {
	at := l.field + ".selector"
	if c.schema.has(l.selector) {
		return true // of any length
	}
	if reason, fix := route.CheckSelector(l.selector); reason != "" {
		if meant := c.selectorsMeant(l.selector); meant != "" {
			fix = meant
		}
		c.fail(CodeSelectorSyntax, at, l.selector, reason, fix)
		return false
	}
	if l.selector == "*" || l.risks[corsrpcv1.Risk_RISK_UNKNOWN_SELECTORS] || c.config.WithoutSchema {
		return true
	}
	if service, ok := strings.CutSuffix(l.selector, ".*"); ok && c.schema.services[service] {
		c.fail(CodeSelectorUnknown, at, l.selector, "selects a package, but "+service+" is a service", fmt.Sprintf("%q", service))
		return true
	}
	if c.schema.packages[l.selector] {
		c.fail(CodeSelectorUnknown, at, l.selector, "is a package, not a service or a method", fmt.Sprintf("%q", l.selector+".*"))
		return true
	}
	c.fail(CodeSelectorUnknown, at, l.selector,
		"selects nothing in the schema of this server (accept_risks: [UNKNOWN_SELECTORS] in this rule accepts it)", c.selectorsMeant(l.selector))
	return true
}

// isMisspelling reports whether each part of a selector may be a misspelling of the same part of another
// one. In a selector without its version or with one too many, only the last part is compared. Without
// this check, a long name in common would make the name of any other method a misspelling.
func isMisspelling(selector, known string) bool {
	written, parts := strings.Split(strings.ReplaceAll(selector, "-", "."), "."), strings.Split(known, ".")
	if last := len(written) - 1; len(written) != len(parts) {
		if parts[len(parts)-1] == "*" {
			return false // it would select another package
		}
		written, parts = written[last:], parts[len(parts)-1:]
	}
	for i, part := range parts {
		if _, ok := policyfile.Nearest(written[i], []string{part}); !ok {
			return false
		}
	}
	return true
}

// selectorsMeant returns the selectors of the schema that are probably meant by one that the schema
// does not have, as the fix of a violation: at most three; "" if there is none. The selector may be
// the end of a full name, such as CatalogService.Get, a path, or a name in another letter case or
// with a misspelling.
func (c *compiler) selectorsMeant(selector string) string {
	const maxMeant = 3
	if len(c.violations) >= maxNearest || len(selector) > route.MaxPath {
		return ""
	}
	if c.selectors == nil {
		c.selectors = c.schema.selectors()
	}
	name := strings.ToLower(strings.Trim(strings.ReplaceAll(strings.TrimSuffix(selector, ".*"), "/", "."), ". "))
	if name == "" {
		return ""
	}
	var same, ends []string // the selectors that are the name in another form, and those that end in it
	for _, known := range c.selectors {
		switch lower := strings.TrimSuffix(strings.ToLower(known), ".*"); {
		case lower == name:
			same = append(same, known)
		case strings.HasSuffix(lower, "."+name) && len(ends) < maxMeant:
			ends = append(ends, known)
		}
	}
	if len(same) > 0 {
		ends = same
	}
	written := strings.Trim(selector, "./")
	if nearest, ok := policyfile.Nearest(written, c.selectors); ok && len(ends) == 0 && isMisspelling(written, nearest) {
		ends = []string{nearest}
	}
	for i, known := range ends {
		ends[i] = fmt.Sprintf("%q", known)
	}
	return strings.Join(ends, " or ")
}
