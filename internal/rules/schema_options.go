package rules

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// schemaField is the start of the field path of a value that is set by an option in a .proto file. The
// name of the element and a closing parenthesis follow.
const schemaField = "option("

// readOptions parses the options of the schema's services and methods, as far as the policy's
// schema_options allows them. The prefix is that of the policy's field paths.
func (c *compiler) readOptions(policy *corsrpcv1.Policy, prefix string) map[string]*level {
	options := map[string]*level{}
	trust := policy.GetSchemaOptions()
	if trust == corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_IGNORE {
		return options
	}
	for _, element := range slices.Sorted(maps.Keys(c.schema.options)) {
		field := schemaField + element + ")"
		message := &corsrpcv1.Rule{}
		if err := proto.Unmarshal(c.schema.options[element], message); err != nil {
			c.fail(CodeSchemaOption, field, "", "is not a valid corsrpc.v1.Rule: "+err.Error(), "")
			continue
		}
		c.checkUnknownFields(field, message.ProtoReflect())
		c.checkNoSelector(field+".selector", message.GetSelector())
		c.checkNoSelector(field+".path", message.GetPath())
		l := c.parseRule(field, message, forSelector)
		l.selector, l.element, l.option = element, element, message
		if l.narrowsOnly = trust != corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_FULL; l.narrowsOnly {
			c.checkShape(field, message, prefix)
		}
		options[element] = l
	}
	return options
}

// riskInText is a risk that a reason says can be accepted.
var riskInText = regexp.MustCompile(`accept_risks: \[([A-Z_]+)\]`)

// forOption returns the reason and the fix of a violation as an option in a .proto file has to write them: enums by
// their whole names, and durations as messages.
func forOption(reason, fix string) (reasonInText, fixInText string) {
	if age, err := time.ParseDuration(fix); err == nil {
		fix = fmt.Sprintf("max_age: {seconds: %d}", int64(age.Seconds()))
	}
	return riskInText.ReplaceAllString(reason, "accept_risks: [RISK_$1]"), fix
}

// checkNoSelector reports the selector or the path of an option.
func (c *compiler) checkNoSelector(field, value string) {
	if value != "" {
		c.fail(CodeSelectorMisplaced, field, value, "applies to the element that has the option: write a rule with a selector or a path in the policy instead", "")
	}
}

// checkShape reports the values of a schema option that schema_options: SHAPE does not permit. Such
// an option may add named headers, and may otherwise only narrow the policy.
func (c *compiler) checkShape(field string, m *corsrpcv1.Rule, prefix string) {
	remedy := " (" + prefix + "schema_options: FULL accepts this from the schema, IGNORE ignores the schema's options)"
	refuse := func(name, reason, fix string) { c.fail(CodeSchemaOption, field+"."+name, "", reason+remedy, fix) }
	if len(m.GetAllowOrigins()) > 0 {
		refuse("allow_origins", "allows origins, which only the policy may do", "")
	}
	if len(m.GetAllowOriginsFrom()) > 0 {
		refuse("allow_origins_from", "allows origins, which only the policy may do", "")
	}
	if slices.Contains(m.GetAllowHeaders(), "*") {
		refuse("allow_headers", "grants headers without naming them, which only the policy may do", "")
	}
	if m.GetAllowCredentials() {
		refuse("allow_credentials", "allows credentials, which only the policy may do", "")
	}
	if m.Disabled != nil && !m.GetDisabled() {
		refuse("disabled", "enables what is disabled, which only a rule of the policy may do", "")
	}
	if m.GetTracing() {
		refuse("tracing", "grants the headers of tracing, which only the policy may do", "tracing: false")
	}
	if m.GetTiming() {
		refuse("timing", "shows the timing of calls, which only the policy may do", "timing: false")
	}
	if m.GetExpose() == corsrpcv1.Exposure_EXPOSURE_PRESENT {
		refuse("expose", "exposes more than DECLARED, which only the policy may do", "expose: EXPOSURE_DECLARED")
	}
	if len(m.GetAcceptRisks()) > 0 {
		refuse("accept_risks", fmt.Sprintf("accepts %v, which only the policy may do", m.GetAcceptRisks()), "")
	}
}
