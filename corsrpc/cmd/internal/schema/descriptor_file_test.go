package schema

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// TestReadImages: whatever tool wrote a file, a policy sees the same services, and the options of
// corsrpc count, with their positions in the .proto file where the image has them.
func TestReadImages(t *testing.T) {
	t.Parallel()
	for name, at := range map[string][2]string{ // the positions of the options; buf counts from the option's name on
		"image.binpb.gz": {":12:10", ":19:12"}, "protoc.binpb.gz": {":12:3", ":19:5"}, "image.json": {}, "image.txtpb": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files, err := Read(t.Context(), []string{"testdata/" + name}, Server{})
			if err != nil {
				t.Fatal(err)
			}
			if got := services(files); !slices.Equal(got, []string{"shop.v1.Shop"}) {
				t.Fatalf("services %q", got)
			}
			service, method := "shop/v1/shop.proto"+at[0], "shop/v1/shop.proto"+at[1]
			want := map[string]string{"List expose_headers x-shop": service, "Order expose_headers x-shop": service, "Order allow_headers x-order": method}
			if got := optionsOf(t, files); !maps.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
			list, _ := files.FindDescriptorByName("shop.v1.Shop.List")
			if options := list.Options().(*descriptorpb.MethodOptions); options.GetIdempotencyLevel() != descriptorpb.MethodOptions_NO_SIDE_EFFECTS {
				t.Error("List is not NO_SIDE_EFFECTS")
			}
		})
	}
}

// optionsOf returns the values that the options of a schema give, with their places.
func optionsOf(t *testing.T, files *protoregistry.Files) map[string]string {
	t.Helper()
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte("rules:\n  - {selector: shop.v1.Shop, allow_origins: ['https://app.example.com']}\n"))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc), corsrpc.WithFiles(files))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, rule := range plan.Procedures() {
		for _, v := range rule.Values() {
			if strings.HasSuffix(v.From.File, ".proto") {
				place := v.From.File
				if v.From.Position.Line > 0 {
					place += fmt.Sprintf(":%d:%d", v.From.Position.Line, v.From.Position.Column)
				}
				got[strings.TrimPrefix(rule.Name, "shop.v1.Shop.")+" "+v.Field+" "+v.Value] = place
			}
		}
	}
	return got
}

func services(files *protoregistry.Files) (names []string) {
	files.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			names = append(names, string(f.Services().Get(i).FullName()))
		}
		return true
	})
	slices.Sort(names)
	return names
}

// TestFilesThatAreNotDescriptors: the error says what the file is and what makes the right one.
func TestFilesThatAreNotDescriptors(t *testing.T) {
	t.Parallel()
	whole := unzip(t, "testdata/image.binpb.gz")
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	_, _ = w.Write(make([]byte, 1<<20)) // its end, which is cut off, is not read
	_ = w.Close()
	noName := marshal(t, &descriptorpb.FileDescriptorProto{Package: new("a")})
	dir := t.TempDir()
	for name, test := range map[string]struct {
		content string
		want    string
	}{
		"absent":              {"", "does not exist"},
		"empty.binpb":         {"", "is empty: `buf build"},
		"shop.proto":          {"// A service.\n\nsyntax = \"proto3\";\n", "is the source of a .proto file"},
		"proto.binpb":         {"/* A\n service. */\nedition = \"2023\";\npackage a.v1;\n", "is the source of a .proto file"},
		"old.binpb":           {"package a.v1;\nmessage M {}\n", "is the source of a .proto file"},
		"cut.binpb":           {string(whole[:len(whole)/2]), "is not a file with descriptors (cannot parse"},
		"none.json":           {"{}", "since it contains none"},
		"list.json":           {"[]", "is not a FileDescriptorSet or an image of buf in JSON"},
		"package.json":        {`{"name": "app", "version": "1"}`, "since it contains none"},
		"bad.txtpb":           {"file {", "is not a FileDescriptorSet or an image of buf in text"},
		"empty.txtpb":         {"# nothing\n", "since it contains none"},
		"text.binpb":          {"file {\n  name: \"a.proto\"\n}\n", "is protobuf's text format: give the file a name that ends in .txtpb"},
		"image.yaml":          {"file: []\n", "is a YAML file"},
		"image.binpb.zst":     {"\x28\xb5\x2f\xfd\x00", "is compressed by zstd"},
		"lfs.binpb":           {"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "run `git lfs pull`"},
		"bad.gz":              {"\x1f\x8b\x00", "begins like a gzip file"},
		"short.gz":            {bomb.String()[:20], "cannot be decompressed"},
		"bomb.gz":             {bomb.String()[:bomb.Len()-8], "is larger than 524288 bytes"},
		"large.binpb":         {strings.Repeat("\x00", 524289), "is larger than 524288 bytes"},
		"anonymous.binpb":     {noName, "since one of them has no name"},
		"unknown-option.json": {`{"file": [{"name": "a.proto", "service": [{"name": "S", "options": {"[acme.v1.note]": {}}}]}]}`, "has a value that is not known"},
		"unknown-field.json":  {`{"file": [{"name": "a.proto", "service": [{"name": "S", "options": {"[corsrpc.v1.service]": {"disable": true}}}]}]}`, "has a value that is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(dir, name)
			if name != "absent" {
				write(t, path, test.content)
			}
			_, err := readFile(path, 512<<10)
			if err == nil || !strings.HasPrefix(err.Error(), path+" ") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
	if _, err := readFile(dir, 1); err == nil || !strings.Contains(err.Error(), "`buf build "+dir+" -o image.binpb`") {
		t.Errorf("a folder: %v", err)
	}
}

func write(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func unzip(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err == nil {
		data, err = decompress(name, data, MaxFileBytes)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// marshal returns a set of files.
func marshal(t *testing.T, files ...*descriptorpb.FileDescriptorProto) string {
	t.Helper()
	data, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: files})
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
