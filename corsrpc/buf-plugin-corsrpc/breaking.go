package main

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"buf.build/go/bufplugin/check"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/analysis"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
	"github.com/corsrpc/corsrpc-go/internal/route"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// breaking returns what the schema takes away from pages, compared with an earlier one.
func breaking(s *settings, request check.Request) ([]problem, error) {
	next, err := readSchema(request.FileDescriptors(), nil)
	if err != nil {
		return nil, err
	}
	old, err := readSchema(request.AgainstFileDescriptors(), nil)
	if err != nil {
		return nil, err
	}
	c := &comparer{settings: s, old: old, next: next, reported: map[string]bool{}}
	if _, err := c.compile(0, next); err != nil {
		return nil, c.notComparable(err, "it is not valid: correct what buf lint reports", "%s does not load with it: correct what buf lint reports")
	}
	if err := c.leaveOut(request); err != nil {
		return nil, err
	}
	return c.compare()
}

// comparer collects what a schema takes away.
type comparer struct {
	*settings
	old, next *schema
	reported  map[string]bool // the messages of found
	found     []problem
}

// compile compiles a schema under the policy; if none is given, under the stand-in policy with an index.
func (c *comparer) compile(standIn int, s *schema) (*rules.Rules, error) {
	var plan *corsrpc.Plan
	var err error
	if c.policy != "" {
		plan, err = c.settings.compile(s.files, true)
	} else {
		plan, err = compilePolicy(standIns(c.schemaOptions)[standIn], s.files)
	}
	if err != nil {
		return nil, err
	}
	return planaccess.Rules(plan), nil
}

// leaveOut leaves out, in both schemas, the options of those services and methods whose options are not valid in the
// old one. No server starts with such an option, so it has granted nothing that could be lost.
func (c *comparer) leaveOut(request check.Request) error {
	without := map[string]bool{}
	for {
		_, err := c.compile(0, c.old)
		if err == nil {
			_, err = c.compile(0, c.next)
		}
		if err == nil {
			return nil
		}
		before := len(without)
		for _, element := range elementsOf(err) {
			without[element] = true
		}
		if len(without) == before {
			return c.notComparable(err, "the earlier one is not valid",
				"%s does not load with the earlier one: for this comparison, leave policy out of the options of the plugin, which then reports what is lost under any policy")
		}
		if c.old, err = readSchema(request.AgainstFileDescriptors(), without); err != nil {
			return err
		}
		if c.next, err = readSchema(request.FileDescriptors(), without); err != nil {
			return err
		}
	}
}

// elementsOf returns the services and methods whose options have to do with the violations of a compilation: those that
// have them, and those that a rule of the policy contradicts.
func elementsOf(err error) (elements []string) {
	var broken *corsrpc.PolicyError
	if !errors.As(err, &broken) {
		return nil
	}
	for _, v := range broken.Violations {
		fields := []string{v.Field}
		for _, r := range v.Related {
			fields = append(fields, r.Field)
		}
		for _, f := range fields {
			if element, _, ok := splitField(f); ok {
				elements = append(elements, element)
			}
		}
	}
	return elements
}

// notComparable returns the error for schemas that are not compared, because one of them does not compile. The policy's
// name is an argument of the reason that is given if there is a policy.
func (c *comparer) notComparable(err error, reason, reasonOfPolicy string) error {
	var broken *corsrpc.PolicyError
	if !errors.As(err, &broken) {
		return err
	}
	if c.policy != "" {
		reason = fmt.Sprintf(reasonOfPolicy, c.policy)
	}
	text := "the schema cannot be compared with the earlier one, because " + reason + ":"
	for _, v := range broken.Violations {
		text += "\n\t" + v.String()
	}
	return errors.New(text)
}

// compare compares the two schemas under the policy, or under each stand-in policy.
func (c *comparer) compare() ([]problem, error) {
	policies := 1
	if c.policy == "" {
		policies = len(standIns(c.schemaOptions))
	}
	for i := range policies {
		old, err := c.compile(i, c.old)
		if err == nil {
			var next *rules.Rules
			if next, err = c.compile(i, c.next); err == nil {
				if err := c.compareRules(old, next); err != nil {
					return nil, err
				}
				continue
			}
		}
		var broken *corsrpc.PolicyError
		if !errors.As(err, &broken) { // a stand-in policy may not fit options that widen it
			return nil, err
		}
	}
	return c.found, nil
}

// compareRules reports what one policy grants for the old schema and not for the new one.
func (c *comparer) compareRules(old, next *rules.Rules) error {
	sentences := analysis.NewSentences(old, next)
	dropped := c.procedures(old, next, sentences)
	compared := analysis.Compare(old, next)
	if len(compared.Undecided) > 0 {
		return fmt.Errorf("the schema cannot be compared with the earlier one under %s: %s", c.policy, strings.Join(compared.Undecided, "; "))
	}
	for _, d := range compared.Differences {
		if d.Gained || !slices.Contains(lost, d.Aspect) {
			continue
		}
		byService := map[string][]string{}
		var services []string
		for _, target := range d.Targets {
			if c.old.find(target) == nil || c.next.find(target) == nil || !isMethod(c.next.find(target)) {
				continue // a target that was removed is for buf's own rules
			}
			if service := route.ParentName(target); byService[service] == nil {
				services = append(services, service)
			}
			service := route.ParentName(target)
			byService[service] = append(byService[service], target)
		}
		for _, service := range services {
			c.difference(d, byService[service], dropped, sentences)
		}
	}
	return nil
}

