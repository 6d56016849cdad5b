package editors

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestJSON: VS Code reports mistakes in a policy in JSON, shows the comments of fields, and suggests fields and values.
func TestJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text            string
		hover, complete [2]int
		diagnostics     []string
		shown           string
		completion      []string
	}{
		{
			text:       "{\n  \"defaults\": {\n    \"maxAge\": \"60s\",\n    \"expose\": \n  }\n}",
			hover:      [2]int{2, 6},
			complete:   [2]int{3, 14},
			shown:      "Default: 7200s.\n\n```yaml\nmax_age: 600s\n```",
			completion: []string{`"PRESENT"`, `"DECLARED"`},
			diagnostics: []string{
				"5:3 Value expected",
			},
		},
		{
			text:       "{\n  \"defaults\": {\"allow_orgins\": [], \"max_age\": 60, \"expose\": \"PRESNT\"},\n  \"schemaOptions\": \"FULL\",\n  \"schema_options\": \"FULL\",\n  \"\"\n}",
			hover:      [2]int{1, 5},
			complete:   [2]int{4, 3},
			shown:      "Default: nothing is granted to anyone.",
			completion: []string{"rules", "profiles", "enforcement", "shadow"},
			diagnostics: []string{
				"2:16 Property allow_orgins is not allowed.",
				`2:47 Incorrect type. Expected "string".`,
				`2:61 Value is not accepted. Valid values: "PRESENT", "DECLARED".`,
				"3:3 Property schemaOptions is not allowed.",
				"6:1 Colon expected",
			},
		},
	} {
		in, err := json.Marshal(map[string]any{"text": c.text, "hover": c.hover, "complete": c.complete})
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "node", needNode(t)+"/json.mjs", kinds[0].schema)
		cmd.Stdin = strings.NewReader(string(in))
		var errs strings.Builder
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("json.mjs: %v\n%s", err, &errs)
		}
		var got struct {
			Diagnostics []string
			Hover       string
			Completion  []string
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatal(err)
		}
		slices.Sort(got.Diagnostics)
		if !slices.Equal(got.Diagnostics, c.diagnostics) || !strings.Contains(got.Hover, c.shown) || !slices.Equal(got.Completion, c.completion) {
			t.Errorf("%s:\n%q, want %q\n%q, want %q\n%q, want %q", c.text, got.Diagnostics, c.diagnostics, got.Completion, c.completion, got.Hover, c.shown)
		}
	}
}
