package corsrpc

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// Provenance says where a value of a plan comes from.
type Provenance struct {
	// Field is the path of the policy's field, such as rules[1].allow_origins[0],
	// or of an option in a .proto file, such as
	// option(acme.v1.CatalogService).allow_headers[0]. That GET is among a procedure's
	// methods comes from its "option idempotency_level". It is empty for what is built in.
	Field string
	// File is the name of the policy's text, or of the .proto file; empty where it
	// is not known.
	File string
	// Position is the place in that file, where it is known. Of a .proto file it is,
	// where the descriptors hold their source's places, as a buf image does.
	Position Position
	// Variable is the environment variable that holds the value; empty for none.
	Variable string
}

// String returns it in one line, such as
// "rules[1].allow_origins[0] at cors.yaml:12:7", or "built in".
func (p Provenance) String() string {
	if p.Field == "" {
		return "built in"
	}
	s := p.Field
	if p.File != "" {
		s += " at " + place(p.File, p.Position)
	}
	if p.Variable != "" {
		s += ", from the environment variable " + p.Variable
	}
	return s
}

// places finds where the fields of a policy and the options of a schema are
// written. It is immutable.
type places struct {
	document *Document             // nil for none
	options  map[string]Provenance // by the element that an option stands at
}

// of returns where a field is written, or the nearest field around it.
func (p *places) of(field string) Provenance {
	if element, ok := strings.CutPrefix(field, schemaField); ok {
		element, _, _ = strings.Cut(element, ")")
		at := p.options[element]
		at.Field = field
		return at
	}
	at := Provenance{Field: field}
	if p.document != nil {
		at.File, at.Position = p.document.name, p.document.position(field)
	}
	return at
}

// optionPlace finds where an option of a service or method is written.
func optionPlace(d protoreflect.Descriptor, number protoreflect.FieldNumber) Provenance {
	const optionsField = 3 // of ServiceDescriptorProto, and of MethodDescriptorProto 4
	at := Provenance{File: d.ParentFile().Path()}
	locations := d.ParentFile().SourceLocations()
	element := locations.ByDescriptor(d)
	if element.Path == nil {
		return at
	}
	field := int32(optionsField)
	if _, ok := d.(protoreflect.MethodDescriptor); ok {
		field++
	}
	l := locations.ByPath(append(slices.Clone(element.Path), field, int32(number)))
	if l.Path == nil {
		l = element
	}
	at.Position = Position{l.StartLine + 1, l.StartColumn + 1}
	return at
}

// EffectiveRule is what holds for one procedure or one path: the layers of the
// policy and of the schema put together.
type EffectiveRule struct {
	// Name is the procedure's full name, such as acme.v1.CatalogService.Get, the path
	// rule's pattern, or a selector.
	Name string
	// Values are what the rule says, in the order of the fields of corsrpc.v1.Rule.
	// Of header lists they have what counts in the end.
	Values []EffectiveValue
}

// EffectiveValue is one value of an effective rule: an item of a list, or a
// field.
type EffectiveValue struct {
	// Field is the name of the field in corsrpc.v1.Rule.
	Field string
	// Value is the value as a policy would write it.
	Value string
	// From is where it comes from.
	From Provenance
}

// Procedures returns the effective rule of each procedure that the schema has,
// sorted by name, with where each of its values comes from. See Unknown for all others.
func (p *Plan) Procedures() []EffectiveRule {
	return effectiveRules(p.procedures)
}

// Unknown returns what procedures get that the schema does not have, as behind a proxy
// or in a newer server: the effective rule of each selector, sorted, of which the
// narrowest that covers the procedure's name counts. The last one, "*", is for names
// that no other covers. Operational services, such as grpc.reflection, are not among
// those: nobody may call them unless a selector names them.
func (p *Plan) Unknown() []EffectiveRule {
	bySelector := maps.Clone(p.selectors)
	for name := range p.procedures {
		delete(bySelector, name)
	}
	return append(effectiveRules(bySelector), effectiveRules(map[string]*grant{"*": p.uncovered})...)
}

// Paths returns the effective rule of each path that the policy names, sorted by
// its pattern, with where each of its values comes from.
func (p *Plan) Paths() []EffectiveRule {
	return effectiveRules(p.paths)
}

func effectiveRules(byName map[string]*grant) []EffectiveRule {
	rules := make([]EffectiveRule, 0, len(byName))
	values := map[*grant][]EffectiveValue{} // which many procedures share
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		g := byName[name]
		if values[g] == nil {
			values[g], _ = g.values(math.MaxInt)
		}
		rules = append(rules, EffectiveRule{name, slices.Clone(values[g])})
	}
	return rules
}

// from returns where a field of a layer is written.
func (e *effective) from(l *parsedRule, name string) Provenance {
	if l == nil {
		return Provenance{}
	}
	return e.places.of(l.field + "." + name)
}

