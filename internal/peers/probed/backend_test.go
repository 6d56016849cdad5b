package probed

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/emptypb"
)

const (
	// intended is the origin of the page that every server is written for.
	intended = "https://app.example.com"
	// me is a procedure without side effects, and rename one with them.
	me     = "/acme.v1.AccountService/Me"
	rename = "/acme.v1.AccountService/Rename"
)

// account is the service, for Connect, gRPC-Web and gRPC. It sets the given response header, name by
// name, and adds to runs, unless that is nil, when a procedure is executed.
func account(runs *counter, header ...string) http.Handler {
	mux := http.NewServeMux()
	answer := func(context.Context, *connect.Request[emptypb.Empty]) (*connect.Response[emptypb.Empty], error) {
		runs.add()
		response := connect.NewResponse(&emptypb.Empty{})
		for i := 0; i < len(header); i += 2 {
			response.Header().Add(header[i], header[i+1])
		}
		return response, nil
	}
	mux.Handle(me, connect.NewUnaryHandler(me, answer, connect.WithIdempotency(connect.IdempotencyNoSideEffects)))
	mux.Handle(rename, connect.NewUnaryHandler(rename, answer))
	return mux
}

// schema returns the service's schema.
func schema() *descriptorpb.FileDescriptorSet {
	method := func(name string, options *descriptorpb.MethodOptions) *descriptorpb.MethodDescriptorProto {
		return &descriptorpb.MethodDescriptorProto{
			Name: proto.String(name), InputType: proto.String(".google.protobuf.Empty"), OutputType: proto.String(".google.protobuf.Empty"), Options: options,
		}
	}
	return &descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{
		protodesc.ToFileDescriptorProto(emptypb.File_google_protobuf_empty_proto),
		{
			Name: proto.String("account.proto"), Syntax: proto.String("proto3"), Package: proto.String("acme.v1"), Dependency: []string{"google/protobuf/empty.proto"},
			Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("AccountService"), Method: []*descriptorpb.MethodDescriptorProto{
				method("Me", &descriptorpb.MethodOptions{IdempotencyLevel: descriptorpb.MethodOptions_NO_SIDE_EFFECTS.Enum()}),
				method("Rename", nil),
			}}},
		},
	}}
}

// schemaFiles returns the schema as servers in Go have it.
func schemaFiles(t *testing.T) *protoregistry.Files {
	t.Helper()
	files, err := protodesc.NewFiles(schema())
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// descriptors returns a file with the schema.
func descriptors(t *testing.T) string {
	t.Helper()
	text, err := proto.Marshal(schema())
	if err != nil {
		t.Fatal(err)
	}
	return write(t, "image.binpb", string(text))
}

// write returns a new file with a text.
func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
