package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// largeSchema writes a FileDescriptorSet with services of ten methods each.
func largeSchema(t *testing.T, file string, services int) {
	f := &descriptorpb.FileDescriptorProto{Name: proto.String("a.proto"), Package: proto.String("acme.v1"), Syntax: proto.String("proto3"), MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M")}}}
	for i := range services {
		s := &descriptorpb.ServiceDescriptorProto{Name: proto.String(fmt.Sprintf("S%04d", i))}
		for j := range 10 {
			s.Method = append(s.Method, &descriptorpb.MethodDescriptorProto{Name: proto.String(fmt.Sprintf("M%d", j)), InputType: proto.String(".acme.v1.M"), OutputType: proto.String(".acme.v1.M")})
		}
		f.Service = append(f.Service, s)
	}
	data, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{f}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestShowOfALargeSchema: the rules of 10,000 procedures take some lines; --all and JSON name each
// service and each procedure.
func TestShowOfALargeSchema(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	image, policy := filepath.Join(dir, "image.binpb"), filepath.Join(dir, "cors.yaml")
	largeSchema(t, image, 1000)
	text := "defaults: {allow_origins: [https://app.example.com"
	for i := range 100 {
		text += fmt.Sprintf(", https://o%d.example.com", i)
	}
	text += "]}\nrules:\n"
	for i := range 50 {
		text += fmt.Sprintf("  - {selector: acme.v1.S%04d.M3, allow_origins: [https://app.example.com]}\n", i)
	}
	if err := os.WriteFile(policy, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	show := func(flags ...string) string {
		var out, errs bytes.Buffer
		if code := Run(t.Context(), Streams{Out: &out, Err: &errs}, append(append([]string{"show", "--descriptors", image}, flags...), policy)); code != exitFine {
			t.Fatalf("exit %d: %s", code, &errs)
		}
		return out.String()
	}
	short := show()
	for _, want := range []string{
		"Procedures of the schema (10000, with 51 different rules)", "acme.v1.S0000: M0, M1, M2, M4, M5, M6, M7, M8, M9 (9 of 10 procedures)",
		"and 980 more services (--all shows them)", "and 81 more origins (--all shows them)", "acme.v1.S0000: M3 (1 of 10 procedures)",
	} {
		if !strings.Contains(short, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if n := strings.Count(short, "\n"); n > 1500 {
		t.Errorf("%d lines", n)
	}
	all := show("--all")
	if !strings.Contains(all, "acme.v1.S0999: all 10 procedures") || !strings.Contains(all, "https://o99.example.com") || strings.Contains(all, "--all") {
		t.Error("--all leaves something out")
	}
	var document struct{ Procedures []struct{ Names []string } }
	if err := json.Unmarshal([]byte(show("-o", "json")), &document); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, g := range document.Procedures {
		names = append(names, g.Names...)
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) != 10_000 || len(document.Procedures) != 51 {
		t.Errorf("%d names in %d groups", len(names), len(document.Procedures))
	}
}

// TestFindingsLeft: corsrpc lists a bounded number of findings, and check says that there are more.
func TestFindingsLeft(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "cors.yaml")
	text := "defaults: {allow_origins: ['https://*.example.com'"
	for i := range 60 {
		text += fmt.Sprintf(", https://o%d.example.com", i)
	}
	if err := os.WriteFile(file, []byte(text+"]}\nprofiles: {dev: {}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		flags string
		code  int
		want  string
	}{
		{"", exitFine, "loads, with 20 findings, and at least 40 more: --strict shows them\n"}, {"--strict", exitFindings, ": 20 findings, and at least 40 more\n"}, {"--strict -o json", exitFindings, `"findings_left": 40`},
	} {
		var out, errs bytes.Buffer
		code := Run(t.Context(), Streams{Out: &out, Err: &errs}, append(strings.Fields("check "+c.flags), file))
		if code != c.code || !strings.Contains(out.String()+errs.String(), c.want) {
			t.Errorf("%s: exit %d: %s", c.flags, code, &errs)
		}
	}
}

// TestSARIFRules: the rules of the SARIF output are all checks and all kinds of findings.
func TestSARIFRules(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	if code := Run(t.Context(), Streams{In: strings.NewReader("defaults: {allow_origins: [https://app.example.com]}"), Out: &out, Err: &errs}, []string{"check", "-o", "sarif", "-"}); code != exitFine {
		t.Fatalf("exit %d: %s", code, &errs)
	}
	var document struct {
		Runs []struct {
			Tool struct {
				Driver struct {
					Rules []struct {
						ID               string
						ShortDescription struct{ Text string }
						Configuration    struct{ Level string } `json:"defaultConfiguration"`
					}
				}
			}
		}
	}
	if err := json.Unmarshal(out.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	rules := document.Runs[0].Tool.Driver.Rules
	var want []string
	for _, c := range corsrpc.Checks() {
		want = append(want, string(c)+" error: "+c.Purpose())
	}
	for _, k := range corsrpc.FindingKinds() {
		want = append(want, string(k)+" warning: "+k.Meaning())
	}
	if len(rules) != len(want) {
		t.Fatalf("%d rules, want %d", len(rules), len(want))
	}
	for i, r := range rules {
		head, text, _ := strings.Cut(want[i], ": ")
		if r.ID+" "+r.Configuration.Level != head || !strings.Contains(r.ShortDescription.Text, text) {
			t.Errorf("%+v, want %s", r, want[i])
		}
	}
}

// TestFolderIn: names in annotations are relative to the root of the repository, if that is known.
func TestFolderIn(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"/w/repo", "/w/repo", ""}, {"/w/repo", "/w/repo/services/api", "services/api"}, {"/w/repo", "/w/repository", ""}, {"/w/repo", "/w", ""}, {"", "/w/repo", ""}, {"/w/repo", "/w/repo/..x", "..x"}, {"/w/repo/", "/w/repo/a", "a"}, {"repo", "/w/repo/a", ""},
	} {
		if got := folderIn(c[0], c[1]); got != c[2] {
			t.Errorf("%s in %s: %q, want %q", c[1], c[0], got, c[2])
		}
	}
}
