package schema

import (
	"os"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// FuzzDescriptors: no content of a descriptor file, and no file of a server, makes the program panic, and
// a schema that is accepted has services.
func FuzzDescriptors(f *testing.F) {
	data, err := os.ReadFile("testdata/protoc_without_imports.binpb")
	if err != nil {
		f.Fatal(err)
	}
	f.Add("protoc.binpb", data)
	f.Add("a.txtpb", []byte("file {name: 'a.proto' service {name: 'A' options {[corsrpc.v1.service] {allow_headers: 'x-a'}}}}"))
	f.Add("a.binpb", binary(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{declaring("a.proto", "a.v1", "A"), declaring("b.proto", "a", "v1")}}))
	f.Add("a.json", []byte(`{"file": [{"name": "a.proto", "service": [{"name": "A", "method": [{"name": "M", "inputType": ".x"}]}]}]}`))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		set, err := parse(name, data)
		if err != nil {
			return
		}
		c := &collection{}
		if c.addPart(partOfSet(name, set)) != nil || c.complete() != nil {
			return
		}
		if files, err := c.registry(); err == nil && len(services(files)) == 0 {
			t.Error("a schema without services")
		}
		// A server sends the same files, one by one.
		r := &reflected{bounds: usualBounds, declared: map[string]bool{}, seen: map[[32]byte]bool{}}
		for _, file := range set.GetFile() {
			if err := r.addFile(binary(file)); err != nil {
				return
			}
		}
		again := &collection{}
		if err := again.addPart(partOfServer(Server{URL: name}, r)); err != nil {
			t.Errorf("the files are a schema in a file, and not from a server: %v", err)
		}
	})
}

// binary returns a message in its binary form.
func binary(m proto.Message) []byte {
	data, err := proto.MarshalOptions{AllowPartial: true}.Marshal(m)
	if err != nil {
		return nil
	}
	return data
}
