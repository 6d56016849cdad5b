package corsrpc

import (
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// ruleChange is the advice on how to change one rule: of the procedure, of the path, or of another level.
type ruleChange struct {
	d        Decision
	exists   bool         // whether the policy has the rule
	level    rules.Edited // the rule, if it exists
	selector string       // of a rule that does not exist yet
	profile  string       // the profile that the new rule belongs to; empty if it belongs to the policy
	unknown  bool         // whether the schema may not have what the selector of that rule selects
	clauses  []string     // changes of values that the rule has
	fields   []string     // fields to write, with their values
	risks    []string     // risks that the rule has to accept
}

// use makes the advice one on another level.
func (c *ruleChange) use(l rules.Edited) { c.level, c.exists = l, true }

// field returns the path of a field of the rule; empty if the rule does not exist.
func (c *ruleChange) field(name string) string {
	if !c.exists {
		return ""
	}
	return c.level.Field() + "." + name
}

// allowOrigin advises to allow the origin of the request, with the risk that this needs.
func (c *ruleChange) allowOrigin(risk string) {
	// A rule of the policy would allow it together with credentials if another profile is chosen.
	if profile, ok := c.d.target.rule.CredentialsOffByProfile(); ok && origin.NeverWithCredentials(c.d.origin) {
		c.moveTo(profile)
	}
	c.add("allow_origins", c.d.origin)
	c.accept(risk)
}

// moveTo makes the advice one on the rule of a profile.
func (c *ruleChange) moveTo(profile string) {
	if c.exists {
		have, _ := c.level.Profile()
		c.unknown = c.level.Accepts("UNKNOWN_SELECTORS")
		c.exists = have == profile
	}
	c.profile = profile
}

// set advises to set a field.
func (c *ruleChange) set(field, value string) {
	if c.exists && c.level.Has(field) {
		c.clause("write " + field + ": " + value + " in place of " + c.d.fieldAt(c.field(field)))
		return
	}
	c.fields = append(c.fields, field+": "+value)
}

// add advises to add items to a list.
func (c *ruleChange) add(field string, items ...string) {
	if c.exists && c.level.Has(field) {
		c.clause("add " + yamlList(items) + " to " + c.d.fieldAt(c.field(field)))
		return
	}
	c.fields = append(c.fields, field+": ["+yamlList(items)+"]")
}

// clause adds a change of a value that the rule has.
func (c *ruleChange) clause(text string) { c.clauses = append(c.clauses, text) }

// accept advises to accept a risk, unless it is empty or the rule accepts it already.
func (c *ruleChange) accept(risk string) {
	if risk != "" && !(c.exists && c.level.Accepts(risk)) {
		c.risks = append(c.risks, risk)
	}
}

// name returns the rule without its place.
func (c *ruleChange) name() string {
	key := " with selector "
	if c.d.target.kind != targetProcedure {
		key = " with path "
	}
	text := ""
	switch {
	case !c.exists && c.d.target.kind == targetNone:
		text = "a rule" + key + yamlItem("/...")
	case !c.exists:
		text = "a rule" + key + yamlItem(c.selector)
	case c.level.IsOption():
		text = c.level.Field()
	case c.level.IsDefaults():
		text = "defaults"
	default:
		text = "the rule" + key + yamlItem(c.level.Name())
	}
	profile, inShadow := c.profile, c.d.target.rule.InShadow()
	if c.exists {
		profile, _ = c.level.Profile()
		inShadow = c.level.InShadow()
	}
	switch {
	case profile != "":
		return text + " of the profile " + yamlItem(profile)
	case inShadow:
		return text + " of the shadow policy"
	}
	return text
}

// String returns the advice in one line.
func (c *ruleChange) String() string {
	clauses := c.clauses
	if len(c.fields) > 0 {
		at := ""
		if c.exists {
			at = " (" + c.d.placeOf(c.level.Field()) + ")"
		}
		clauses = append(clauses, "write "+strings.Join(c.fields, " and ")+" in "+c.name()+at)
	}
	risks := c.risks
	if !c.exists && c.unknown && c.d.target.kind == targetProcedure {
		risks = append([]string{"UNKNOWN_SELECTORS"}, risks...)
	}
	text := strings.Join(clauses, "; ")
	switch {
	case len(risks) == 0:
		return text
	case c.exists && c.level.Has("accept_risks"):
		return text + ", with " + strings.Join(risks, ", ") + " added to its accept_risks"
	}
	return text + ", with accept_risks: [" + strings.Join(risks, ", ") + "]"
}
