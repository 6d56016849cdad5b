package schema

import (
	"errors"
	"fmt"
	"sync"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// extensions resolves the options in the text of an image.
type extensions interface {
	protoregistry.ExtensionTypeResolver
	protoregistry.MessageTypeResolver
}

func parseJSON(data []byte) (*descriptorpb.FileDescriptorSet, error) {
	return parseImage("JSON", func(into proto.Message, options extensions, lenient bool) error {
		return protojson.UnmarshalOptions{Resolver: options, DiscardUnknown: lenient, AllowPartial: true}.Unmarshal(data, into)
	})
}

func parseText(data []byte) (*descriptorpb.FileDescriptorSet, error) {
	return parseImage("text", func(into proto.Message, options extensions, lenient bool) error {
		return prototext.UnmarshalOptions{Resolver: options, DiscardUnknown: lenient, AllowPartial: true}.Unmarshal(data, into)
	})
}

// parseImage parses an image that is text. It parses twice: the first time without options, because
// their types are in the image itself.
func parseImage(format string, unmarshal func(into proto.Message, options extensions, lenient bool) error) (*descriptorpb.FileDescriptorSet, error) {
	plain := &descriptorpb.FileDescriptorSet{}
	if err := unmarshal(plain, new(protoregistry.Types), true); err != nil {
		return nil, fmt.Errorf("is not a FileDescriptorSet or an image of buf in %s (%s): %s", format, cleanError(err), howToMake)
	}
	if len(plain.GetFile()) == 0 {
		return nil, fmt.Errorf("is not a file with descriptors, since it contains none: %s", howToMake)
	}
	for _, f := range plain.GetFile() {
		f.SourceCodeInfo = nil
	}
	files, err := protodesc.FileOptions{AllowUnresolvable: true}.NewFiles(plain)
	if err != nil {
		return nil, fmt.Errorf("is not valid (%s): %s", cleanError(err), howToMake)
	}
	descriptor, err := imageType()
	if err != nil {
		return nil, err
	}
	image := dynamicpb.NewMessage(descriptor)
	if err := unmarshal(image, imageTypes{dynamicpb.NewTypes(files), protoregistry.GlobalTypes}, false); err != nil {
		return nil, fmt.Errorf("has a value that is not known (%s): write the image as binary (`buf build -o image.binpb`), whose options need no definition", cleanError(err))
	}
	binary, err := proto.MarshalOptions{AllowPartial: true, Deterministic: true}.Marshal(image)
	if err != nil {
		return nil, errors.New("is not valid: " + cleanError(err))
	}
	return parseBinary(binary)
}

// imageTypes looks for a type in an image, and then among those that are linked in, such as the options
// of corsrpc.
type imageTypes struct{ image, linked extensions }

func (t imageTypes) FindExtensionByName(name protoreflect.FullName) (protoreflect.ExtensionType, error) {
	if found, err := t.image.FindExtensionByName(name); err == nil {
		return found, nil
	}
	return t.linked.FindExtensionByName(name)
}

func (t imageTypes) FindExtensionByNumber(message protoreflect.FullName, number protoreflect.FieldNumber) (protoreflect.ExtensionType, error) {
	if found, err := t.image.FindExtensionByNumber(message, number); err == nil {
		return found, nil
	}
	return t.linked.FindExtensionByNumber(message, number)
}

func (t imageTypes) FindMessageByName(name protoreflect.FullName) (protoreflect.MessageType, error) {
	if found, err := t.image.FindMessageByName(name); err == nil {
		return found, nil
	}
	return t.linked.FindMessageByName(name)
}

func (t imageTypes) FindMessageByURL(url string) (protoreflect.MessageType, error) {
	if found, err := t.image.FindMessageByURL(url); err == nil {
		return found, nil
	}
	return t.linked.FindMessageByURL(url)
}

// imageType returns google.protobuf.FileDescriptorSet with the field that buf adds to each file of an
// image. Field numbers and names are those of buf's own image.proto, which reads and writes a
// FileDescriptorSet in the same way.
var imageType = sync.OnceValues(func() (protoreflect.MessageDescriptor, error) {
	set := protodesc.ToFileDescriptorProto(descriptorpb.File_google_protobuf_descriptor_proto)
	for _, m := range set.GetMessageType() {
		if m.GetName() == "FileDescriptorProto" {
			m.Field = append(m.Field, field("buf_extension", 8042, "BufExtension"))
		}
	}
	message := func(name string, fields ...*descriptorpb.FieldDescriptorProto) {
		set.MessageType = append(set.MessageType, &descriptorpb.DescriptorProto{Name: &name, Field: fields})
	}
	repeated := field("unused_dependency", 4, "int32")
	repeated.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
	message("BufExtension", field("is_import", 1, "bool"), field("module_info", 2, "BufModuleInfo"), field("is_syntax_unspecified", 3, "bool"), repeated)
	message("BufModuleInfo", field("name", 1, "BufModuleName"), field("commit", 2, "string"))
	message("BufModuleName", field("remote", 1, "string"), field("owner", 2, "string"), field("repository", 3, "string"))
	file, err := protodesc.NewFile(set, new(protoregistry.Files))
	if err != nil {
		return nil, err
	}
	return file.Messages().ByName("FileDescriptorSet"), nil
})

// field returns an optional field of a scalar type or a message of descriptor.proto.
func field(name string, number int32, kind string) *descriptorpb.FieldDescriptorProto {
	f := &descriptorpb.FieldDescriptorProto{Name: &name, Number: &number, Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()}
	switch kind {
	case "bool":
		f.Type = descriptorpb.FieldDescriptorProto_TYPE_BOOL.Enum()
	case "int32":
		f.Type = descriptorpb.FieldDescriptorProto_TYPE_INT32.Enum()
	case "string":
		f.Type = descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum()
	default:
		f.Type, f.TypeName = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum(), new(".google.protobuf."+kind)
	}
	return f
}
