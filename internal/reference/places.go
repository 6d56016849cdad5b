package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
	"github.com/corsrpc/corsrpc-go/internal/protocomment"
)

// A place is one in a policy, or in its schema, where a rule may stand.
type place struct {
	name string
	// load reports whether a policy with the rule there is valid. An error means that the trial failed.
	load func(rule *corsrpcv1.Rule) (bool, error)
}

const (
	ownOrigin = "https://app.example.com"
	ownName   = "acme.v1.Shop" // the service of the schema
)

// places are the columns of the table. The trials of the others have to have the same results: those of a profile as
// those of the policy, and those of a method as those of a service.
var places = []struct{ column, alike place }{
	{place{"`defaults`", inDefaults(false)}, place{"defaults of a profile", inDefaults(true)}},
	{place{"a rule with `selector`", inRule(false, &corsrpcv1.Rule{Selector: ownName})}, place{"a rule of a profile with selector", inRule(true, &corsrpcv1.Rule{Selector: ownName})}},
	{place{"a rule with `path`", inRule(false, &corsrpcv1.Rule{Path: "/a"})}, place{"a rule of a profile with path", inRule(true, &corsrpcv1.Rule{Path: "/a"})}},
	{place{"an option, `SHAPE`", inOption(corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_SHAPE, false)}, place{"an option of a method, SHAPE", inOption(corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_SHAPE, true)}},
	{place{"an option, `FULL`", inOption(corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_FULL, false)}, place{"an option of a method, FULL", inOption(corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_FULL, true)}},
}

// inDefaults returns a trial in the defaults of the policy or of a profile.
func inDefaults(inProfile bool) func(*corsrpcv1.Rule) (bool, error) {
	return func(rule *corsrpcv1.Rule) (bool, error) {
		defaults := &corsrpcv1.Rule{AllowOrigins: []string{ownOrigin}}
		policy := &corsrpcv1.Policy{Defaults: defaults}
		if inProfile {
			policy.Profiles = map[string]*corsrpcv1.Profile{"dev": {Defaults: rule}}
		} else {
			proto.Merge(defaults, rule)
		}
		return compiles(policy, nil, false)
	}
}

// inRule returns a trial in a rule of the policy or of a profile. The target has the rule's selector or path.
func inRule(inProfile bool, target *corsrpcv1.Rule) func(*corsrpcv1.Rule) (bool, error) {
	return func(rule *corsrpcv1.Rule) (bool, error) {
		whole := proto.CloneOf(target)
		if rule.Selector == "" || target.Selector == "" {
			proto.Merge(whole, rule)
		}
		policy := &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: []string{ownOrigin}}}
		if inProfile {
			policy.Profiles = map[string]*corsrpcv1.Profile{"dev": {Rules: []*corsrpcv1.Rule{whole}}}
		} else {
			policy.Rules = []*corsrpcv1.Rule{whole}
		}
		return compiles(policy, nil, false)
	}
}

// inOption returns a trial in the option of the service, or of its method.
func inOption(trust corsrpcv1.SchemaOptions, ofMethod bool) func(*corsrpcv1.Rule) (bool, error) {
	return func(rule *corsrpcv1.Rule) (bool, error) {
		policy := &corsrpcv1.Policy{SchemaOptions: trust, Defaults: &corsrpcv1.Rule{AllowOrigins: []string{ownOrigin}}}
		return compiles(policy, rule, ofMethod)
	}
}

// compiles reports whether a policy is valid for a schema whose service, or method, has an option.
func compiles(policy *corsrpcv1.Policy, option *corsrpcv1.Rule, ofMethod bool) (bool, error) {
	pkg, name := ownName[:strings.LastIndexByte(ownName, '.')], ownName[strings.LastIndexByte(ownName, '.')+1:]
	service, method := &descriptorpb.ServiceOptions{}, &descriptorpb.MethodOptions{}
	switch {
	case option == nil:
	case ofMethod:
		proto.SetExtension(method, corsrpcv1.E_Method, option)
	default:
		proto.SetExtension(service, corsrpcv1.E_Service, option)
	}
	message := "." + pkg + ".Message"
	fd, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("shop.proto"), Package: &pkg, Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("Message")}},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: &name, Options: service, Method: []*descriptorpb.MethodDescriptorProto{
			{Name: proto.String("Buy"), InputType: &message, OutputType: &message, Options: method},
		}}},
	}, nil)
	if err != nil {
		return false, err
	}
	files := &protoregistry.Files{}
	if err := files.RegisterFile(fd); err != nil {
		return false, err
	}
	_, err = corsrpc.Compile(policy, corsrpc.WithFiles(files))
	var invalid *corsrpc.PolicyError
	if err != nil && !errors.As(err, &invalid) {
		return false, err
	}
	return err == nil, nil
}

