package policytest

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
)

// largeTest writes a test with cases and guarantees over procedures into a new folder, with its policy and the
// schema, and returns its name. Each service has ten procedures, and each tenth service a rule.
func largeTest(t testing.TB, procedures, cases, guarantees int) string {
	t.Helper()
	services := procedures / 10
	var policy, test strings.Builder
	policy.WriteString("defaults: {allow_origins: [https://app.example.com]}\nrules:\n")
	file := &descriptorpb.FileDescriptorProto{Name: proto.String("large.proto"), Package: proto.String("large.v1"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("Empty")}}}
	for i := range services {
		service := &descriptorpb.ServiceDescriptorProto{Name: proto.String(fmt.Sprintf("S%d", i))}
		for j := range 10 {
			service.Method = append(service.Method, &descriptorpb.MethodDescriptorProto{
				Name: proto.String(fmt.Sprintf("M%d", j)), InputType: proto.String(".large.v1.Empty"), OutputType: proto.String(".large.v1.Empty"),
			})
		}
		file.Service = append(file.Service, service)
		if i%10 == 0 {
			fmt.Fprintf(&policy, "  - {selector: large.v1.S%d, allow_origins: [https://o%d.example.com], allow_credentials: true}\n", i, i)
		}
	}
	policy.WriteString("profiles: {dev: {add_origins: [\"http://localhost:*\"]}}\n")
	fd, err := protodesc.NewFile(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	files := new(protoregistry.Files)
	if err := files.RegisterFile(fd); err != nil {
		t.Fatal(err)
	}
	test.WriteString("policy: cors.yaml\ndescriptors: [image.binpb]\ncases:\n")
	for i := range cases {
		service := i * services / cases
		from, profile := "https://app.example.com", ""
		if service%10 == 0 {
			from = fmt.Sprintf("https://o%d.example.com", service)
		}
		if i%2 == 0 {
			from, profile = "http://localhost:3000", ", profile: dev"
		}
		fmt.Fprintf(&test, "  - {from: %q, call: large.v1.S%d.M%d%s, expect: {readable: {headers: [x-a]}, preflights: 1}}\n", from, service, i%10, profile)
	}
	test.WriteString("guarantees:\n")
	for i := range guarantees {
		service := i * services / guarantees / 10 * 10
		fmt.Fprintf(&test, "  - never: {calls: [large.v1.S%d], origins_outside: [https://o%d.example.com]}\n", service, service)
	}
	name := folder(t, "cors_test.yaml", test.String(), "cors.yaml", policy.String())
	writeImage(t, filepath.Join(filepath.Dir(name), "image.binpb"), files)
	return name
}

// BenchmarkTest reads and runs a test.
func BenchmarkTest(b *testing.B) {
	for _, size := range []struct{ procedures, cases, guarantees int }{{1000, 100, 5}, {10_000, 1000, 50}} {
		b.Run(fmt.Sprintf("procedures=%d/cases=%d/guarantees=%d", size.procedures, size.cases, size.guarantees), func(b *testing.B) {
			name := largeTest(b, size.procedures, size.cases, size.guarantees)
			for b.Loop() {
				s, err := Load(context.Background(), name, input.Flags{})
				if err != nil {
					b.Fatal(err)
				}
				for _, r := range run(b, s) {
					if r.Status != Passed {
						b.Fatalf("%+v", r)
					}
				}
				if s.plans.compiled != 2 {
					b.Fatalf("compiled %d times", s.plans.compiled)
				}
			}
		})
	}
}

// TestLargeTest: a test of many cases and guarantees passes, and compiles its policy once for each profile.
func TestLargeTest(t *testing.T) {
	t.Parallel()
	s := load(t, largeTest(t, 500, 100, 10), input.Flags{})
	for _, r := range run(t, s) {
		if r.Status != Passed {
			t.Errorf("%+v", r)
		}
	}
	if s.plans.compiled != 2 {
		t.Errorf("compiled %d times", s.plans.compiled)
	}
}
