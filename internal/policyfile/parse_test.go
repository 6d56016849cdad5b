package policyfile_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

const limit = 8 << 20

// same holds one policy in several formats and spellings.
var same = map[string]string{
	"cors.yaml": `
defaults:
  allow_origins: [https://app.example.com, "*"]
  expose: PRESENT
  max_age: 1.5s
rules:
  - selector: acme.*
    allow_credentials: true
    accept_risks: [NULL_ORIGIN, RISK_PLAIN_HTTP]
profiles:
  dev: {add_origins: ["http://localhost:*"]}
`,
	"camel.yml": `
defaults:
  allowOrigins: [https://app.example.com, "*"]
  expose: EXPOSURE_PRESENT
  maxAge: 1.500s
rules:
  - selector: acme.*
    allowCredentials: true
    acceptRisks: [RISK_NULL_ORIGIN, PLAIN_HTTP]
profiles:
  "dev": {addOrigins: ["http://localhost:*"]}
`,
	"cors.json": `{"defaults": {"allow_origins": ["https:\/\/app.example.com", "\u002a"], "expose": "PRESENT", "maxAge": "1.5s"},
"rules": [{"selector": "acme.*", "allow_credentials": true, "accept_risks": ["NULL_ORIGIN", "PLAIN_HTTP"]}],
"profiles": {"dev": {"add_origins": ["http://localhost:*"]}}}`,
	"cors.textproto": `
defaults { allow_origins: ["https://app.example.com", "*"] expose: EXPOSURE_PRESENT max_age { seconds: 1 nanos: 500000000 } }
rules { selector: "acme.*" allow_credentials: true accept_risks: [RISK_NULL_ORIGIN, RISK_PLAIN_HTTP] }
profiles { key: "dev" value { add_origins: "http://localhost:*" } }
`,
}

func TestFormatsAreEquivalent(t *testing.T) {
	t.Parallel()
	var want corsrpcv1.Policy
	if err := prototext.Unmarshal([]byte(same["cors.textproto"]), &want); err != nil {
		t.Fatal(err)
	}
	b, err := proto.Marshal(&want)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"cors.binpb": string(b), "bom.yaml": "\ufeff" + same["cors.yaml"], "bom.json": "\ufeff" + same["cors.json"], "bom.txtpb": "\ufeff" + same["cors.textproto"], "crlf.yaml": strings.ReplaceAll(same["cors.yaml"], "\n", "\r\n"), "CORS.YAML": same["cors.yaml"]}
	for name, text := range same {
		texts[name] = text
	}
	for name, text := range texts {
		var got corsrpcv1.Policy
		f := policyfile.Parse(name, []byte(text), &got, limit)
		if len(f.Problems) > 0 || f.Fatal || !proto.Equal(&got, &want) {
			t.Errorf("%s: %v\n%v", name, f.Problems, &got)
		}
	}
}

func TestPositions(t *testing.T) {
	t.Parallel()
	tests := map[string]map[string]policyfile.Position{
		"cors.yaml": {
			"defaults": {3, 3}, "defaults.allow_origins": {3, 18}, "defaults.allow_origins[0]": {3, 19}, "defaults.allow_origins[1]": {3, 44},
			"defaults.max_age": {5, 12}, "rules[0]": {7, 5}, "rules[0].allow_credentials": {8, 24}, `profiles["dev"].add_origins[0]`: {11, 23},
		},
		"cors.json": {
			"defaults": {1, 14}, "defaults.allow_origins[1]": {1, 62}, "rules[0]": {2, 11}, "rules[0].selector": {2, 24}, `profiles["dev"].add_origins[0]`: {3, 38},
		},
	}
	for name, positions := range tests {
		f := policyfile.Parse(name, []byte(same[name]), &corsrpcv1.Policy{}, limit)
		for field, want := range positions {
			if got, ok := f.Position(field); !ok || got != want {
				t.Errorf("%s: %s at %v %v, want %v", name, field, got, ok, want)
			}
		}
		if _, ok := f.Position("defaults.disabled"); ok {
			t.Errorf("%s: a field that is not set has a place", name)
		}
	}
}

