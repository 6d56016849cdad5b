package main

import (
	"strings"
	"unicode"

	"buf.build/go/bufplugin/descriptor"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// schema is a version of the schema: the files of the module that buf checks, and the files that they import.
type schema struct {
	files *protoregistry.Files
	// own holds the names of the module's files, and not those of files that it imports.
	own map[string]bool
}

// readSchema reads files of buf. It leaves out the corsrpc options of imported files, which another module checks, and
// those of the named services and methods.
func readSchema(descriptors []descriptor.FileDescriptor, without map[string]bool) (*schema, error) {
	s := &schema{own: map[string]bool{}}
	set := &descriptorpb.FileDescriptorSet{}
	for _, d := range descriptors {
		file := d.FileDescriptorProto()
		if !d.IsImport() {
			s.own[file.GetName()] = true
		}
		set.File = append(set.File, withoutOptions(file, func(element string) bool { return d.IsImport() || without[element] }))
	}
	var err error
	s.files, err = protodesc.NewFiles(set)
	return s, err
}

// withoutOptions returns a file without the corsrpc options of the chosen services and methods: the file itself if it
// has none, or a copy.
func withoutOptions(file *descriptorpb.FileDescriptorProto, chosen func(element string) bool) *descriptorpb.FileDescriptorProto {
	if len(file.GetService()) == 0 {
		return file
	}
	file = proto.CloneOf(file)
	for _, service := range file.GetService() {
		name := strings.TrimPrefix(file.GetPackage()+"."+service.GetName(), ".")
		if service.Options != nil && chosen(name) {
			proto.ClearExtension(service.Options, corsrpcv1.E_Service)
		}
		for _, method := range service.GetMethod() {
			if method.Options != nil && chosen(name+"."+method.GetName()) {
				proto.ClearExtension(method.Options, corsrpcv1.E_Method)
			}
		}
	}
	return file
}

// find returns the service or the method with a full name, if it is in a file of the module; nil otherwise.
func (s *schema) find(name string) protoreflect.Descriptor {
	d, err := s.files.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil || !s.own[d.ParentFile().Path()] {
		return nil
	}
	switch d.(type) {
	case protoreflect.ServiceDescriptor, protoreflect.MethodDescriptor:
		return d
	}
	return nil
}

// hasServices reports whether the module has services.
func (s *schema) hasServices() (has bool) {
	s.methods(func(protoreflect.ServiceDescriptor, []string) { has = true })
	return has
}

// isOwn reports whether a selector is for the module: for a package in which it has services, or for a service or a method
// in such a package. A package below it may be one of another module: a name with a capital letter is that of a service.
func (s *schema) isOwn(selector string) (own bool) {
	s.methods(func(service protoreflect.ServiceDescriptor, _ []string) {
		pkg := string(service.FullName().Parent())
		rest := selector
		if pkg != "" {
			rest = strings.TrimPrefix(selector, pkg+".")
		}
		name, _, _ := strings.Cut(rest, ".")
		isService := strings.EqualFold(name, string(service.Name())) || name != "" && unicode.IsUpper(rune(name[0]))
		own = own || selector == pkg || (pkg == "" || rest != selector) && (isService || name == "*")
	})
	return own
}

// methods calls yield for each service of the module, with the full names of its methods.
func (s *schema) methods(yield func(service protoreflect.ServiceDescriptor, methods []string)) {
	s.files.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			service := f.Services().Get(i)
			var names []string
			for j := range service.Methods().Len() {
				names = append(names, string(service.Methods().Get(j).FullName()))
			}
			if s.own[f.Path()] {
				yield(service, names)
			}
		}
		return true
	})
}
