package schema

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// sameServices reports whether two reduced files are the same for a policy. Compilers write options in
// different orders, and files may be of different versions in what no policy depends on.
func sameServices(a, b *descriptorpb.FileDescriptorProto) bool {
	return proto.Equal(essentials(a), essentials(b))
}

// essentials returns the names of a file's services and methods, whether a method may be called by GET,
// and the options of corsrpc.
func essentials(f *descriptorpb.FileDescriptorProto) proto.Message {
	c := &descriptorpb.FileDescriptorProto{Package: new(f.GetPackage())}
	for _, s := range f.GetService() {
		service := &descriptorpb.ServiceDescriptorProto{Name: s.Name}
		if rule := corsOption(s.GetOptions(), corsrpcv1.E_Service.TypeDescriptor().Number()); rule != nil {
			service.Options = &descriptorpb.ServiceOptions{}
			proto.SetExtension(service.Options, corsrpcv1.E_Service, rule)
		}
		for _, m := range s.GetMethod() {
			method := &descriptorpb.MethodDescriptorProto{Name: m.Name, Options: &descriptorpb.MethodOptions{IdempotencyLevel: m.GetOptions().GetIdempotencyLevel().Enum()}}
			if rule := corsOption(m.GetOptions(), corsrpcv1.E_Method.TypeDescriptor().Number()); rule != nil {
				proto.SetExtension(method.Options, corsrpcv1.E_Method, rule)
			}
			service.Method = append(service.Method, method)
		}
		c.Service = append(c.Service, service)
	}
	return c
}

// corsOption returns the option with a number; nil if there is none. An option that does not parse is a
// rule whose selector, which options cannot have, is its bytes.
func corsOption(options proto.Message, number protoreflect.FieldNumber) *corsrpcv1.Rule {
	if options == nil || !options.ProtoReflect().IsValid() {
		return nil
	}
	var value []byte
	found := false
	for b := options.ProtoReflect().GetUnknown(); len(b) > 0; {
		n, kind, tag := protowire.ConsumeTag(b)
		size := protowire.ConsumeFieldValue(n, kind, b[max(tag, 0):])
		if tag < 0 || size < 0 {
			return &corsrpcv1.Rule{Selector: string(b)}
		}
		if n == number {
			found = true
			message, _ := protowire.ConsumeBytes(b[tag:])
			value = append(value, message...) // concatenated messages are merged
		}
		b = b[tag+size:]
	}
	if !found {
		return nil
	}
	rule := &corsrpcv1.Rule{}
	if proto.Unmarshal(value, rule) != nil {
		rule = &corsrpcv1.Rule{Selector: string(value)}
	}
	return rule
}
