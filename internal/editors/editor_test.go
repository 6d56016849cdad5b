package editors

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// editorFolder returns a folder with the schemas, as the commands of docs/editors.md write them.
func editorFolder(t *testing.T) string {
	t.Helper()
	bin, err := command()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, line := range []string{"corsrpc schema > cors.schema.json", "corsrpc schema test > cors_test.schema.json"} {
		cmd := exec.CommandContext(t.Context(), "bash", "-c", line)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
	return dir
}

// binFolder is the folder of the program corsrpc.
var binFolder string

// command builds the program corsrpc once, and returns its folder.
var command = sync.OnceValues(func() (string, error) {
	cmd := exec.Command("go", "build", "-o", binFolder, "./corsrpc")
	cmd.Dir = root + "/corsrpc/cmd"
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return binFolder, nil
})

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "corsrpc-editors-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binFolder = dir + string(os.PathSeparator)
	code := m.Run()
	_ = os.RemoveAll(dir) // the folder is temporary
	os.Exit(code)
}

// The first lines by which an editor finds the schema.
const (
	policyLine = "# yaml-language-server: $schema=cors.schema.json\n"
	testLine   = "# yaml-language-server: $schema=cors_test.schema.json\n"
)

// TestDiagnostics compares what yaml-language-server reports about files.
func TestDiagnostics(t *testing.T) {
	t.Parallel()
	dir := editorFolder(t)
	s := startLanguageServer(t, dir, nil)
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"without the line":      {"defaults: {allow_orgins: 1}\n", nil},
		"the line of JetBrains": {"# $schema: ./cors.schema.json\ndefaults: {allow_orgins: 1}\n", []string{"2:12 Property allow_orgins is not allowed."}},
		"a policy":              {policyLine + "defaults:\n  allow_origins: [https://app.example.com]\n  maxAge: 60s\n  expose: EXPOSURE_PRESENT\n  protocols: [CONNECT, GRPC_WEB]\n", nil},
		"a test":                {testLine + "policy: cors.yaml\ncases:\n  - from: https://app.example.com\n    call: a.v1.S.M\n    httpMethod: GET\n    expect: {blocked: {handler_runs: false}}\n", nil},
		"mistakes": {policyLine + "defaults:\n  allow_orgins: [https://app.example.com]\n  max_age: 7200\n  allow_headers: authorization\n  expose: PRESNT\n  tracing: yes\n  deny_headers: []\nrules:\n  - selector: a.v1.*\n    allow_credentials: true\n    allowCredentials: true\n", []string{
			"3:3 Property allow_orgins is not allowed.",
			"4:12 Incorrect type. Expected \"string\".",
			"5:18 Incorrect type. Expected \"array\".",
			"6:11 Value is not accepted. Valid values: \"PRESENT\", \"DECLARED\".",
			"7:12 Incorrect type. Expected \"boolean\".",
			"8:17 Array has too few items. Expected 1 or more.",
			"12:5 Property allowCredentials is not allowed.",
		}},
		"mistakes in a test": {testLine + "policy: cors.yaml\ncases:\n  - frm: https://app.example.com\n    protocol: CONNECTRPC\n    expect: {preflights: one}\n", []string{
			"4:5 Property frm is not allowed.",
			"5:15 Value is not accepted. Valid values: \"CONNECT\", \"GRPC_WEB\", \"MCP\".",
			"6:26 Incorrect type. Expected \"integer\".",
		}},
	} {
		found := s.open(filepath.Join(dir, strings.ReplaceAll(name, " ", "_")+".yaml"), c.text)
		slices.SortFunc(found, func(a, b diagnostic) int { return cmp.Compare(a.Range.Start.Line, b.Range.Start.Line) })
		var got []string
		for _, d := range found {
			got = append(got, d.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestHover: an editor shows the comment of a field in the .proto file, with its default and its example, in both spellings.
func TestHover(t *testing.T) {
	t.Parallel()
	dir := editorFolder(t)
	s := startLanguageServer(t, dir, nil)
	name := filepath.Join(dir, "cors.yaml")
	s.open(name, policyLine+`defaults:
  max_age: 60s
  allowHeaders: [authorization]
  expose: DECLARED
  accept_risks: [PLAIN_HTTP]
profiles:
  dev: {add_origins: [http://localhost:*]}
rules:
  - selector: a.v1.*
`)
	for _, c := range []struct {
		line, column int
		want         []string
	}{
		{2, 3, []string{"The rule for everything that no other rule covers", "Default: nothing is granted to anyone.\n\n```yaml\ndefaults:\n  allow_origins: [https://app.example.com]\n```"}},
		{3, 5, []string{"How long a browser may cache the answer to a preflight", "Default: 7200s.\n\n```yaml\nmax_age: 600s\n```"}},
		{4, 5, []string{"Request headers of the application", "Default: only the headers of the protocols."}},
		{5, 5, []string{"Which response headers scripts may read.", "Default: PRESENT for procedures, DECLARED for paths.", "Only expose_headers and the headers of the protocols: the status headers of gRPC"}},
		{6, 20, []string{"Risk is a risk that a rule can accept."}},
		{8, 4, []string{"Profile is a named level of a policy, such as one for development."}},
		{8, 10, []string{"Origins that are added to the allowed origins of every effective rule"}},
		{10, 6, []string{"The procedures that this rule is for, as a full protobuf name: a method (`acme.v1.Catalog.Get`)"}},
	} {
		var hover struct{ Contents struct{ Value string } }
		s.decode(s.request("textDocument/hover", at(name, c.line, c.column)), &hover)
		for _, want := range c.want {
			if !strings.Contains(hover.Contents.Value, want) {
				t.Errorf("%d:%d: %q is missing in\n%s", c.line, c.column, want, hover.Contents.Value)
			}
		}
	}
}

// TestCompletion: an editor suggests the fields in one spelling, and the values of enums by their short names.
func TestCompletion(t *testing.T) {
	t.Parallel()
	dir := editorFolder(t)
	s := startLanguageServer(t, dir, nil)
	for name, c := range map[string]struct {
		text         string
		line, column int
		want         []string // in the order of their declaration
		description  string   // of the first one
	}{
		"fields": {policyLine + "\n", 2, 1, []string{"defaults", "rules", "profiles", "schema_options", "enforcement", "shadow"}, "no other rule covers"},
		"fields of a rule": {policyLine + "rules:\n  - selector: a.v1.*\n    \n", 4, 5, []string{"path", "allow_origins", "allow_origins_from", "accept_risks", "allow_credentials", "allow_headers", "deny_headers", "tracing",
			"expose", "expose_headers", "hide_headers", "max_age", "protocols", "allow_methods", "disabled", "timing"}, "pattern syntax of Go's net/http.ServeMux"},
		"an enum":          {policyLine + "defaults:\n  expose: \n", 3, 11, []string{"PRESENT", "DECLARED"}, "The headers that the response carries"},
		"a list of enums":  {policyLine + "defaults:\n  accept_risks:\n    - \n", 4, 7, []string{"NULL_ORIGIN", "PLAIN_HTTP", "PUBLIC_SUFFIX", "UNKNOWN_SELECTORS", "ANY_INSTALLATION"}, "every sandboxed frame"},
		"a boolean":        {policyLine + "defaults:\n  tracing: \n", 3, 12, []string{"true", "false"}, ""},
		"fields of a test": {testLine + "\n", 2, 1, []string{"policy", "descriptors", "profile", "env", "sources", "path_prefixes", "server", "cases", "guarantees"}, "The policy file"},
		"fields of a case": {testLine + "cases:\n  - from: https://app.example.com\n    call: a.v1.S.M\n    expect:\n      \n", 6, 7, []string{"blocked", "readable", "preflights"}, "a network error"},
	} {
		file := filepath.Join(dir, strings.ReplaceAll(name, " ", "_")+".yaml")
		s.open(file, c.text)
		var list struct {
			Items []struct {
				Label         string
				Documentation any
			}
		}
		s.decode(s.request("textDocument/completion", at(file, c.line, c.column)), &list)
		var got []string
		first := ""
		for i, item := range list.Items {
			got = append(got, item.Label)
			if documentation, ok := item.Documentation.(map[string]any); ok && i == 0 {
				first, _ = documentation["value"].(string)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if !strings.Contains(first, c.description) {
			t.Errorf("%s: the description of %s is %q", name, c.want[0], first)
		}
	}
}

// TestSettings: the settings that docs/editors.md shows name the schema of each file.
func TestSettings(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(root + "/examples/policy-tests/editors/vscode-settings.json")
	if err != nil {
		t.Fatal(err)
	}
	var settings struct {
		YAML map[string]string `json:"yaml.schemas"`
	}
	if err := json.Unmarshal(text, &settings); err != nil {
		t.Fatal(err)
	}
	dir := editorFolder(t)
	s := startLanguageServer(t, dir, settings.YAML)
	for name, want := range map[string]string{"cors.yaml": "Property unknown is not allowed.", "cors_test.yaml": "Property unknown is not allowed.", "other.yaml": ""} {
		got := ""
		for _, d := range s.open(filepath.Join(dir, name), "unknown: 1\n") {
			got += d.Message
		}
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestTextFormat: a policy in protobuf's text format may begin with the comments by which tools find the schema.
func TestTextFormat(t *testing.T) {
	t.Parallel()
	var policy corsrpcv1.Policy
	file := policyfile.Parse("cors.txtpb", []byte("# proto-file: corsrpc/v1/policy.proto\n# proto-message: corsrpc.v1.Policy\ndefaults { tracing: true }\n"), &policy, maxText)
	if len(file.Problems) > 0 || !policy.GetDefaults().GetTracing() {
		t.Errorf("%v, %v", file.Problems, &policy)
	}
}
