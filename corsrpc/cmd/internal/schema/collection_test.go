package schema

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// declaring returns a .proto file that declares services with one method, Get.
func declaring(name, pkg string, services ...string) *descriptorpb.FileDescriptorProto {
	f := &descriptorpb.FileDescriptorProto{Name: &name, Package: &pkg, Syntax: new("proto3")}
	for _, s := range services {
		get := &descriptorpb.MethodDescriptorProto{Name: new("Get"), InputType: new("." + pkg + ".In"), OutputType: new("." + pkg + ".Out")}
		f.Service = append(f.Service, &descriptorpb.ServiceDescriptorProto{Name: &s, Method: []*descriptorpb.MethodDescriptorProto{get}})
	}
	return f
}

// withOption returns a file with a service that has the option of corsrpc with these bytes.
func withOption(option ...byte) *descriptorpb.FileDescriptorProto {
	f := declaring("a.proto", "a.v1", "A")
	f.Service[0].Options = &descriptorpb.ServiceOptions{}
	tag := protowire.AppendTag(nil, corsrpcv1.E_Service.TypeDescriptor().Number(), protowire.BytesType)
	f.Service[0].Options.ProtoReflect().SetUnknown(protowire.AppendBytes(tag, option))
	return f
}

func importing(f *descriptorpb.FileDescriptorProto, names ...string) *descriptorpb.FileDescriptorProto {
	f.Dependency = names
	return f
}

func positioned(f *descriptorpb.FileDescriptorProto, line int32) *descriptorpb.FileDescriptorProto {
	f.SourceCodeInfo = &descriptorpb.SourceCodeInfo{Location: []*descriptorpb.SourceCodeInfo_Location{{Path: []int32{6, 0}, Span: []int32{line, 0, 9}}}}
	return f
}

