package policytest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// policy is the policy of most tests.
const policy = `defaults:
  allow_origins: [https://app.example.com]
rules:
  - selector: acme.account.v1.AccountService
    allow_credentials: true
    allow_headers: [authorization]
  - selector: acme.admin.v1.*
    allow_origins: [https://admin.example.com]
  - selector: acme.tenant.v1.*
    allow_origins_from: [tenants]
  - selector: acme.partner.v1.*
    allow_origins: ["${PARTNERS}"]
  - selector: acme.off.v1.*
    disabled: true
    allow_origins_from: [tenants]
  - selector: acme.web.v1.*
    protocols: [GRPC_WEB]
  - path: /healthz
    allow_origins: ["*"]
  - path: /upload
    allow_methods: [PUT]
  - path: /mcp
    protocols: [MCP]
profiles:
  dev:
    add_origins: ["http://localhost:*"]
`

// folder writes files into a new folder, and returns the name of the first one.
func folder(t testing.TB, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		if err := os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, files[0])
}

// TestLoadBounds: a file without an end, as a device is, is not read to the end.
func TestLoadBounds(t *testing.T) {
	t.Parallel()
	endless := filepath.Join(t.TempDir(), "cors_test.yaml")
	file, err := os.Create(endless)
	if err == nil {
		err = errors.Join(file.Truncate(1<<40), file.Close())
	}
	if err != nil {
		t.Fatalf("the file system of TMPDIR has to store files with holes: %v", err)
	}
	if _, err := Load(context.Background(), endless, input.Flags{}); err == nil || !strings.HasSuffix(err.Error(), " is larger than 67108864 bytes, so it is not a test") {
		t.Error(err)
	}
}

// load reads a test that has to be valid.
func load(t testing.TB, name string, flags input.Flags) *Suite {
	t.Helper()
	s, err := Load(context.Background(), name, flags)
	var invalid *InvalidError
	if errors.As(err, &invalid) {
		t.Fatalf("%+v %v", invalid.Problems, invalid.Policy)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs a whole test.
func run(t testing.TB, s *Suite) []Result {
	t.Helper()
	results, err := s.Run(context.Background(), func(string) bool { return true }, func(int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// image writes the schema of the corpus into a file beside a test.
func image(t testing.TB, test string) {
	t.Helper()
	files, err := vectors.Schema("acme")
	if err != nil {
		t.Fatal(err)
	}
	writeImage(t, filepath.Join(filepath.Dir(test), "image.binpb"), files)
}

func writeImage(t testing.TB, name string, files *protoregistry.Files) {
	t.Helper()
	set := &descriptorpb.FileDescriptorSet{}
	files.RangeFiles(func(fd protoreflect.FileDescriptor) bool {
		set.File = append(set.File, protodesc.ToFileDescriptorProto(fd))
		return true
	})
	data, err := proto.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// indented returns an item of a list below a field.
func indented(item string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(item, "\n"), "\n", "\n  ") + "\n"
}
