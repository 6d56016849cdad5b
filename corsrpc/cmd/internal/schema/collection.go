package schema

import (
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/internal/rpc"
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// Part is what one descriptor file or one server tells of the schema. It is immutable.
type Part struct {
	// input names the file or the server in errors, and lister the server as the one that lists services.
	input, lister string
	// files are the .proto files with services, reduced.
	files []*descriptorpb.FileDescriptorProto
	// imports are the names of all .proto files of a descriptor file, with or without services.
	imports map[string]bool
	// missing are imports that a descriptor file does not contain.
	missing []missingImport
	// listed are the services that a server lists.
	listed []string
}

type missingImport struct{ importer, name string }

// partOfSet returns the part of a descriptor file.
func partOfSet(input string, set *descriptorpb.FileDescriptorSet) *Part {
	p := &Part{input: input, imports: make(map[string]bool, len(set.GetFile()))}
	for _, f := range set.GetFile() {
		p.imports[f.GetName()] = true
	}
	for _, f := range set.GetFile() {
		for _, name := range f.GetDependency() {
			if !p.imports[name] && !isWellKnown(name) {
				p.missing = append(p.missing, missingImport{f.GetName(), name})
			}
		}
		p.add(f)
	}
	return p
}

// partOfServer returns the part of a server.
func partOfServer(s Server, r *reflected) *Part {
	p := &Part{input: s.URL, lister: "the server at " + s.URL, listed: r.services}
	if s.Name != "" {
		p.input, p.lister = s.Name, s.Name
	}
	for _, f := range r.files {
		p.add(f)
	}
	return p
}

// add adds a file if it declares services.
func (p *Part) add(whole *descriptorpb.FileDescriptorProto) {
	if len(whole.GetService()) > 0 {
		p.files = append(p.files, reduce(whole))
	}
}

// collection merges the files of several parts. The zero collection is empty.
type collection struct {
	parts []*Part
	// files are the .proto files with services, in the order in which they came, and byName the same
	// by their names.
	files  []*file
	byName map[string][]*file
	// services holds, for the full name of each service, the file that declares it.
	services map[string]*file
}

// file is a .proto file with services.
type file struct {
	input string
	proto *descriptorpb.FileDescriptorProto // reduced
}

// addPart adds the files of a part.
func (c *collection) addPart(p *Part) error {
	c.parts = append(c.parts, p)
	for _, f := range p.files {
		if err := c.add(p.input, f); err != nil {
			return err
		}
	}
	return nil
}

// add adds a file. Two inputs may have files of the same name in different packages, since servers are
// built apart from each other.
func (c *collection) add(input string, reduced *descriptorpb.FileDescriptorProto) error {
	if c.byName == nil {
		c.byName, c.services = map[string][]*file{}, map[string]*file{}
	}
	if c.hasOperational(input, reduced) {
		return nil
	}
	f := &file{input, reduced}
	name := f.proto.GetName()
	for _, before := range c.byName[name] {
		switch {
		case before.input != input && before.proto.GetPackage() != f.proto.GetPackage():
			continue
		case !sameServices(before.proto, f.proto):
			return differ(before.input, input, name)
		case before.proto.SourceCodeInfo == nil && f.proto.SourceCodeInfo != nil:
			*before = file{before.input, withPositions(before.proto, f.proto.SourceCodeInfo)}
		}
		return nil
	}
	for _, s := range f.proto.GetService() {
		full := fullName(f.proto, s)
		if before, ok := c.services[full]; ok && before != f {
			return fmt.Errorf("the service %s is declared twice: by %s in %s and by %s in %s: pass one of them", shown(full), shown(before.proto.GetName()), before.input, shown(name), input)
		}
		c.services[full] = f
	}
	c.byName[name] = append(c.byName[name], f)
	c.files = append(c.files, f)
	return nil
}

// hasOperational reports whether other inputs declare all services of a file already, and all are
// operational. Servers in different languages have different versions of these, such as of
// grpc.health.v1.Health. The services of the collection get the methods that they lack.
func (c *collection) hasOperational(input string, f *descriptorpb.FileDescriptorProto) bool {
	for _, s := range f.GetService() {
		full := fullName(f, s)
		if before, ok := c.services[full]; !ok || before.input == input || !rpc.IsOperational(full) {
			return false
		}
	}
	for _, s := range f.GetService() {
		before := c.services[fullName(f, s)]
		before.proto = withMethods(before.proto, s)
	}
	return true
}

// withMethods returns a file in which the service of the same name has the methods of s too. It does not
// modify f, which belongs to a part.
func withMethods(f *descriptorpb.FileDescriptorProto, s *descriptorpb.ServiceDescriptorProto) *descriptorpb.FileDescriptorProto {
	i := slices.IndexFunc(f.GetService(), func(have *descriptorpb.ServiceDescriptorProto) bool { return have.GetName() == s.GetName() })
	merged := proto.CloneOf(f.GetService()[i])
	for _, m := range s.GetMethod() {
		if !slices.ContainsFunc(merged.GetMethod(), func(have *descriptorpb.MethodDescriptorProto) bool { return have.GetName() == m.GetName() }) {
			merged.Method = append(merged.Method, m)
		}
	}
	copied := withPositions(f, f.SourceCodeInfo)
	copied.Service = slices.Clone(copied.Service)
	copied.Service[i] = merged
	return copied
}

// withPositions returns a copy of a file with positions. The file itself belongs to a part.
func withPositions(f *descriptorpb.FileDescriptorProto, positions *descriptorpb.SourceCodeInfo) *descriptorpb.FileDescriptorProto {
	copied := &descriptorpb.FileDescriptorProto{Name: f.Name, Package: f.Package, Service: f.Service, Syntax: f.Syntax}
	copied.SourceCodeInfo = positions
	return copied
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

// descriptor returns the file's descriptor with a name. The messages of its methods are placeholders.
func (f *file) descriptor(name string) (protoreflect.FileDescriptor, error) {
	named := f.proto
	if name != named.GetName() {
		named = withPositions(named, named.SourceCodeInfo)
		named.Name = &name
	}
	return protodesc.FileOptions{AllowUnresolvable: true}.New(named, new(protoregistry.Files))
}

// shown returns a text from an input as messages show it.
func shown(text string) string { return safetext.Sample(text) }

// Equal reports whether two parts tell the same.
func (p *Part) Equal(q *Part) bool {
	return p.input == q.input && maps.Equal(p.imports, q.imports) && slices.Equal(p.missing, q.missing) && slices.Equal(p.listed, q.listed) &&
		slices.EqualFunc(p.files, q.files, func(a, b *descriptorpb.FileDescriptorProto) bool { return proto.Equal(a, b) })
}
