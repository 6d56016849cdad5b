package yamltext_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/yamltext"
)

func TestComment(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 200)
	tests := map[string]struct {
		first, next, text string
		want              []string
	}{
		"short":                {"# ", "# ", "two words", []string{"# two words"}},
		"empty":                {"# ", "# ", "", []string{"#"}},
		"spaces":               {"# ", "# ", "  two   words ", []string{"# two words"}},
		"item":                 {"# - ", "#   ", strings.Repeat("word ", 22), []string{"# - " + strings.Repeat("word ", 20) + "word", "#   word"}},
		"line of full width":   {"# ", "# ", strings.Repeat("x", 108) + " y", []string{"# " + strings.Repeat("x", 108), "# y"}},
		"long word":            {"# ", "# ", "a " + long + " b", []string{"# a", "# " + long, "# b"}},
		"line breaks":          {"# ", "# ", "a\nallow_origins: [\"*\"]\r\u0085\u2028b", []string{`# a\nallow_origins: ["*"]\r\u0085\u2028b`}},
		"escapes of terminals": {"# ", "# ", "\x1b[2J", []string{`# \x1b[2J`}},
	}
	for name, test := range tests {
		if got := yamltext.Comment(test.first, test.next, test.text); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// TestStrings checks that a YAML parser reads each string as it was, alone and in a list.
func TestStrings(t *testing.T) {
	t.Parallel()
	texts := []string{
		"", "a", "authorization", "https://app.example.com", "https://app.example.com:8443", "https://*.example.com", "*", "null", "Null", "~", "true", "No", "y", "off", "1", "0x1f", "1e3",
		".inf", "-", "- a", "a: b", "a:", "a #b", "#", "&a", "!a", "%a", "@a", "`", "'", `"`, `\`, "[a]", "{a}", "${NAME}", "${NAME:-https://app.example.com}", " a ", "a,b", "x-2026-11-27", "2026-11-27",
		"a\nb", "a\tb", "\x00", "\a\b\v\f\r\x1b\x7f", "\u0085", "\u2028", "\ufeff", "é", "\U0001f600", "<a>&b",
	}
	for _, text := range texts {
		for form, written := range map[string]string{"Quoted": yamltext.Quoted(text), "String": yamltext.String(text)} {
			var got any
			if err := yaml.Unmarshal([]byte("field: "+written+"\n"), &got); err != nil || fmt.Sprint(got) != fmt.Sprint(map[string]any{"field": text}) {
				t.Errorf("%s(%q) is %s, which YAML reads as %#v, %v", form, text, written, got, err)
			}
		}
	}
	var got []any
	if err := yaml.Unmarshal([]byte(yamltext.List(texts)), &got); err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		if got[i] != text {
			t.Errorf("item %d of the list: %#v, want %q", i, got[i], text)
		}
	}
	if got := yamltext.String("https://app.example.com:8443"); got != "https://app.example.com:8443" {
		t.Errorf("an origin is written as %s", got)
	}
}
