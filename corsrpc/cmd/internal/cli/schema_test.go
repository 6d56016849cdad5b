package cli

import (
	"bytes"
	"os"
	"testing"
)

// TestSchema compares what schema prints with the generated files.
func TestSchema(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		file string
	}{
		{[]string{"schema"}, "policy.schema.json"},
		{[]string{"schema", "policy"}, "policy.schema.json"},
		{[]string{"schema", "test"}, "policytest.schema.json"},
		{[]string{"schema", "gateway"}, "gateway.schema.json"},
	} {
		want, err := os.ReadFile("../jsonschema/" + c.file)
		if err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		if code := Run(t.Context(), Streams{Out: &out, Err: &errs}, c.args); code != exitFine || out.String() != string(want) || errs.Len() > 0 {
			t.Errorf("%q: exit %d, %d bytes of %d: %s", c.args, code, out.Len(), len(want), &errs)
		}
	}
}
