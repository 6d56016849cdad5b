package main

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// TestImagesAreRefused: an image that cannot give a whole schema is refused, with what it lacks.
func TestImagesAreRefused(t *testing.T) {
	t.Parallel()
	duration := protodesc.ToFileDescriptorProto(durationpb.File_google_protobuf_duration_proto)
	policy := protodesc.ToFileDescriptorProto(corsrpcv1.File_corsrpc_v1_policy_proto)
	for _, c := range []struct {
		image []byte
		want  string
	}{
		{[]byte("defaults: {}"), "is not an image of buf"},
		{set(t, duration), "does not have corsrpc.v1.Policy"},
		{set(t, duration, policy), "corsrpc.v1.Policy.defaults does not have a comment"},
	} {
		if err := run(strings.NewReader(string(c.image)), t.TempDir()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

// TestUnreadableTypes: a field of a type that the reader of policies does not know is refused.
func TestUnreadableTypes(t *testing.T) {
	t.Parallel()
	md := durationpb.File_google_protobuf_duration_proto.Messages().ByName("Duration")
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		_, err := new(converter).value(fd)
		if want := fd.Kind() == protoreflect.Int32Kind || fd.Kind() == protoreflect.Int64Kind; (err == nil) != want {
			t.Errorf("%s: %v", fd.FullName(), err)
		}
	}
}

func set(t *testing.T, files ...*descriptorpb.FileDescriptorProto) []byte {
	t.Helper()
	text, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: files})
	if err != nil {
		t.Fatal(err)
	}
	return text
}
