package rules

import (
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// schemaField begins the field path of a value that an option in a .proto file
// says; the element's name and a parenthesis follow.
const schemaField = "option("

// readOptions parses what the schema says of its services and methods, as far as a policy
// lets it. The prefix is that of the policy's field paths.
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
			c.fail(CodeSchemaOption, field, "", "is no corsrpc.v1.Rule: "+err.Error(), "")
			continue
		}
		c.checkUnknownFields(field, message.ProtoReflect())
		if message.GetSelector() != "" || message.GetPath() != "" {
			c.fail(CodeSelectorMisplaced, field, message.GetSelector()+message.GetPath(), "is for the element that it stands at: a selector or path belongs in rules", "")
		}
		l := c.parseRule(field, message, forSelector)
		l.selector, l.element = element, element
		if l.shapes = trust != corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_FULL; l.shapes {
			c.checkShape(field, message, prefix)
		}
		options[element] = l
	}
	return options
}

// checkShape refuses what a schema may not say where it only shapes: whatever
// lets somebody do more than the operator's policy does.
func (c *compiler) checkShape(field string, m *corsrpcv1.Rule, prefix string) {
	remedy := " (" + prefix + "schema_options: FULL trusts the schema with it, IGNORE ignores its options)"
	refuse := func(name, reason, fix string) { c.fail(CodeSchemaOption, field+"."+name, "", reason+remedy, fix) }
	if len(m.GetAllowOrigins())+len(m.GetAllowOriginsFrom()) > 0 {
		refuse("allow_origins", "says who may call, which the policy file says", "")
	}
	if slices.Contains(m.GetAllowHeaders(), "*") {
		refuse("allow_headers", "grants headers without naming them", "")
	}
	if m.GetAllowCredentials() {
		refuse("allow_credentials", "grants credentials, which the policy file does", "")
	}
	if m.Disabled != nil && !m.GetDisabled() {
		refuse("disabled", "opens what is disabled, which a rule of the policy file does", "")
	}
	if m.GetExpose() == corsrpcv1.Exposure_EXPOSURE_PRESENT {
		refuse("expose", "shows more than DECLARED, which the policy file does", "expose: DECLARED")
	}
	if len(m.GetAcceptRisks()) > 0 {
		refuse("accept_risks", fmt.Sprintf("accepts %v, which the policy file does", m.GetAcceptRisks()), "")
	}
}
