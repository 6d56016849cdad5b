package protocomment

import (
	"fmt"
	"io"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// ReadImage reads an image of buf, or a FileDescriptorSet, with the files that its files import. Only an
// image has the comments of the .proto files.
func ReadImage(r io.Reader) (*protoregistry.Files, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("the standard input is not an image of buf: %w", err)
	}
	return protodesc.NewFiles(&set)
}
