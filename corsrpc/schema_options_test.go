package corsrpc_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// optionsOf returns a schema with one method, acme.v1.S.Get, that has an option.
func optionsOf(t *testing.T, options *descriptorpb.MethodOptions, source *descriptorpb.SourceCodeInfo) *protoregistry.Files {
	t.Helper()
	files, err := protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{{
		Name: proto.String("acme/v1/s.proto"), Syntax: proto.String("proto3"), Package: proto.String("acme.v1"), SourceCodeInfo: source,
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M")}},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("S"), Method: []*descriptorpb.MethodDescriptorProto{
			{Name: proto.String("Get"), InputType: proto.String(".acme.v1.M"), OutputType: proto.String(".acme.v1.M"), Options: options},
		}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// asParsedBy returns the options as another resolver parses them.
func asParsedBy(t *testing.T, known *descriptorpb.MethodOptions, types *protoregistry.Types) *descriptorpb.MethodOptions {
	t.Helper()
	b, err := proto.Marshal(known)
	if err != nil {
		t.Fatal(err)
	}
	options := &descriptorpb.MethodOptions{}
	if err := (proto.UnmarshalOptions{Resolver: types}).Unmarshal(b, options); err != nil {
		t.Fatal(err)
	}
	return options
}

// TestSchemaOptionsInEveryForm checks that an option applies whether the descriptors were parsed with the
// extension linked in, as dynamic messages, or without the extension.
func TestSchemaOptionsInEveryForm(t *testing.T) {
	t.Parallel()
	known := &descriptorpb.MethodOptions{}
	proto.SetExtension(known, corsrpcv1.E_Method, &corsrpcv1.Rule{Disabled: proto.Bool(true), AllowHeaders: []string{"x-needed"}})
	dynamic := new(protoregistry.Types)
	if err := dynamic.RegisterExtension(dynamicpb.NewExtensionType(corsrpcv1.E_Method.TypeDescriptor())); err != nil {
		t.Fatal(err)
	}
	half := func(r *corsrpcv1.Rule) []byte {
		b, err := proto.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return protowire.AppendBytes(protowire.AppendTag(nil, corsrpcv1.E_Method.TypeDescriptor().Number(), protowire.BytesType), b)
	}
	twice := &descriptorpb.MethodOptions{Deprecated: proto.Bool(true)}
	twice.ProtoReflect().SetUnknown(append(half(&corsrpcv1.Rule{Disabled: proto.Bool(true)}), half(&corsrpcv1.Rule{AllowHeaders: []string{"x-needed"}})...))
	for name, options := range map[string]*descriptorpb.MethodOptions{
		"known": known, "unknown": asParsedBy(t, known, new(protoregistry.Types)), "dynamic": asParsedBy(t, known, dynamic),
		"in two parts, which protobuf merges": twice,
	} {
		plan := compilePolicy(t, smallest, corsrpc.WithFiles(optionsOf(t, options, nil)))
		d := plan.Decide(corsrpc.Request{Method: "POST", Host: "api.example.com", Path: "/acme.v1.S/Get", Header: fromPage()})
		if d.Reason() != corsrpc.ReasonDisabled {
			t.Errorf("%s: %s", name, d.Reason())
		}
		if got := d.From().String(); got != "option(acme.v1.S.Get).disabled at acme/v1/s.proto" {
			t.Errorf("%s: %s", name, got)
		}
		if got := valuesOf(plan, "acme.v1.S.Get"); !slices.Contains(got, "allow_headers x-needed: option(acme.v1.S.Get).allow_headers[0] at acme/v1/s.proto") {
			t.Errorf("%s: %s", name, strings.Join(got, "\n"))
		}
	}
}

// TestSchemaOptionsThatCannotBeRead checks that an option with an unknown field, which may narrow, is an
// error, and so is an option that is not a rule.
func TestSchemaOptionsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		value []byte
		check corsrpc.Check
	}{
		"a field of a newer version": {protowire.AppendVarint(protowire.AppendTag(nil, 99, protowire.VarintType), 1), corsrpc.CheckUnknownField},
		"no message":                 {[]byte{0xff}, corsrpc.CheckSchemaOption},
		"a number":                   {[]byte{7}, corsrpc.CheckSchemaOption},
		"a selector":                 {protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "acme.*"), corsrpc.CheckSelectorMisplaced},
	} {
		options := &descriptorpb.MethodOptions{}
		if name == "a number" {
			options.ProtoReflect().SetUnknown(append(protowire.AppendTag(nil, corsrpcv1.E_Method.TypeDescriptor().Number(), protowire.VarintType), test.value...))
		} else {
			options.ProtoReflect().SetUnknown(protowire.AppendBytes(protowire.AppendTag(nil, corsrpcv1.E_Method.TypeDescriptor().Number(), protowire.BytesType), test.value))
		}
		doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(smallest))
		if err != nil {
			t.Fatal(err)
		}
		_, err = corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc), corsrpc.WithFiles(optionsOf(t, options, nil)))
		if found := violations(t, err); len(found) != 1 || found[0].Check != test.check || found[0].File != "acme/v1/s.proto" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSchemaOptionsAreCorrectedInTheirFormat checks that what a violation says to write is what a .proto file takes:
// enums by their whole names, and durations as messages.
func TestSchemaOptionsAreCorrectedInTheirFormat(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		rule *corsrpcv1.Rule
		want string
	}{
		{&corsrpcv1.Rule{MaxAge: durationpb.New(25 * time.Hour)}, "write max_age: {seconds: 86400}"},
		{&corsrpcv1.Rule{MaxAge: durationpb.New(-time.Hour)}, "write max_age: {seconds: 0}"},
		{&corsrpcv1.Rule{AllowOrigins: []string{"null"}}, "(accept_risks: [RISK_NULL_ORIGIN] in this rule accepts it)"},
	} {
		options := &descriptorpb.MethodOptions{}
		proto.SetExtension(options, corsrpcv1.E_Method, test.rule)
		policy := &corsrpcv1.Policy{
			Defaults: &corsrpcv1.Rule{AllowOrigins: []string{page}}, SchemaOptions: corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_FULL,
		}
		_, err := corsrpc.Compile(policy, corsrpc.WithFiles(optionsOf(t, options, nil)))
		if found := violations(t, err); len(found) != 1 || !strings.Contains(found[0].String(), test.want) {
			t.Errorf("%v, want %s", err, test.want)
		}
	}
}

// TestSchemaOptionsHavePlaces checks that options have a line and a column if the descriptors have source
// code info, as those of a buf image have.
func TestSchemaOptionsHavePlaces(t *testing.T) {
	t.Parallel()
	options := &descriptorpb.MethodOptions{}
	proto.SetExtension(options, corsrpcv1.E_Method, &corsrpcv1.Rule{AllowCredentials: proto.Bool(true)})
	method := []int32{6, 0, 2, 0}
	places := func(paths ...[]int32) *descriptorpb.SourceCodeInfo {
		info := &descriptorpb.SourceCodeInfo{}
		for i, path := range paths {
			info.Location = append(info.Location, &descriptorpb.SourceCodeInfo_Location{Path: path, Span: []int32{int32(10 * (i + 1)), 4, 20}})
		}
		return info
	}
	for want, source := range map[string]*descriptorpb.SourceCodeInfo{
		"acme/v1/s.proto:":      nil,
		"acme/v1/s.proto:11:5:": places(method),
		"acme/v1/s.proto:21:5:": places(method, append(slices.Clone(method), 4, int32(corsrpcv1.E_Method.TypeDescriptor().Number()))),
		// option (corsrpc.v1.method).allow_credentials = true, after an option with another number
		"acme/v1/s.proto:31:5:": places(method, append(slices.Clone(method), 4, 33), append(slices.Clone(method), 4, int32(corsrpcv1.E_Method.TypeDescriptor().Number()), 7)),
	} {
		doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(smallest))
		if err != nil {
			t.Fatal(err)
		}
		_, err = corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc), corsrpc.WithFiles(optionsOf(t, options, source)))
		if err == nil || !strings.Contains(err.Error(), want+" option(acme.v1.S.Get).allow_credentials") {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestSchemaOptionsAllowNoOrigins checks that an option allows neither origins nor those of a source, and that the
// violation names the field that the option has.
func TestSchemaOptionsAllowNoOrigins(t *testing.T) {
	t.Parallel()
	for field, rule := range map[string]*corsrpcv1.Rule{
		"allow_origins":      {AllowOrigins: []string{"https://app.example.com"}},
		"allow_origins_from": {AllowOriginsFrom: []string{"tenants"}},
	} {
		options := &descriptorpb.MethodOptions{}
		proto.SetExtension(options, corsrpcv1.E_Method, rule)
		_, err := corsrpc.Compile(&corsrpcv1.Policy{}, corsrpc.WithFiles(optionsOf(t, options, nil)))
		if v := violations(t, err); len(v) != 1 || v[0].Check != corsrpc.CheckSchemaOption || v[0].Field != "option(acme.v1.S.Get)."+field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