// A value is one value of a field, in a rule that sets nothing else.
type value struct {
	text string // as YAML has it; empty for an example
	rule *corsrpcv1.Rule
}

// valuesOf returns the values to try: each of a boolean and of an enum, and the examples of the others.
func valuesOf(fd protoreflect.FieldDescriptor) ([]value, error) {
	own := (&corsrpcv1.Rule{}).ProtoReflect().Descriptor().Fields().ByName(fd.Name())
	if own == nil {
		return nil, fmt.Errorf("the image has the field %s, which the generated code does not have", fd.FullName())
	}
	var texts, examples []string
	switch fd.Kind() {
	case protoreflect.BoolKind:
		texts = []string{"true", "false"}
	case protoreflect.EnumKind:
		for _, v := range policyfile.EnumValues(fd.Enum()) {
			texts = append(texts, v.Short)
		}
	default:
		examples = protocomment.Examples(protocomment.Of(fd))
	}
	var values []value
	add := func(text, yaml string) error {
		rule := &corsrpcv1.Rule{}
		if problems := policyfile.Parse("example.yaml", []byte(yaml), rule, 1<<20).Problems; len(problems) > 0 {
			return fmt.Errorf("%s: %v in %s", fd.FullName(), problems[0], yaml)
		}
		values = append(values, value{text, rule})
		return nil
	}
	for _, text := range texts {
		yaml := string(fd.Name()) + ": " + text
		if fd.IsList() {
			yaml = string(fd.Name()) + ": [" + text + "]"
		}
		if err := add(text, yaml); err != nil {
			return nil, err
		}
	}
	for _, yaml := range examples {
		if err := add("", yaml); err != nil {
			return nil, err
		}
	}
	if len(values) == 0 {
		return nil, fmt.Errorf("%s does not have an example, so nothing shows where it may stand", fd.FullName())
	}
	return values, nil
}

// placesOf returns the cells of a field's row: where it may stand, or with which of its values.
func placesOf(fd protoreflect.FieldDescriptor) (cells []string, err error) {
	values, err := valuesOf(fd)
	if err != nil {
		return nil, err
	}
	for _, p := range places {
		cell, err := p.column.cell(values)
		if err != nil {
			return nil, err
		}
		alike, err := p.alike.cell(values)
		if err != nil {
			return nil, err
		}
		if cell != alike {
			return nil, fmt.Errorf("%s: in %s %q, and in %s %q: the table has one column for both", fd.FullName(), p.column.name, cell, p.alike.name, alike)
		}
		cells = append(cells, cell)
	}
	return cells, nil
}

// cell tries the values of a field in a place.
func (p place) cell(values []value) (string, error) {
	var valid []string
	for _, v := range values {
		ok, err := p.load(v.rule)
		if err != nil {
			return "", fmt.Errorf("%s: %w", p.name, err)
		}
		if ok {
			valid = append(valid, v.text)
		}
	}
	switch {
	case len(valid) == len(values):
		return "yes", nil
	case len(valid) == 0:
		return "no", nil
	case slices.Contains(valid, ""):
		return "", fmt.Errorf("%s: only some of the examples are valid", p.name)
	}
	return "only `" + strings.Join(valid, "`, `") + "`", nil
}

// where writes the table of the places in which the fields of a rule may stand.
func (w *writer) where(md protoreflect.MessageDescriptor) error {
	w.text.WriteString("\n### Where a field of a rule may stand\n\n" +
		"`make generate` tries the values in each place: all of `true`, `false` and of an enum, and the examples of other fields. \"Only\" means that " +
		"another value is an error there. `defaults` and `rules` of a profile take " +
		"the same as those of the policy. The [options](#options-in-proto-files) of a service and of a method take the same as each other, by " +
		"[schema_options](#policyschema_options).\n\n| Field |")
	for _, p := range places {
		w.text.WriteString(" " + strings.ToUpper(p.column.name[:1]) + p.column.name[1:] + " |")
	}
	w.text.WriteString("\n|" + strings.Repeat(" --- |", 1+len(places)) + "\n")
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		cells, err := placesOf(fd)
		if err != nil {
			return err
		}
		fmt.Fprintf(&w.text, "| [%s](%s) | %s |\n", fd.Name(), anchor(heading(fd)), strings.Join(cells, " | "))
	}
	return nil
}
