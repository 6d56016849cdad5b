package policyfile_test

import (
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// edited are policies to which TestEdits makes a mistake.
var edited = map[string]string{
	"a.yaml": `defaults:
  allow_origins:
    - https://app.example.com
    - "https://*.example.com"
  max_age: 7200s
  expose: PRESENT
rules:
  - selector: acme.catalog.v1.CatalogService
    allow_credentials: true
    allow_headers: [x-tenant-id, "x-request-*"]
  - path: /upload
    allow_methods: [PUT, PATCH]
profiles:
  dev:
    add_origins: ["http://localhost:*"]
`,
	"a.json": `{
  "defaults": {
    "allow_origins": ["https://app.example.com", "*"],
    "max_age": "7200s"
  },
  "rules": [
    {"selector": "a.b.C", "tracing": true, "allow_headers": ["x-a"]},
    {"path": "/upload", "allow_methods": ["PUT"]}
  ]
}
`,
}

// TestEdits removes each quote, bracket, brace, colon and comma of a valid policy, and inserts a
// tab before each line. If the text is invalid then, the problem is in the line of the mistake or
// in one next to it, and says what to write.
func TestEdits(t *testing.T) {
	t.Parallel()
	for name, text := range edited {
		for i, c := range []byte(text) {
			line := strings.Count(text[:i], "\n") + 1
			changed := text[:i] + text[i+1:]
			switch {
			case name == "a.yaml" && (i == 0 || text[i-1] == '\n') && text[i] == ' ':
				changed = text[:i] + "\t" + text[i:]
			case strings.IndexByte("\"[]{}:,", c) < 0:
				continue
			}
			f := policyfile.Parse(name, []byte(changed), &corsrpcv1.Policy{}, limit)
			if len(f.Problems) == 0 || f.Problems[0].Code != policyfile.CodeSyntax {
				continue
			}
			p := f.Problems[0]
			if i == len(text)-2 && p.Pos == (policyfile.Position{Line: 1, Column: 1}) && p.Fix == "} at the end of the file" {
				continue // the brace around the whole policy
			}
			if p.Pos.Line < line-1 || p.Pos.Line > line+1 || strings.Contains(p.Reason, "is not valid") {
				t.Errorf("%s without %q in line %d: %+v", name, c, line, p)
			}
		}
	}
}
