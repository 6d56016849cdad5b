package intent

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"pgregory.net/rapid"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// drawSchema draws files with services, and returns their methods as in Policy.Methods.
func drawSchema(t *rapid.T) (*descriptorpb.FileDescriptorSet, map[string]bool) {
	set, known := &descriptorpb.FileDescriptorSet{}, map[string]bool{}
	message := "M"
	for i, pkg := range append(some(t, packages, 4, "packages"), "acme.v1") {
		file := &descriptorpb.FileDescriptorProto{
			Name: proto.String(fmt.Sprintf("f%d.proto", i)), Syntax: proto.String("proto3"), Package: proto.String(pkg),
		}
		own := message + strconv.Itoa(i)
		file.MessageType = []*descriptorpb.DescriptorProto{{Name: &own}}
		typeName := "." + strings.TrimPrefix(pkg+"."+own, ".")
		for _, service := range some(t, services, 2, "services") {
			full := strings.TrimPrefix(pkg+"."+service, ".")
			if _, ok := known[full+".Get"]; ok {
				continue // the package was drawn already
			}
			d := &descriptorpb.ServiceDescriptorProto{Name: proto.String(service)}
			for _, method := range append(some(t, methods[1:], 2, "methods"), "Get") {
				m := &descriptorpb.MethodDescriptorProto{Name: proto.String(method), InputType: &typeName, OutputType: &typeName}
				safe := rapid.Bool().Draw(t, "noSideEffects")
				if safe {
					m.Options = &descriptorpb.MethodOptions{IdempotencyLevel: descriptorpb.MethodOptions_NO_SIDE_EFFECTS.Enum()}
				}
				d.Method = append(d.Method, m)
				known[full+"."+method] = safe
			}
			file.Service = append(file.Service, d)
		}
		set.File = append(set.File, file)
	}
	return set, known
}

// drawOptions draws options of services and methods. With schema_options: FULL they have any
// content, otherwise only content that SHAPE accepts.
func drawOptions(t *rapid.T, known map[string]bool, trust corsrpcv1.SchemaOptions) map[string]*corsrpcv1.Rule {
	var elements []string
	for _, m := range sorted(known) {
		elements = append(elements, m, m[:strings.LastIndexByte(m, '.')])
	}
	options := map[string]*corsrpcv1.Rule{}
	if len(elements) == 0 || !chance(t, 60, "has options") {
		return options
	}
	for _, element := range some(t, elements, 4, "elements with options") {
		r := drawRule(t, false)
		if trust != corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_FULL {
			r.AllowOrigins, r.AllowOriginsFrom, r.AcceptRisks = nil, nil, nil
			r.AllowHeaders = slices.DeleteFunc(r.AllowHeaders, func(item string) bool { return item == "*" })
			if r.GetAllowCredentials() {
				r.AllowCredentials = nil
			}
			if !r.GetDisabled() {
				r.Disabled = nil
			}
			if r.GetTracing() {
				r.Tracing = nil
			}
			if r.GetTiming() {
				r.Timing = nil
			}
			if r.Expose == corsrpcv1.Exposure_EXPOSURE_PRESENT {
				r.Expose = 0
			}
		}
		options[element] = r
	}
	return options
}

// registry returns the schema with its options.
func registry(t failer, set *descriptorpb.FileDescriptorSet, options map[string]*corsrpcv1.Rule) *protoregistry.Files {
	t.Helper()
	set = proto.CloneOf(set)
	for _, f := range set.GetFile() {
		for _, s := range f.GetService() {
			name := strings.TrimPrefix(f.GetPackage()+"."+s.GetName(), ".")
			if o := options[name]; o != nil {
				s.Options = &descriptorpb.ServiceOptions{}
				proto.SetExtension(s.Options, corsrpcv1.E_Service, o)
			}
			for _, m := range s.GetMethod() {
				if o := options[name+"."+m.GetName()]; o != nil {
					if m.Options == nil {
						m.Options = &descriptorpb.MethodOptions{}
					}
					proto.SetExtension(m.Options, corsrpcv1.E_Method, o)
				}
			}
		}
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		t.Fatal(err)
	}
	return files
}
