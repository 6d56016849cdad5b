package editors

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// kind is one of the kinds of files: its schema, and the message that it holds.
type kind struct {
	name    string
	schema  string
	message func() proto.Message
}

var kinds = []kind{
	{"policy", "../../corsrpc/cmd/internal/jsonschema/policy.schema.json", func() proto.Message { return &corsrpcv1.Policy{} }},
	{"test", "../../corsrpc/cmd/internal/jsonschema/policytest.schema.json", func() proto.Message { return &corsrpcv1.PolicyTest{} }},
	{"gateway", "../../corsrpc/cmd/internal/jsonschema/gateway.schema.json", func() proto.Message { return &corsrpcv1.Gateway{} }},
}

// text is a text that is read as one kind of file.
type text struct {
	Kind   int    `json:"schema"` // the index in kinds
	Format string `json:"format"` // yaml or json
	Text   string `json:"text"`
	from   string // where the text comes from
}

// read reads the text as the layer does.
func (x text) read() *policyfile.File {
	const maxBytes = 1 << 20
	return policyfile.Parse("cors."+x.Format, []byte(x.Text), kinds[x.Kind].message(), maxBytes)
}

// refusal is what an editor reports about a text: an error of syntax, or of the schema.
type refusal struct{ Syntax, Error string }

func (r refusal) accepted() bool { return r == refusal{} }

// needNode returns the folder of the npm packages. It fails if they are not installed.
func needNode(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat("node/node_modules/.package-lock.json"); err != nil {
		t.Fatal("internal/editors/node/node_modules is missing: run `make editors-node`, or `npm ci` in internal/editors/node")
	}
	return "node"
}

// validate validates texts with the schemas, in one process.
func validate(t *testing.T, texts []text) []refusal {
	t.Helper()
	var in bytes.Buffer
	lines := json.NewEncoder(&in)
	for _, x := range texts {
		if err := lines.Encode(x); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{needNode(t) + "/validate.mjs"}
	for _, k := range kinds {
		args = append(args, k.schema)
	}
	cmd := exec.CommandContext(t.Context(), "node", args...)
	cmd.Stdin = &in
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("validate.mjs: %v\n%s", err, &errs)
	}
	var results []refusal
	for line := range bytes.Lines(out) {
		var r refusal
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		results = append(results, r)
	}
	if len(results) != len(texts) {
		t.Fatalf("%d results for %d texts", len(results), len(texts))
	}
	return results
}