// TestBadText tests texts that a file in YAML cannot hold, and a few others. The corpus of
// internal/vectors has the rest.
func TestBadText(t *testing.T) {
	t.Parallel()
	unknown, err := proto.Marshal(&corsrpcv1.Policy{Rules: []*corsrpcv1.Rule{{Selector: "*"}}})
	if err != nil {
		t.Fatal(err)
	}
	unknown = append(unknown, 0xfa, 0x3f, 1, 'x') // field 1023
	tests := []struct{ name, file, text, code, field, at string }{
		{"not UTF-8", "a.yaml", "defaults:\n  é \xff", policyfile.CodeNotUTF8, "", "2:5"},
		{"not UTF-8, JSON", "a.json", "{\"\xff\"", policyfile.CodeNotUTF8, "", "1:3"},
		{"too large", "a.yaml", strings.Repeat("#", limit+1), policyfile.CodeTooLarge, "", "0:0"},
		{"too large, textproto", "a.textproto", strings.Repeat("#", limit+1), policyfile.CodeTooLarge, "", "0:0"},
		{"truncated JSON", "a.json", `{"defaults": {"allow_origins": ["https://a`, policyfile.CodeSyntax, "", "1:33"},
		{"JSON with something behind", "a.json", "{}\n{}", policyfile.CodeSyntax, "", "2:1"},
		{"JSON with a comment", "a.json", "// no\n{}", policyfile.CodeSyntax, "", "1:1"},
		{"JSON key twice", "a.json", `{"defaults": {"tracing": true, "tracing": false}}`, policyfile.CodeDuplicateKey, "defaults.tracing", "1:32"},
		{"JSON that is a list", "a.json", "[]", policyfile.CodeWrongType, "", "1:1"},
		{"JSON null", "a.json", "null", policyfile.CodeEmptyFile, "", "0:0"},
		{"a string", "a.yaml", "just text", policyfile.CodeWrongType, "", "1:1"},
		{"tabs", "a.yaml", "defaults:\n\tallow_origins: [x]", policyfile.CodeSyntax, "", "2:1"},
		{"a comment with a field behind U+2028", "a.yaml", "defaults: {}\n# about them\u2028enforcement: OBSERVE", policyfile.CodeSyntax, "", "2:13"},
		{"a comment with a field behind U+2029", "a.yaml", "# about them\u2029defaults: {}", policyfile.CodeSyntax, "", "1:13"},
		{"a comment with a field behind U+0085", "a.yaml", "# about them\u0085defaults: {}", policyfile.CodeSyntax, "", "1:13"},
		{"a comment with a field behind a carriage return", "a.yaml", "# about them\rdefaults: {}", policyfile.CodeSyntax, "", "1:13"},
		{"a field that is a comment of the text format, behind a carriage return", "a.txtpb", "# about them\rdefaults { disabled: true }", policyfile.CodeSyntax, "", "1:13"},
		{"a field that is a comment of the text format, behind U+2028", "a.txtpb", "# about them\u2028defaults { disabled: true }", policyfile.CodeSyntax, "", "1:13"},
		{"a carriage return at the end", "a.yaml", "defaults: {}\r", policyfile.CodeSyntax, "", "1:13"},
		{"a merge key", "a.yaml", "a: &a {tracing: true}\ndefaults:\n  <<: *a", policyfile.CodeAlias, "", "3:3"},
		{"a tag", "a.yaml", "defaults: !!binary aGk=", policyfile.CodeWrongType, "defaults", "1:11"},
		{"a tag of an application", "a.yaml", "defaults: !policy {}", policyfile.CodeWrongType, "defaults", "1:11"},
		{"a key that is a list", "a.yaml", "? [a]\n: b", policyfile.CodeWrongType, "", "1:3"},
		{"null", "a.yaml", "defaults:\n", policyfile.CodeWrongType, "defaults", "1:10"},
		{"a float for an enum", "a.yaml", "enforcement: 1.5", policyfile.CodeWrongType, "enforcement", "1:14"},
		{"a name twice in a map", "a.yaml", "profiles:\n  dev: {}\n  dev: {}", policyfile.CodeDuplicateKey, `profiles["dev"]`, "3:3"},
		{"hours", "a.yaml", "defaults: {max_age: 2h}", policyfile.CodeWrongType, "defaults.max_age", "1:21"},
		{"truncated binary", "a.binpb", "\x0a\x7f", policyfile.CodeSyntax, "", "0:0"},
		{"unknown fields in a binary", "a.pb", string(unknown), policyfile.CodeUnknownField, "", "0:0"},
		{"an empty binary", "a.pb", "", policyfile.CodeEmptyFile, "", "0:0"},
		{"textproto that ends early", "a.txtpb", "defaults {", policyfile.CodeSyntax, "", "1:10"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := policyfile.Parse(test.file, []byte(test.text), &corsrpcv1.Policy{}, limit)
			for _, p := range f.Problems {
				if p.Code == test.code && p.Field == test.field && fmt.Sprintf("%d:%d", p.Pos.Line, p.Pos.Column) == test.at {
					return
				}
			}
			t.Errorf("%+v, want %s of %q at %s", f.Problems, test.code, test.field, test.at)
		})
	}
}

func TestFixes(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, fix string }{
		{"defaults: {max_age: 2h}", "7200s"},
		{"defaults: {max_age: 90m}", "5400s"},
		{"defaults: {max_age: 600}", "600s"},
		{"defaults: {tracing: on}", "true"},
		{"defaults: {tracing: 'no'}", "false"},
		{"defaults: {allow_origins: '*'}", `["*"]`},
		{"defaults: {allow_headers: [1]}", `"1"`},
		{"defaults: {allowedOrigins: []}", "allow_origins"},
		{"defaults: {credentials: true}", "allow_credentials"},
		{"defaults: {exposed-headers: [x]}", "expose_headers"},
		{"defaults: {methods: [GET]}", "allow_methods"},
		{"defualts: {}", "defaults"},
		{"rules: [{selectr: a.b}]", "selector"},
		{"rules: [{procedure: a.b}]", "selector"},
		{"enforcement: observed", "OBSERVE"},
		{"defaults: {expose: PRESNT}", "PRESENT"},
	}
	for _, test := range tests {
		f := policyfile.Parse("a.yaml", []byte(test.text), &corsrpcv1.Policy{}, limit)
		if len(f.Problems) == 0 || f.Problems[0].Fix != test.fix {
			t.Errorf("%s: %+v, want the fix %s", test.text, f.Problems, test.fix)
		}
	}
}

