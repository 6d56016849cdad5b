package export_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/export"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
)

// TestNginxGolden compares the export of a rich policy with its golden file.
func TestNginxGolden(t *testing.T) {
	t.Parallel()
	x, err := export.Write(export.Nginx, richModel(t))
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/rich.nginx.conf"
	if *update {
		if err := os.WriteFile(golden, []byte(x.Text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if x.Text != string(want) {
		t.Errorf("the text is not that of %s: go test -update writes it. It is\n%s", golden, x.Text)
	}
}

// TestNginxReordered checks that the text does not depend on the order in which a policy is written.
func TestNginxReordered(t *testing.T) {
	t.Parallel()
	one := reordered(t, `
rules:
  - path: /a
    allow_origins: [https://b.example.com, "https://*.example.net", https://a.example.com, "null"]
    allow_headers: [x-b, authorization, x-a]
    allow_methods: [GET, DELETE, POST]
    expose_headers: [x-d, x-c]
    accept_risks: [NULL_ORIGIN, PUBLIC_SUFFIX]
  - path: /b
    allow_origins: [https://a.example.com]
`)
	two := reordered(t, `
rules:
  - path: /b
    allow_origins: [https://a.example.com]
  - path: /a
    allow_methods: [POST, GET, DELETE]
    expose_headers: [x-c, x-d]
    allow_headers: [authorization, x-a, x-b]
    accept_risks: [PUBLIC_SUFFIX, NULL_ORIGIN]
    allow_origins: ["null", "https://*.example.net", https://a.example.com, https://b.example.com]
`)
	if one != two {
		t.Errorf("the texts differ:\n%s\n%s", one, two)
	}
}

// reordered exports a policy without naming places in it.
func reordered(t *testing.T, text string) string {
	t.Helper()
	doc, err := corsrpc.ParsePolicy("p.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy())
	if err != nil {
		t.Fatal(err)
	}
	m, err := export.New(planaccess.Rules(plan), export.Options{OwnOrigins: []string{"https://api.example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	x, err := export.Write(export.Nginx, m)
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`(?m) # rules\[[0-9]\]$`).ReplaceAllString(x.Text, " # a rule")
}
