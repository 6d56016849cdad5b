package corsrpc

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

// readOptions parses what the schema says of its services and methods.
func (c *compiler) readOptions() {
	c.options = map[string]*parsedRule{}
	trust := c.policy.GetSchemaOptions()
	if trust == corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_IGNORE {
		return
	}
	for _, element := range slices.Sorted(maps.Keys(c.schema.options)) {
		field := schemaField + element + ")"
		message := &corsrpcv1.Rule{}
		if err := proto.Unmarshal(c.schema.options[element], message); err != nil {
			c.fail(CheckSchemaOption, field, "", "is no corsrpc.v1.Rule: "+err.Error(), "")
			continue
		}
		c.checkUnknownFields(field, message.ProtoReflect())
		if message.GetSelector() != "" || message.GetPath() != "" {
			c.fail(CheckSelectorMisplaced, field, message.GetSelector()+message.GetPath(), "is for the element that it stands at: a selector or path belongs in rules", "")
		}
		p := c.parseRule(field, message, forSelector)
		p.selector, p.element = element, element
		if p.shapes = trust != corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_FULL; p.shapes {
			c.checkShape(p)
		}
		c.options[element] = p
	}
}

// checkShape refuses what a schema may not say where it only shapes: whatever
// lets somebody do more than the operator's policy does.
func (c *compiler) checkShape(p *parsedRule) {
	remedy := " (" + c.prefix + "schema_options: FULL trusts the schema with it, IGNORE ignores its options)"
	refuse := func(name, reason, fix string) { c.fail(CheckSchemaOption, p.field+"."+name, "", reason+remedy, fix) }
	m := p.message
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