// originProvenance returns where the pattern of this index is written.
func (g *grant) originProvenance(i int) Provenance {
	field, variable := g.originRule.originPlace(i)
	at := g.places.of(field)
	at.Variable = variable
	return at
}

// values lists what the grant's rule says, with no more than so many origins, and how
// many origins it left out.
func (g *grant) values(mostOrigins int) (all []EffectiveValue, left int) {
	add := func(field, value string, from Provenance) {
		all = append(all, EffectiveValue{field, value, from})
	}
	if l := g.originRule; l != nil {
		left = l.origins.Len()
		for i, text := range l.origins.Texts().All {
			if i == mostOrigins {
				break
			}
			left--
			add("allow_origins", strings.Clone(text), g.originProvenance(i))
		}
		for _, name := range l.sources {
			add("allow_origins_from", name, g.from(l, item("allow_origins_from", l.message.GetAllowOriginsFrom(), name)))
		}
	}
	add("allow_credentials", fmt.Sprint(g.credentials), g.from(g.credentialsFrom, "allow_credentials"))
	for _, h := range g.mentions(g.request, requestHeaders) {
		add(h.Field, h.Value, h.From)
	}
	add("expose", strings.TrimPrefix(g.exposure().String(), "EXPOSURE_"), g.from(g.exposeFrom, "expose"))
	for _, h := range g.mentions(g.response, responseHeaders) {
		add(h.Field, h.Value, h.From)
	}
	add("max_age", fmt.Sprintf("%ds", int64(g.maxAgeOrDefault()/time.Second)), g.from(g.maxAgeFrom, "max_age"))
	for _, p := range []struct {
		protocol rpc.Protocols
		name     string
	}{{rpc.Connect, "CONNECT"}, {rpc.GRPCWeb, "GRPC_WEB"}} {
		if g.protocols&p.protocol != 0 {
			add("protocols", p.name, g.from(g.protocolsFrom, "protocols"))
		}
	}
	for _, method := range g.methods {
		from := g.from(g.methodsFrom, item("allow_methods", g.methodsFrom.rule().GetAllowMethods(), method))
		if g.kind.get && method == http.MethodGet {
			from = Provenance{Field: "option idempotency_level"} // of each procedure that shares the rule
		}
		add("allow_methods", method, from)
	}
	add("disabled", fmt.Sprint(g.disabled), g.from(g.disabledFrom, "disabled"))
	return all, left
}

// item is the field of an item of a list.
func item(field string, items []string, is string) string {
	return fmt.Sprintf("%s[%d]", field, slices.Index(items, is))
}

// mentions lists the items of header lists that no narrower layer overrules, the
// widest layer's first.
func (e *effective) mentions(list nameList, lists headerLists) (all []EffectiveValue) {
	for i, l := range e.layers {
		narrower := list[:len(list)-1-i]
		for _, m := range list[len(list)-1-i] {
			if narrower.overrules(m) {
				continue
			}
			field, value := l.headerField(m, lists)
			name, _, _ := strings.Cut(field, "[")
			all = append(all, EffectiveValue{name, value, e.from(l, field)})
		}
	}
	slices.SortStableFunc(all, func(a, b EffectiveValue) int {
		return cmp.Compare(fieldOrder[a.Field], fieldOrder[b.Field])
	})
	return slices.Compact(all) // tracing is one value, and three headers
}

// fieldOrder has the number of each field of a rule.
var fieldOrder = func() map[string]protoreflect.FieldNumber {
	numbers := map[string]protoreflect.FieldNumber{}
	fields := (&corsrpcv1.Rule{}).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		numbers[string(fields.Get(i).Name())] = fields.Get(i).Number()
	}
	return numbers
}()

// overrules reports whether one of the layers speaks of all that the mention, of a
// wider layer, is about.
func (l nameList) overrules(m mention) bool {
	for _, layer := range l {
		for _, n := range layer {
			switch {
			case n.kind == mentionAll && m.kind == mentionAll:
				return true
			case n.kind == mentionName && m.kind != mentionName, m.kind == mentionAll:
			case n.covers(m.name):
				return true
			}
		}
	}
	return false
}

// headerField finds the item of a layer's header lists that a mention was read
// from.
func (l *parsedRule) headerField(m mention, lists headerLists) (field, value string) {
	grant, withhold := lists.values(l.message)
	items, name := withhold, lists.withhold
	if m.yes {
		items, name = grant, lists.grant
	}
	for i, item := range items {
		if got, reason, _ := parseMention(fetch.Lower(item), m.yes); reason == "" && got == m {
			return fmt.Sprintf("%s[%d]", name, i), item
		}
	}
	return "tracing", fmt.Sprint(m.yes)
}