// TestHostileTexts: parsing a text of nearly the maximum size takes bounded memory and returns
// a bounded number of problems.
func TestHostileTexts(t *testing.T) {
	size := limit - 1024
	if raceDetector {
		size /= 16 // the detector multiplies time and memory; make test also runs this test without it
	}
	fill := func(before, part, after string) string {
		return before + strings.Repeat(part, (size-len(before)-len(after))/len(part)) + after
	}
	numbered := func(format string) string {
		var b strings.Builder
		for i := 0; b.Len() < size-100; i++ {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'z'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", c-1), 9), ","))
	}
	texts := map[string]string{
		"lists in lists.yaml":          fill("", "[", ""),
		"mappings in mappings.yaml":    fill("", "{a: ", ""),
		"items in items.yaml":          fill("", "- ", ""),
		"complex keys.yaml":            fill("", "? ", ""),
		"indented.yaml":                numbered("%[1]d:\n "),
		"alias bomb.yaml":              bomb,
		"aliases.yaml":                 fill("defaults: &a {}\nrules: [", "*a, ", "]"),
		"anchors.yaml":                 numbered("k%[1]d: &a%[1]d x\n"),
		"one scalar.yaml":              fill("defaults: ", "x", ""),
		"one quoted scalar.yaml":       fill(`defaults: "`, "x", `"`),
		"an unclosed quote.yaml":       fill(`defaults: "`, "x\n", ""),
		"distinct keys.yaml":           numbered("k%d: x\n"),
		"one key.yaml":                 fill("", "defaults: x\n", ""),
		"comments.yaml":                fill("", "# x\n", ""),
		"items.yaml":                   fill("defaults:\n  allow_origins:\n", "  - a\n", ""),
		"origins.yaml":                 "defaults:\n  allow_origins:\n" + numbered("  - https://a%d.example.com\n"),
		"rules.yaml":                   fill("rules:\n", "  - {}\n", ""),
		"blank lines.yaml":             fill("", "\n", "defaults: {}"),
		"documents.yaml":               fill("", "---\n", ""),
		"tags.yaml":                    fill("", "!a ", ""),
		"block scalars.yaml":           numbered("k%d: |\n x\n"),
		"lists in lists.json":          fill("", "[", ""),
		"mappings in mappings.json":    fill("", `{"a":`, ""),
		"distinct keys.json":           "{" + numbered(`"k%d":1,`) + `"a":1}`,
		"items.json":                   fill(`{"defaults":{"allow_origins":[`, `"a",`, `"a"]}}`),
		"one string.json":              fill(`{"defaults":"`, "x", `"}`),
		"blank lines.json":             fill("", "\n", "{}"),
		"messages in messages.txtpb":   fill("", "defaults {", ""),
		"angles in angles.txtpb":       fill("", "defaults <", ""),
		"shadows.txtpb":                fill("", "shadow { ", ""),
		"items.txtpb":                  fill("defaults {", `allow_origins: "a" `, "}"),
		"rules.txtpb":                  fill("", "rules {}", ""),
		"shadows in shadows.binpb":     strings.Repeat("\x32\x80\x80\x80\x04", size/5),
		"truncated in the middle.yaml": fill("defaults:\n  allow_origins: [", "a, ", `"`),
	}
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			f := policyfile.Parse(name, []byte(text), &corsrpcv1.Policy{}, limit)
			runtime.ReadMemStats(&after)
			// The total of allocations is an upper bound of the live memory.
			const maxBytes = 1 << 30
			if got := after.TotalAlloc - before.TotalAlloc; got > maxBytes {
				peak := after.HeapSys - min(before.HeapSys, after.HeapSys)
				if peak > maxBytes {
					t.Errorf("took %d MiB, and the heap grew by %d MiB", got>>20, peak>>20)
				}
			}
			if len(f.Problems) > 101 {
				t.Errorf("%d problems", len(f.Problems))
			}
			size := 0
			for _, p := range f.Problems {
				size += len(p.Value) + len(p.Reason) + len(p.Fix) + len(p.Field)
			}
			if size > 64<<10 {
				t.Errorf("%d bytes of problems", size)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"allow_origins", "allow_headers", "max_age"}
	tests := map[string]string{"allow_orgins": "allow_origins", "alow_headers": "allow_headers", "MaxAge": "max_age", "maxage": "max_age", "colour": "", "": "", strings.Repeat("a", 10000): ""}
	for word, want := range tests {
		if got, _ := policyfile.Nearest(word, known); got != want {
			t.Errorf("%.20s: %q, want %q", word, got, want)
		}
	}
}
