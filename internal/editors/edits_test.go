package editors

import (
	"fmt"
	"strings"
	"testing"
)

// editedFiles are a policy and a test of a policy with the layouts of YAML that people use.
var editedFiles = []string{`# A comment
defaults:
  allow_origins: ["https://a.example", 'b://c']
rules:
- selector: a.v1.*  # all
  max_age: 60s
  tracing: true
`, `policy: cors.yaml
cases:
  - from: https://a.example
    call: a.v1.S.M
    headers: {a: "b"}
    expect:
      readable: {}
      preflights: 1
`}

// insertions are characters that have a meaning in YAML, or that have one in some versions of it.
var insertions = []string{" ", "\t", "\n", "\r", "\u00a0", "\u0085", "\u2028", "-", ":", "?", ",", "[", "]", "{", "}", "#", "'", "\"", "!", "|", "~", "1"}

// strictSyntax are the errors of the YAML parser of editors for texts that the layer reads: that parser asks for
// indentation within brackets and quotes that go on in the next line.
var strictSyntax = []string{
	"Flow map in block collection must be sufficiently indented",
	"Flow sequence in block collection must be sufficiently indented",
	`Missing closing "quote`,
	`Missing closing 'quote`,
}

// TestEdits changes files by one character. The schema accepts each changed file that the layer reads; an
// editor refuses it for its syntax only, and for few reasons.
func TestEdits(t *testing.T) {
	t.Parallel()
	var texts []text
	for k, file := range editedFiles {
		for i := range file {
			texts = append(texts, text{k, "yaml", file[:i] + file[i+1:], fmt.Sprintf("without byte %d", i)})
			for _, c := range insertions {
				texts = append(texts, text{k, "yaml", file[:i] + c + file[i:], fmt.Sprintf("%q before byte %d", c, i)})
			}
		}
	}
	accepted, refused, strict := 0, 0, map[string]int{}
	for i, r := range validate(t, texts) {
		x := texts[i]
		if r.accepted() {
			accepted++
			continue
		}
		if refused++; len(x.read().Problems) > 0 {
			continue
		}
		message := strings.TrimPrefix(r.Syntax, "YAMLParseError: ")
		known := false
		for _, s := range strictSyntax {
			if strings.HasPrefix(message, s) {
				strict[s]++
				known = true
			}
		}
		if !known {
			t.Errorf("%s: the %s is read, but an editor says %q\n%s", x.from, kinds[x.Kind].name, r, x.Text)
		}
	}
	for _, s := range strictSyntax {
		if strict[s] == 0 {
			t.Errorf("%q does not occur: remove it from strictSyntax", s)
		}
	}
	if accepted < len(texts)/4 || refused < len(texts)/4 {
		t.Errorf("an editor accepts %d of %d texts", accepted, len(texts))
	}
}
