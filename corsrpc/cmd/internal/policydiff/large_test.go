package policydiff

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
)

// rulesFor returns a policy with n rules, each of which grants a header of its own if header is true.
func rulesFor(n int, header bool) string {
	var b strings.Builder
	b.WriteString("defaults: {allow_origins: [" + app + "]}\nrules:\n")
	for i := range n {
		name := "x-a"
		if header {
			name = fmt.Sprintf("x-%d", i)
		}
		fmt.Fprintf(&b, "  - {selector: acme.p%d.v1.*, allow_headers: [%s], accept_risks: [UNKNOWN_SELECTORS]}\n", i, name)
	}
	return b.String()
}

// TestLargeComparison checks that each of many differences has its own sentence and witness.
func TestLargeComparison(t *testing.T) {
	t.Parallel()
	const n = 200
	var settings input.Settings
	sides := make([]*Side, 2)
	for i := range sides {
		text := rulesFor(n, i == 1)
		policy, err := settings.Compile("cors.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		sides[i] = NewSide(policy, settings, []byte(text))
	}
	r := Compare(sides[0], sides[1])
	sentences := map[string]bool{}
	for _, d := range r.Differences {
		sentences[d.Sentence] = true
	}
	if gained := len(r.part(true)); gained != n || len(sentences) != 2*n || len(r.Bugs()) > 0 {
		t.Errorf("%d differences are gained, with %d sentences and %d bugs", gained, len(sentences), len(r.Bugs()))
	}
}

// largeSchema returns the schema of services with ten procedures each.
func largeSchema(b *testing.B, procedures int) *protoregistry.Files {
	b.Helper()
	file := &descriptorpb.FileDescriptorProto{
		Name: proto.String("large.proto"), Package: proto.String("large.v1"), Syntax: proto.String("proto3"), MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M")}},
	}
	for i := range procedures / 10 {
		service := &descriptorpb.ServiceDescriptorProto{Name: proto.String(fmt.Sprintf("S%d", i))}
		for j := range 10 {
			service.Method = append(service.Method, &descriptorpb.MethodDescriptorProto{Name: proto.String(fmt.Sprintf("M%d", j)), InputType: proto.String(".large.v1.M"), OutputType: proto.String(".large.v1.M")})
		}
		file.Service = append(file.Service, service)
	}
	files, err := protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{file}})
	if err != nil {
		b.Fatal(err)
	}
	return files
}

// largePolicy returns a policy with a rule for each procedure of largeSchema and with origins for all of them.
// extra adds an origin for everyone, and a header for each third procedure.
func largePolicy(procedures, origins int, extra bool) string {
	var b strings.Builder
	b.WriteString("defaults:\n  allow_origins:\n")
	for i := range origins {
		fmt.Fprintf(&b, "    - https://t%d.example.com\n", i)
	}
	if extra {
		b.WriteString("    - https://new.example.com\n")
	}
	b.WriteString("rules:\n")
	for i := range procedures {
		header := fmt.Sprintf("x-%d", i%7)
		if extra && i%3 == 0 {
			header += ", x-extra"
		}
		fmt.Fprintf(&b, "  - {selector: large.v1.S%d.M%d, allow_headers: [%s]}\n", i/10, i%10, header)
	}
	return b.String()
}

// BenchmarkDiff compiles two policies, compares them, and writes the result with its witnesses.
func BenchmarkDiff(b *testing.B) {
	for _, size := range []struct{ procedures, origins int }{{1000, 100}, {10_000, 1000}} {
		b.Run(fmt.Sprintf("procedures=%d/rules=%[1]d/origins=%d", size.procedures, size.origins), func(b *testing.B) {
			settings := input.Settings{Files: largeSchema(b, size.procedures)}
			sides := make([]*Side, 2)
			for b.Loop() {
				for i := range sides {
					text := []byte(largePolicy(size.procedures, size.origins, i == 1))
					policy, err := settings.Compile("cors.yaml", text)
					if err != nil {
						b.Fatal(err)
					}
					sides[i] = NewSide(policy, settings, text)
				}
				r := Compare(sides[0], sides[1])
				if !r.Gained() || len(r.Bugs()) > 0 {
					b.Fatalf("%s, %d bugs", r.Verdict, len(r.Bugs()))
				}
				if err := r.WriteText(io.Discard, false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
