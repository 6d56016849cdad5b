// Package schema reads the descriptors of services: from files and by gRPC server reflection.
package schema

import (
	"context"
	"errors"
	"fmt"
	"os"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// Read returns the schema in files and of a server. It returns nil if there are none.
func Read(_ context.Context, files []string, reflect string) (*protoregistry.Files, error) {
	if reflect != "" {
		return nil, errors.New("--reflect is not built yet")
	}
	if len(files) == 0 {
		return nil, nil
	}
	set := &descriptorpb.FileDescriptorSet{}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		one := &descriptorpb.FileDescriptorSet{}
		if err := proto.Unmarshal(data, one); err != nil {
			return nil, fmt.Errorf("%s is not a FileDescriptorSet: %w", name, err)
		}
		set.File = append(set.File, one.File...)
	}
	return protodesc.NewFiles(set)
}
