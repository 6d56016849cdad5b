package docs

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestSARIFIsValid: the output of `corsrpc check -o sarif` is valid SARIF 2.1.0 by the schema of OASIS.
// It has results, related places, a file that cannot be read, odd names, or nothing. The schema is in
// the tests of gosec, which golangci-lint requires.
func TestSARIFIsValid(t *testing.T) {
	t.Parallel()
	schema := sarifSchema(t)
	dir := t.TempDir()
	program := filepath.Join(dir, "corsrpc")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-C", "../../corsrpc/cmd", "-o", program, "./corsrpc").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for name, text := range map[string]string{
		"good.yaml":     "defaults: {allow_origins: [https://app.example.com]}",
		"bad.yaml":      "defaults: {allow_origns: [x]}\nrules:\n  - {selector: a.v1.S, allow_origins: ['*'], allow_credentials: true}\n",
		"100%: a,b\nc":  "x",
		"findings.yaml": "defaults: {allow_origins: ['https://*.example.com', https://app.example.com], allow_credentials: true, allow_origins_from: [tenants]}",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"good.yaml"}, {"bad.yaml"}, {"--strict", "findings.yaml"}, {"missing.yaml"}, {filepath.Join(dir, "bad.yaml")}, {"100%: a,b\nc", "bad.yaml", "missing.yaml", "findings.yaml", "git:HEAD:x", "."},
	} {
		command := exec.CommandContext(t.Context(), program, append([]string{"check", "-o", "sarif"}, args...)...)
		command.Dir = dir
		out, _ := command.Output() // the exit code tells of problems
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
		if err != nil {
			t.Fatalf("%q: %v: %s", args, err, out)
		}
		if err := schema.Validate(document); err != nil {
			t.Errorf("%q: %v: %s", args, err, out)
		}
		run := document.(map[string]any)["runs"].([]any)[0].(map[string]any)
		run["columnKind"] = "characters"
		if schema.Validate(document) == nil {
			t.Error("the schema takes a columnKind that does not exist")
		}
	}
}

// sarifSchema returns the schema of SARIF 2.1.0.
func sarifSchema(t *testing.T) *jsonschema.Schema {
	out, err := exec.CommandContext(t.Context(), "go", "mod", "download", "-C", "../tools/golangci", "-json", "github.com/securego/gosec/v2").Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(module.Dir, "report", "sarif", "testdata", "sarif-schema-2.1.0.json")
	schema, err := jsonschema.NewCompiler().Compile(file)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}
