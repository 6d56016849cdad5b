package schema

import (
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/internal/rpc"
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// collection merges the files of several inputs. The zero collection is empty.
type collection struct {
	// inputs are the names of the inputs.
	inputs []string
	// files are the .proto files with services, in the order in which they came, and byName the same
	// by their names.
	files  []*file
	byName map[string]*file
	// services holds, for the full name of each service, the file that declares it.
	services map[string]*file
	// imports are the names of all .proto files, with or without services, of descriptor files.
	imports map[string]bool
	// missing are imports that an input does not contain.
	missing []missingImport
	// listed are the services that servers list.
	listed []listedService
}

// listedService is a service that the server at a URL lists.
type listedService struct{ name, by string }

// file is a .proto file with services.
type file struct {
	input string
	proto *descriptorpb.FileDescriptorProto // reduced
}

type missingImport struct{ input, importer, name string }

// addSet adds the files of a descriptor file.
func (c *collection) addSet(input string, set *descriptorpb.FileDescriptorSet) error {
	c.inputs = append(c.inputs, input)
	names := make(map[string]bool, len(set.GetFile()))
	for _, f := range set.GetFile() {
		names[f.GetName()] = true
	}
	for _, f := range set.GetFile() {
		for _, name := range f.GetDependency() {
			if !names[name] && !isWellKnown(name) {
				c.missing = append(c.missing, missingImport{input, f.GetName(), name})
			}
		}
		if err := c.add(input, f); err != nil {
			return err
		}
	}
	if c.imports == nil {
		c.imports = map[string]bool{}
	}
	maps.Copy(c.imports, names)
	return nil
}

// addReflected adds the files of a server.
func (c *collection) addReflected(input string, r *reflected) error {
	c.inputs = append(c.inputs, input)
	for _, service := range r.services {
		c.listed = append(c.listed, listedService{service, input})
	}
	for _, f := range r.files {
		if err := c.add(input, f); err != nil {
			return err
		}
	}
	return nil
}

// add adds a file if it declares services.
func (c *collection) add(input string, whole *descriptorpb.FileDescriptorProto) error {
	if len(whole.GetService()) == 0 {
		return nil
	}
	if c.byName == nil {
		c.byName, c.services = map[string]*file{}, map[string]*file{}
	}
	f := &file{input, reduce(whole)}
	name := f.proto.GetName()
	if before, ok := c.byName[name]; ok {
		if !sameServices(before.proto, f.proto) {
			if isOperational(before.proto) && isOperational(f.proto) {
				return nil
			}
			return differ(before.input, input, name)
		}
		if before.proto.SourceCodeInfo == nil {
			before.proto.SourceCodeInfo = f.proto.SourceCodeInfo
		}
		return nil
	}
	for _, s := range f.proto.GetService() {
		full := fullName(f.proto, s)
		if before, ok := c.services[full]; ok && before != f {
			if isOperational(before.proto) && isOperational(f.proto) {
				return nil
			}
			return fmt.Errorf("the service %s is declared twice: by %s in %s and by %s in %s: pass one of them", shown(full), shown(before.proto.GetName()), before.input, shown(name), input)
		}
		c.services[full] = f
	}
	c.byName[name] = f
	c.files = append(c.files, f)
	return nil
}

// isOperational reports whether a file has operational services only. Servers link different versions of
// them in, with the same procedures.
func isOperational(f *descriptorpb.FileDescriptorProto) bool {
	return !slices.ContainsFunc(f.GetService(), func(s *descriptorpb.ServiceDescriptorProto) bool { return !rpc.IsOperational(fullName(f, s)) })
}

func differ(a, b, name string) error {
	if a == b {
		return fmt.Errorf("%s has two different files with the name %s", a, shown(name))
	}
	return fmt.Errorf("%s and %s have different services in the file %s: pass one of them, or build both from the same version", a, b, shown(name))
}

// reduce returns what policies depend on: the services of a file with their methods, their options,
// positions and comments.
func reduce(whole *descriptorpb.FileDescriptorProto) *descriptorpb.FileDescriptorProto {
	const serviceField = 6 // in FileDescriptorProto
	f := &descriptorpb.FileDescriptorProto{Name: whole.Name, Package: whole.Package, Service: whole.Service, Syntax: new("proto3")}
	var locations []*descriptorpb.SourceCodeInfo_Location
	for _, l := range whole.GetSourceCodeInfo().GetLocation() {
		if len(l.GetPath()) > 0 && l.GetPath()[0] == serviceField {
			locations = append(locations, &descriptorpb.SourceCodeInfo_Location{Path: l.Path, Span: l.Span, LeadingComments: l.LeadingComments})
		}
	}
	if len(locations) > 0 {
		f.SourceCodeInfo = &descriptorpb.SourceCodeInfo{Location: locations}
	}
	return f
}

// descriptor returns the file's descriptor. The messages of its methods are placeholders.
func (f *file) descriptor() (protoreflect.FileDescriptor, error) {
	return protodesc.FileOptions{AllowUnresolvable: true}.New(f.proto, new(protoregistry.Files))
}

// shown returns a text from an input as messages show it.
func shown(text string) string { return safetext.Sample(text) }
