package main

import (
	"bytes"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// TestImagesAreRefused: an image that cannot give whole pages is refused, and no page is written.
func TestImagesAreRefused(t *testing.T) {
	t.Parallel()
	duration := protodesc.ToFileDescriptorProto(durationpb.File_google_protobuf_duration_proto)
	for _, c := range []struct {
		name  string
		files []*descriptorpb.FileDescriptorProto
		want  string
	}{
		{"another schema", []*descriptorpb.FileDescriptorProto{duration}, "does not have corsrpc.v1.Policy"},
		{"no comments", []*descriptorpb.FileDescriptorProto{duration, protodesc.ToFileDescriptorProto(corsrpcv1.File_corsrpc_v1_policy_proto)}, "corsrpc.v1.Policy does not have a comment"},
	} {
		image, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: c.files})
		if err != nil {
			t.Fatal(err)
		}
		if err := run(bytes.NewReader(image), t.TempDir()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

// TestExamplesAreChecked: an example has to be valid, and to set the field that it is for.
func TestExamplesAreChecked(t *testing.T) {
	t.Parallel()
	md := (&corsrpcv1.Rule{}).ProtoReflect().Descriptor()
	field := md.Fields().ByName("max_age")
	for comment, want := range map[string]string{
		"How long.\n\n    max_age: 600s":                           "",
		"How long.\n\n    max_age: 600s\n\nOr:\n\n    max_age: 0s": "",
		"How long.\n\n    max_age: 600":                            "is not valid",
		"How long.\n\n    maxage: 600s":                            "is not valid",
		"How long.\n\n    disabled: true":                          "does not set the field",
	} {
		err := checkExamples(md, field, comment)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", comment, err, want)
		}
	}
}

// TestFirstSentence: the table of a message has the first sentence of each field's comment, which ends neither
// inside of brackets nor in a name.
func TestFirstSentence(t *testing.T) {
	t.Parallel()
	for comment, want := range map[string]string{
		"One. Two.":                            "One.",
		"One\nline more.\n\nTwo.":              "One line more.",
		"A name (a file, e.g. x. And y). Two.": "A name (a file, e.g. x. And y).",
		"A path: `/a`, `/b`. Two.":             "A path.",
		"Either | or.":                         `Either \| or.`,
	} {
		if got := firstSentence(comment); got != want {
			t.Errorf("%q: %q, want %q", comment, got, want)
		}
	}
}
