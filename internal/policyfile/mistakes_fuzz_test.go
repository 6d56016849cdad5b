package policyfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// FuzzExplain: the explanation of a syntax error does not panic. Its place is within the text,
// and it says what is wrong. Parse would recover a panic.
func FuzzExplain(f *testing.F) {
	names, err := filepath.Glob("testdata/mistakes/*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(filepath.Ext(name), text)
	}
	f.Fuzz(func(t *testing.T, extension string, text []byte) {
		format, ok := FormatOf("cors" + extension)
		if !ok || len(text) > 1<<14 || !utf8.Valid(text) || strings.TrimSpace(string(text)) == "" {
			return
		}
		var m mistake
		msg := &corsrpcv1.Policy{}
		switch format {
		case FormatYAML:
			if code, _ := scanYAML(text); code != "" {
				return
			}
			if _, err := readYAML(text); err == nil {
				return
			}
			m, ok = explainYAML(text, msg)
		case FormatJSON:
			if _, err := readJSON(text); err == nil {
				return
			}
			m, ok = explainJSON(text, msg)
		case FormatText:
			if _, deep := tooDeepText(text); deep {
				return
			}
			at, problem := readText(text, msg)
			if problem == "" {
				return
			}
			if m, ok = (&textMistakes{text: text, at: at, message: msg.ProtoReflect().Descriptor()}).explain(msg); !ok {
				return
			}
		default:
			return
		}
		if !ok || m.reason == "" || m.at < 0 || m.at > len(text) {
			t.Errorf("%+v %t", m, ok)
		}
	})
}

// FuzzTextMaps: a text in protobuf's text format has the problem DUPLICATE_KEY if and only if a
// parser that takes maps as lists finds a key twice.
func FuzzTextMaps(f *testing.F) {
	entry := `profiles { key: "a" value { add_origins: "x" } }`
	for _, text := range []string{
		entry, entry + entry, entry + strings.ReplaceAll(entry, "a", "b"), "profiles: [{key: 'a'}, <key: '\\x61'>]", "profiles {} profiles { value {} }",
		"profiles { value { rules { selector: 'a' } } # key: 'b'\n key: 'b' }; profiles <key: \"b\">", "shadow { " + entry + entry + " }",
		"profiles { key: 'a' 'b' } profiles { key: 'ab' }", "profiles: [] " + entry, "defaults { max_age { seconds: - 1 } } " + entry + "," + entry,
	} {
		f.Add(text)
	}
	lists := policyWithLists(f)
	f.Fuzz(func(t *testing.T, text string) {
		policy := &corsrpcv1.Policy{}
		if len(text) > 1<<14 || !utf8.ValidString(text) || prototext.Unmarshal([]byte(text), policy) != nil {
			return
		}
		dynamic := dynamicpb.NewMessage(lists)
		if err := prototext.Unmarshal([]byte(text), dynamic); err != nil {
			t.Fatalf("%q is valid, and not with lists instead of maps: %v", text, err)
		}
		file := &File{positions: map[string]Position{}}
		file.checkTextMaps([]byte(text), policy.ProtoReflect())
		if got, want := len(file.Problems) > 0, hasKeyTwice(dynamic); got != want {
			t.Errorf("%q: a key twice is %t, found %t: %+v", text, want, got, file.Problems)
		}
	})
}

// policyWithLists returns the descriptor of a policy in which each map is a list of its entries.
func policyWithLists(f *testing.F) protoreflect.MessageDescriptor {
	file := proto.CloneOf(protodesc.ToFileDescriptorProto(corsrpcv1.File_corsrpc_v1_policy_proto))
	var change func(messages []*descriptorpb.DescriptorProto)
	change = func(messages []*descriptorpb.DescriptorProto) {
		for _, m := range messages {
			if m.GetOptions().GetMapEntry() {
				m.Options.MapEntry = nil
			}
			change(m.NestedType)
		}
	}
	change(file.MessageType)
	fd, err := protodesc.NewFile(file, protoregistry.GlobalFiles)
	if err != nil {
		f.Fatal(err)
	}
	return fd.Messages().ByName("Policy")
}

// hasKeyTwice reports whether two entries of a list, which was a map, have the same key.
func hasKeyTwice(m protoreflect.Message) (twice bool) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.IsList() && fd.Message() != nil:
			seen := map[string]bool{}
			for i := range v.List().Len() {
				item := v.List().Get(i).Message()
				if strings.HasSuffix(string(fd.Message().Name()), "Entry") {
					key := item.Get(fd.Message().Fields().ByName("key")).String()
					twice = twice || seen[key]
					seen[key] = true
				}
				twice = twice || hasKeyTwice(item)
			}
		case fd.Message() != nil:
			twice = twice || hasKeyTwice(v.Message())
		}
		return true
	})
	return twice
}
