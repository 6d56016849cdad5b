package corsinspect_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestInspectorShowsFindings: the page and the JSON show the findings about the policy and its shadow
// policy, escaped, and how many they leave out.
func TestInspectorShowsFindings(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 30 {
		many = append(many, fmt.Sprintf("https://t%d.example.com", i))
	}
	_, h := newLayer(t, fmt.Sprintf(`
defaults:
  allow_origins: [%s, "https://*.example.com", "http://localhost:*"]
  deny_headers: [cookie]
shadow:
  defaults:
    allow_origins: [https://app.example.com]
    accept_risks: [PLAIN_HTTP]
`, strings.Join(many, ", ")))
	page := inspect(h, nil, "text/html").Body.String()
	for _, want := range []string{
		`<a href="#findings">Findings (22)</a>`,
		`<code>LOOPBACK_OUTSIDE_PROFILE</code>`, `It lets every page that a program on the visitor&#39;s machine serves call, in production too: write it in add_origins of a profile`,
		`<td class="value" data-label="Value">http://localhost:*</td><td data-label="Place in the policy">defaults.allow_origins[31] at cors.yaml:3:`,
		`because &#34;https://*.example.com&#34; in the same list matches it`, "10 more are not shown.",
		"Findings about the shadow policy (1)", "shadow.defaults.accept_risks[0] at cors.yaml:8:20",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not contain %q", want)
		}
	}
	type policy struct {
		Findings     []struct{ Kind, Meaning, Value, Message, Remedy, From string }
		FindingsLeft int `json:"findings_left"`
	}
	var in struct{ Policy, Shadow policy }
	if err := json.Unmarshal(inspect(h, nil, "application/json").Body.Bytes(), &in); err != nil {
		t.Fatal(err)
	}
	if n, left := len(in.Policy.Findings), in.Policy.FindingsLeft; n != 22 || left != 10 {
		t.Errorf("%d findings, %d are left out", n, left)
	}
	for _, f := range append(in.Policy.Findings, in.Shadow.Findings...) {
		if f.Kind == "" || f.Meaning == "" || f.Value == "" || f.Message == "" || f.Remedy == "" || f.From == "" {
			t.Errorf("%+v", f)
		}
	}
	if len(in.Shadow.Findings) != 1 || in.Shadow.Findings[0].Kind != "RISK_NOT_NEEDED" {
		t.Errorf("the shadow policy: %+v", in.Shadow.Findings)
	}
	_, h = newLayer(t, allowPage)
	if page := inspect(h, nil, "text/html").Body.String(); !strings.Contains(page, `<a href="#findings">Findings (0)</a>`) || strings.Contains(page, "more are not shown") {
		t.Error("the page of a policy without findings shows some")
	}
}