// TestReadMergesFiles: each row has descriptor files, and the services or the error that result.
func TestReadMergesFiles(t *testing.T) {
	t.Parallel()
	type set = []*descriptorpb.FileDescriptorProto
	newer := declaring("a.proto", "a.v1", "A")
	newer.Service[0].Method[0].Options = &descriptorpb.MethodOptions{IdempotencyLevel: descriptorpb.MethodOptions_NO_SIDE_EFFECTS.Enum()}
	deprecated := declaring("a.proto", "a.v1", "A")
	deprecated.Service[0].Options = &descriptorpb.ServiceOptions{Deprecated: new(true)}
	withMessage := declaring("a.proto", "a.v1", "A")
	withMessage.MessageType = []*descriptorpb.DescriptorProto{{Name: new("In")}}
	future := declaring("a.proto", "a.v1", "A")
	future.Syntax, future.Edition = new("editions"), descriptorpb.Edition_EDITION_99999_TEST_ONLY.Enum()
	for name, test := range map[string]struct {
		sets []set
		want string // services, or what the error contains
	}{
		"two inputs":                         {[]set{{declaring("a.proto", "a.v1", "A")}, {declaring("b.proto", "b.v1", "B")}}, "a.v1.A b.v1.B"},
		"the same file twice":                {[]set{{declaring("a.proto", "a.v1", "A")}, {declaring("a.proto", "a.v1", "A")}}, "a.v1.A"},
		"positions differ":                   {[]set{{declaring("a.proto", "a.v1", "A")}, {positioned(declaring("a.proto", "a.v1", "A"), 7)}}, "a.v1.A"},
		"other options differ":               {[]set{{declaring("a.proto", "a.v1", "A")}, {deprecated}}, "a.v1.A"},
		"an option in two orders":            {[]set{{withOption(0x3a, 1, 'a', 0x42, 1, 'b')}, {withOption(0x42, 1, 'b', 0x3a, 1, 'a')}}, "a.v1.A"},
		"an option differs":                  {[]set{{withOption(0x3a, 1, 'a')}, {withOption(0x3a, 1, 'b')}}, "have different services in the file a.proto"},
		"an option is new":                   {[]set{{declaring("a.proto", "a.v1", "A")}, {withOption(0x3a, 1, 'b')}}, "have different services in the file a.proto"},
		"an option is not a message":         {[]set{{declaring("a.proto", "a.v1", "A")}, {withOption(0xff)}}, "have different services in the file a.proto"},
		"an option that no version knows":    {[]set{{withOption()}, {withOption(0xf8, 0x7f, 1)}}, "have different services in the file a.proto"},
		"messages differ":                    {[]set{{declaring("a.proto", "a.v1", "A")}, {withMessage}}, "a.v1.A"},
		"an edition to come":                 {[]set{{future}}, "a.v1.A"},
		"without a package":                  {[]set{{declaring("a.proto", "", "A")}}, "A"},
		"methods differ":                     {[]set{{declaring("a.proto", "a.v1", "A")}, {newer}}, "0.binpb and DIR/1.binpb have different services in the file a.proto"},
		"packages differ":                    {[]set{{declaring("a.proto", "a.v1", "A")}, {declaring("a.proto", "b.v1", "A")}}, "a.v1.A b.v1.A"},
		"a file like that of the same input": {[]set{{declaring("a.proto", "a.v1", "A"), declaring("a.proto", "b.v1", "A")}}, "0.binpb has two different files with the name a.proto"},
		"three packages":                     {[]set{{declaring("a.proto", "a.v1", "A")}, {declaring("a.proto", "b.v1", "A")}, {declaring("a.proto", "c.v1", "A")}}, "a.v1.A b.v1.A c.v1.A"},
		"a package again":                    {[]set{{declaring("a.proto", "a.v1", "A")}, {declaring("a.proto", "b.v1", "A")}, {declaring("a.proto", "b.v1", "B")}}, "1.binpb and DIR/2.binpb have different services in the file a.proto"},
		"operational services differ":        {[]set{{healthFile("Check")}, {healthFile("Check", "List")}, {declaring("a.proto", "a.v1", "A")}}, "a.v1.A grpc.health.v1.Health"},
		"twice in one input":                 {[]set{{declaring("a.proto", "a.v1", "A"), newer}}, "0.binpb has two different files with the name a.proto"},
		"a service in two files":             {[]set{{declaring("a.proto", "a.v1", "A")}, {declaring("b.proto", "a.v1", "A")}}, "the service a.v1.A is declared twice: by a.proto in DIR/0.binpb and by b.proto in DIR/1.binpb"},
		"a service twice":                    {[]set{{declaring("a.proto", "a.v1", "A", "A")}}, "0.binpb: the file a.proto is not valid: "},
		"not a name":                         {[]set{{declaring("a.proto", "a.v1", "A-B")}}, "0.binpb: the file a.proto is not valid: "},
		"a service like a package":           {[]set{{declaring("a.proto", "a", "v1")}, {declaring("b.proto", "a.v1", "B")}}, "1.binpb: the file b.proto is not valid: "},
		"imports in any order":               {[]set{{importing(declaring("a.proto", "a.v1", "A"), "b.proto"), declaring("b.proto", "b.v1", "B")}}, "a.v1.A b.v1.B"},
		"an import elsewhere":                {[]set{{importing(declaring("a.proto", "a.v1", "A"), "b.proto")}, {declaring("b.proto", "b.v1", "B")}}, "a.v1.A b.v1.B"},
		"an import in a cycle":               {[]set{{importing(declaring("a.proto", "a.v1", "A"), "a.proto")}}, "a.v1.A"},
		"without an import":                  {[]set{{importing(declaring("a.proto", "a.v1", "A"), "b.proto")}}, "0.binpb does not contain b.proto, which a.proto imports: write the file with `buf build -o image.binpb`, which adds imports, or with `protoc --include_imports"},
		"of an import":                       {[]set{{importing(&descriptorpb.FileDescriptorProto{Name: new("m.proto")}, "n.proto"), declaring("a.proto", "a.v1", "A")}}, "does not contain n.proto, which m.proto imports"},
		"without google's":                   {[]set{{importing(declaring("a.proto", "a.v1", "A"), "google/protobuf/empty.proto", "corsrpc/v1/options.proto")}}, "a.v1.A"},
		"without a service":                  {[]set{{declaring("a.proto", "a.v1")}}, "0.binpb: there is not a single service in it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files, err := readSets(t, test.sets)
			got := strings.Join(services(files), " ")
			if err != nil {
				got = err.Error()
			}
			if got != test.want && (err == nil || !strings.Contains(got, test.want)) {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// healthFile returns a version of a file that servers in different languages have in different versions.
func healthFile(methods ...string) *descriptorpb.FileDescriptorProto {
	f := declaring("grpc/health/v1/health.proto", "grpc.health.v1", "Health")
	get := f.Service[0].Method[0]
	f.Service[0].Method = nil
	for _, name := range methods {
		m := proto.CloneOf(get)
		m.Name = &name
		f.Service[0].Method = append(f.Service[0].Method, m)
	}
	return f
}

// TestOperationalServices: the schema has the methods of all versions of an operational service, whatever the
// names of their files are, and the parts stay as they are.
func TestOperationalServices(t *testing.T) {
	t.Parallel()
	renamed := healthFile("Check", "List")
	renamed.Name = new("health.proto")
	one := partOfSet("one", &descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{healthFile("Check")}})
	two := partOfSet("two", &descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{renamed}})
	for range 2 {
		files, err := Merge(one, two)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []protoreflect.FullName{"grpc.health.v1.Health.Check", "grpc.health.v1.Health.List"} {
			if _, err := files.FindDescriptorByName(name); err != nil {
				t.Error(err)
			}
		}
	}
	if n := len(one.files[0].GetService()[0].GetMethod()); n != 1 {
		t.Errorf("the part has %d methods", n)
	}
}

// readSets reads sets of files; in the error, DIR is their folder.
func readSets(t *testing.T, sets [][]*descriptorpb.FileDescriptorProto) (*protoregistry.Files, error) {
	t.Helper()
	dir := t.TempDir()
	var names []string
	for i, s := range sets {
		names = append(names, write(t, filepath.Join(dir, fmt.Sprintf("%d.binpb", i)), marshal(t, s...)))
	}
	files, err := Read(t.Context(), names, Server{})
	if err != nil {
		return new(protoregistry.Files), fmt.Errorf("%s", strings.ReplaceAll(err.Error(), dir, "DIR"))
	}
	return files, nil
}

// TestPositionsOfEitherInput: positions are kept, whichever of two equal files has them.
func TestPositionsOfEitherInput(t *testing.T) {
	t.Parallel()
	for _, with := range []int{0, 1} {
		sets := [][]*descriptorpb.FileDescriptorProto{{declaring("a.proto", "a.v1", "A")}, {declaring("a.proto", "a.v1", "A")}}
		positioned(sets[with][0], 7)
		files, err := readSets(t, sets)
		if err != nil {
			t.Fatal(err)
		}
		d, err := files.FindDescriptorByName("a.v1.A")
		if err != nil {
			t.Fatal(err)
		}
		if at := d.ParentFile().SourceLocations().ByDescriptor(d); at.StartLine != 7 {
			t.Errorf("input %d: %+v", with, at)
		}
	}
}

// TestReadAnImageAndAProtocSet: the two programs write the same services, in an image with the well-known
// files of either.
func TestReadAnImageAndAProtocSet(t *testing.T) {
	t.Parallel()
	names := []string{"testdata/image.binpb.gz", "testdata/protoc.binpb.gz", "testdata/image.json", "testdata/image.txtpb"}
	for range names {
		names = append(names[1:], names[0])
		files, err := Read(t.Context(), names, Server{})
		if err != nil {
			t.Fatal(err)
		}
		if got := services(files); !slices.Equal(got, []string{"shop.v1.Shop"}) {
			t.Errorf("services %q", got)
		}
	}
	_, err := Read(t.Context(), []string{"testdata/protoc_without_imports.binpb"}, Server{})
	if err == nil || !strings.Contains(err.Error(), "does not contain shop/v1/note.proto, which shop/v1/shop.proto imports") {
		t.Errorf("without imports: %v", err)
	}
}

// TestUnreadableOptions: an option of corsrpc that is not a message stays in its binary form, so that
// compiling a policy reports it.
func TestUnreadableOptions(t *testing.T) {
	t.Parallel()
	f := withOption(0xff)
	unreadable := []byte(f.Service[0].Options.ProtoReflect().GetUnknown())
	files, err := readSets(t, [][]*descriptorpb.FileDescriptorProto{{f}})
	if err != nil {
		t.Fatal(err)
	}
	d, err := files.FindDescriptorByName("a.v1.A")
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := proto.Marshal(d.Options()); !slices.Equal(got, unreadable) {
		t.Errorf("options %x", got)
	}
}
