package rules

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// Value is one value of an effective rule: a field, or an item of a list.
type Value struct {
	// Field is the name of the field in corsrpc.v1.Rule.
	Field string
	// Value is the value as written in a policy.
	Value string
	// From is the place where the value is written.
	From Place
}

// Values returns the values of the rule with at most maxOrigins origins, and the number of
// origins that it left out.
func (e *Effective) Values(maxOrigins int) (all []Value, left int) {
	add := func(field, value string, from Place) { all = append(all, Value{field, value, from}) }
	if l := e.origins; l != nil {
		left = l.origins.Len()
		for i, text := range l.origins.Patterns().All {
			if i == maxOrigins {
				break
			}
			left--
			add("allow_origins", strings.Clone(text), e.OriginPlace(i))
		}
		for _, variable := range e.Unset() {
			add("allow_origins", "${"+variable.Name+"}", e.Place(variable.Field))
		}
		for i, name := range l.sources {
			add("allow_origins_from", name, e.Place(e.SourceField(i)))
		}
	}
	add("allow_credentials", fmt.Sprint(e.Credentials()), e.Place(e.ValueField("allow_credentials")))
	all = append(all, e.headerValues(e.request, rpc.Request)...)
	add("expose", strings.TrimPrefix(e.exposure().String(), "EXPOSURE_"), e.Place(e.ValueField("expose")))
	all = append(all, e.headerValues(e.response, rpc.Response)...)
	add("max_age", fmt.Sprintf("%ds", int64(e.MaxAge()/time.Second)), e.Place(e.ValueField("max_age")))
	for _, p := range []struct {
		protocol rpc.Protocols
		name     string
	}{{rpc.Connect, "CONNECT"}, {rpc.GRPCWeb, "GRPC_WEB"}, {rpc.MCP, "MCP"}} {
		if e.protocols&p.protocol != 0 {
			add("protocols", p.name, e.Place(e.ValueField("protocols")))
		}
	}
	for i, method := range e.Methods() {
		var from Place
		switch {
		case e.kind.Get && method == http.MethodGet:
			from = Place{Field: "option idempotency_level"} // set for each procedure that shares the rule
		case e.methodsFrom != nil:
			from = e.Place(item(e.methodsFrom.field, "allow_methods", e.methodsFrom.methodItems[i]))
		}
		add("allow_methods", method, from)
	}
	add("disabled", fmt.Sprint(e.Disabled()), e.Place(e.ValueField("disabled")))
	add("timing", fmt.Sprint(e.Timing()), e.Place(e.ValueField("timing")))
	return all, left
}

// item returns the path of an item of a list.
func item(rule, field string, i int) string { return fmt.Sprintf("%s.%s[%d]", rule, field, i) }

// headerValues returns the items of the header lists that no narrower level overrules, those of
// wider levels first.
func (e *Effective) headerValues(rules HeaderRules, direction rpc.Direction) (all []Value) {
	narrower := len(rules)
	for _, l := range e.levels {
		lists := l.headers[direction]
		if lists.level == nil {
			continue
		}
		narrower--
		for _, i := range lists.items {
			if !rules[:narrower].overrules(i.headerRule) {
				all = append(all, Value{i.field, i.text, e.Place(l.field + "." + i.path())})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Value) int {
		return cmp.Compare(fieldNumbers[a.Field], fieldNumbers[b.Field])
	})
	return all
}

// HeaderPlace returns the place of the item that decides on the lower-case name: that of the narrowest
// level that has one. It is the zero Place if no level has one.
func (e *Effective) HeaderPlace(direction rpc.Direction, name string) Place {
	for _, l := range slices.Backward(e.levels) {
		lists := l.headers[direction]
		if lists.level == nil {
			continue
		}
		if _, mentioned := lists.level.lookup(name); !mentioned {
			continue
		}
		for _, i := range lists.items { // in the order of precedence
			if i.covers(name) {
				return e.Place(l.field + "." + i.path())
			}
		}
	}
	return Place{}
}

// covers reports whether the item is for the lower-case name.
func (r headerRule) covers(name string) bool {
	switch r.kind {
	case headerName:
		return r.name == name
	case headerTracing:
		return rpc.IsTracing(name)
	case headerPrefix:
		return strings.HasPrefix(name, r.name) && coversName(r.name, name, r.grants)
	}
	return coversName("", name, r.grants)
}

// fieldNumbers maps the name of each field of a rule to its number.
var fieldNumbers = func() map[string]protoreflect.FieldNumber {
	numbers := map[string]protoreflect.FieldNumber{}
	fields := (&corsrpcv1.Rule{}).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		numbers[string(fields.Get(i).Name())] = fields.Get(i).Number()
	}
	return numbers
}()
