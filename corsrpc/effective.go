package corsrpc

import (
	"slices"
	"strings"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// effective is the rule that holds for some procedures or for a path: layers put
// together, with the one behind each value, which is nil where the value is built
// in.
type effective struct {
	places *places
	kind   grantKind
	layers []*parsedRule // from the widest to the narrowest

	originsFrom, credentialsFrom, disabledFrom, exposeFrom *parsedRule
	maxAgeFrom, protocolsFrom, methodsFrom                 *parsedRule
	schemaDisables                                         *parsedRule // which a rule has to name to lift it

	protocols         rpc.Protocols
	request, response nameList
}

// merge puts layers together, field by field: a later one wins, but for what a
// schema says where it may only narrow.
func (c *compiler) merge(layers []*parsedRule, kind grantKind) *effective {
	e := &effective{places: c.places, kind: kind, layers: layers, protocols: rpc.Connect | rpc.GRPCWeb}
	for _, l := range layers {
		m := l.message
		if l.items+len(m.GetAllowOriginsFrom()) > 0 {
			e.originsFrom = l
		}
		if m.AllowCredentials != nil {
			e.credentialsFrom = l
		}
		c.mergeDisabled(e, l)
		c.mergeProtocols(e, l)
		if age := m.GetMaxAge(); age != nil && !(l.shapes && age.AsDuration() > e.maxAgeOrDefault()) {
			e.maxAgeFrom = l
		}
		if len(m.GetAllowMethods()) > 0 {
			e.methodsFrom = l
		}
		if m.GetExpose() != corsrpcv1.Exposure_EXPOSURE_UNSPECIFIED {
			e.exposeFrom = l
		}
		e.request = append(e.request, l.request)
		e.response = append(e.response, l.response)
	}
	slices.Reverse(e.request)
	slices.Reverse(e.response)
	if kind.path {
		e.protocols = 0
	}
	return e
}

// mergeDisabled keeps what the schema disables apart: a rule that enables again
// what the policy disables does not lift it by that.
func (c *compiler) mergeDisabled(e *effective, l *parsedRule) {
	lifts := e.schemaDisables == nil || l.lifts(e.schemaDisables)
	switch m := l.message; {
	case m.Disabled == nil:
		if e.disabledFrom.rule().GetDisabled() && lifts && c.saysSomething(l) {
			c.failOnce(CheckRuleIneffective, l.field, "has no effect, since a wider rule is disabled", "disabled: false", e.disabledFrom.field+".disabled")
		}
	case m.GetDisabled():
		e.disabledFrom = l
		if l.element != "" {
			e.schemaDisables = l
		}
	case lifts:
		e.disabledFrom, e.schemaDisables = l, nil
	default:
		e.disabledFrom = e.schemaDisables
	}
}

// saysSomething reports whether a layer means to grant or to change something.
// Defaults without a field are no layer, and a schema does not know the policy.
func (c *compiler) saysSomething(l *parsedRule) bool {
	return !slices.Contains(c.defaults, l) && l.element == ""
}

// lifts reports whether the layer may enable again what another one disabled.
// What a schema disables, only a rule of the policy does that names the same
// element or something inside it.
func (l *parsedRule) lifts(disabled *parsedRule) bool {
	return disabled.element == "" || l.element != "" ||
		l.selector == disabled.element || strings.HasPrefix(l.selector, disabled.element+".")
}

func (c *compiler) mergeProtocols(e *effective, l *parsedRule) {
	switch {
	case len(l.message.GetProtocols()) == 0:
	case !l.shapes:
		e.protocols, e.protocolsFrom = l.protocols, l
	case e.protocols&l.protocols == 0:
		c.failOnce(CheckSchemaOption, l.field+".protocols", "leaves no protocol of those that the policy serves", "")
	case e.protocols&l.protocols != e.protocols:
		e.protocols, e.protocolsFrom = e.protocols&l.protocols, l
	}
}

// rule is the layer's message; nil, which says nothing, for none.
func (l *parsedRule) rule() *corsrpcv1.Rule {
	if l == nil {
		return nil
	}
	return l.message
}

func (e *effective) maxAgeOrDefault() time.Duration {
	if e.maxAgeFrom == nil {
		return defaultMaxAge
	}
	return e.maxAgeFrom.message.GetMaxAge().AsDuration()
}

func (e *effective) exposure() corsrpcv1.Exposure {
	switch {
	case e.exposeFrom != nil:
		return e.exposeFrom.message.GetExpose()
	case e.kind.path:
		return corsrpcv1.Exposure_EXPOSURE_DECLARED
	}
	return corsrpcv1.Exposure_EXPOSURE_PRESENT
}

// methodsServed are the HTTP methods: a path's by its rule, a procedure's by its
// schema.
func (e *effective) methodsServed() []string {
	switch {
	case e.kind.path && e.methodsFrom != nil:
		return e.methodsFrom.methods
	case e.kind.path:
		return defaultMethods
	case e.kind.get && e.protocols&rpc.Connect != 0:
		return []string{"GET", "POST"}
	}
	return []string{"POST"}
}

// narrowest returns the field of the narrowest layer; empty for none.
func (e *effective) narrowest() string {
	if len(e.layers) == 0 {
		return ""
	}
	return e.layers[len(e.layers)-1].field
}

// field is a layer's field; the narrowest layer where the value is built in.
func (e *effective) field(l *parsedRule, name string) string {
	if l == nil {
		return e.narrowest()
	}
	return l.field + "." + name
}