// difference reports a difference for methods of one service.
func (c *comparer) difference(d analysis.Difference, methods []string, dropped map[string]rpc.Protocols, sentences *analysis.Sentences) {
	d, methods = withoutDropped(d, methods, dropped)
	if len(methods) == 0 {
		return
	}
	d.Targets = methods
	if c.policy == "" {
		d = c.withoutStandIn(d)
	}
	message := sentences.Of(d)
	if c.policy == "" {
		message = sentences.Clause(d)
	}
	at := methods[0]
	if len(methods) > 1 {
		at = route.ParentName(at)
	}
	c.add(ruleOfLost(d.Aspect), message, c.placeOf(c.next, at, d.New.Field), c.placeOf(c.old, at, d.Old.Field))
}

// add reports a problem, once.
func (c *comparer) add(rule, message string, at, against place) {
	if !c.reported[message] {
		c.reported[message] = true
		c.found = append(c.found, problem{rule, message, at, against})
	}
}

// placeOf returns the place of the option that a difference comes from, or else of a service or method.
func (c *comparer) placeOf(s *schema, element, field string) place {
	if of, in, ok := splitField(field); ok && s.find(of) != nil {
		return placeOfField(s.find(of), in)
	}
	return placeOf(s.find(element))
}

func isMethod(d protoreflect.Descriptor) bool {
	_, ok := d.(protoreflect.MethodDescriptor)
	return ok
}

// withoutStandIn returns a difference in which the origin of the stand-in policies is not named.
func (c *comparer) withoutStandIn(d analysis.Difference) analysis.Difference {
	if !slices.Equal(d.Values, []string{standInOrigin}) {
		return d
	}
	switch {
	case d.Aspect != analysis.AspectOrigin:
		d.Values = nil
	case c.schemaOptions == corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_SHAPE: // such an option can only disable
		d.Values = []string{"*"}
	default:
		d.Values = []string{"origins that only the policy allows"}
	}
	return d
}

// procedures reports the methods that a protocol's clients may no longer call, and those that may no longer be called by
// GET. It returns the dropped protocols of each method.
func (c *comparer) procedures(old, next *rules.Rules, sentences *analysis.Sentences) map[string]rpc.Protocols {
	before := map[string]*rules.Effective{}
	for _, p := range old.Procedures {
		before[p.Name] = p.Rule
	}
	dropped := map[string]rpc.Protocols{}
	of := map[string][]rules.Procedure{} // the methods of a service that protocols with the names in the key can no longer call
	for _, p := range next.Procedures {
		b := before[p.Name]
		if b == nil || c.old.find(p.Name) == nil || c.next.find(p.Name) == nil || p.Rule.Disabled() || b.Disabled() || !b.SetsOrigins() {
			continue
		}
		dropped[p.Name] = b.Protocols() &^ p.Rule.Protocols()
		if names := namesOf(dropped[p.Name]); names != "" {
			key := names + "\x00" + p.Service
			of[key] = append(of[key], p)
		}
		if get := http.MethodGet; slices.Contains(b.Methods(), get) && !slices.Contains(p.Rule.Methods(), get) && dropped[p.Name]&rpc.Connect == 0 {
			lost := analysis.Difference{Aspect: analysis.AspectMethod, Values: []string{get}, Targets: []string{p.Name}}
			c.add(ruleOfLost(lost.Aspect), sentences.Clause(lost),
				placeOf(c.next.find(p.Name)), placeOfOption(c.old.find(p.Name), []int32{idempotencyLevel}))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(of)) {
		names, at := strings.Split(key, "\x00")[0], of[key][0]
		var methods []string
		for _, p := range of[key] {
			methods = append(methods, p.Name)
		}
		element := at.Name
		if len(methods) > 1 {
			element = at.Service
		}
		c.add(ruleLostProtocol, fmt.Sprintf("Clients of %s may no longer call %s", names, sentences.Targets(methods)),
			c.placeOf(c.next, element, at.Rule.ValueField("protocols")), c.placeOf(c.old, element, before[at.Name].ValueField("protocols")))
	}
	return dropped
}

// idempotencyLevel is the number of the option of a method that says whether it has side effects.
const idempotencyLevel = 34

// namesOf returns the names of protocols, as a list in English.
func namesOf(p rpc.Protocols) string {
	var names []string
	if p&rpc.Connect != 0 {
		names = append(names, "Connect")
	}
	if p&rpc.GRPCWeb != 0 {
		names = append(names, "gRPC-Web")
	}
	return strings.Join(names, " and ")
}

// withoutDropped returns a difference without what only the clients of a dropped protocol need, which is reported
// already, and the methods that it is still for.
func withoutDropped(d analysis.Difference, methods []string, dropped map[string]rpc.Protocols) (analysis.Difference, []string) {
	var values, left []string
	for _, method := range methods {
		mine := slices.DeleteFunc(slices.Clone(d.Values), func(value string) bool { return needs(dropped[method], d.Aspect, value) })
		if len(mine)+d.More > 0 || len(d.Values) == 0 {
			left = append(left, method)
			if len(mine) > len(values) {
				values = mine
			}
		}
	}
	d.Values = values
	return d, left
}

// needs reports whether a header is one that only clients of the protocols need.
func needs(p rpc.Protocols, aspect analysis.Aspect, value string) bool {
	name := strings.TrimSuffix(value, "*")
	switch aspect {
	case analysis.AspectRequestHeader:
		return slices.Contains(rpc.Names(p, rpc.Request), name) || rpc.InFamily(p, name)
	case analysis.AspectResponseHeader:
		return slices.Contains(rpc.Names(p, rpc.Response), name) || p&rpc.Connect != 0 && strings.HasPrefix(name, rpc.TrailerPrefix)
	}
	return false
}
