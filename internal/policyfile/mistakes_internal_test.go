package policyfile

import (
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// TestExplainedRecovers: a panic of an explanation counts as none.
func TestExplainedRecovers(t *testing.T) {
	t.Parallel()
	if _, ok := explained(func() (mistake, bool) { panic("a mistake in the program") }); ok {
		t.Error("a panic is a mistake of the text")
	}
}

// TestLargeTextIsNotExplained: the error of a text that is too large to be explained is that of
// the library.
func TestLargeTextIsNotExplained(t *testing.T) {
	t.Parallel()
	padding := strings.Repeat(" ", maxExplained)
	for name, text := range map[string]string{"a.yaml": "defaults: {allow_origins: [*]}", "a.json": `{"defaults": {"allow_origins": [*]}}`, "a.textproto": "defaults {allow_origins: *}"} {
		small := Parse(name, []byte(text), &corsrpcv1.Policy{}, 1<<20)
		large := Parse(name, []byte(text+padding), &corsrpcv1.Policy{}, 1<<20)
		if small.Problems[0].Value != "*" || large.Problems[0].Value == "*" || !large.Fatal || large.Problems[0].Code != CodeSyntax {
			t.Errorf("%s: %+v, and if it is large: %+v", name, small.Problems, large.Problems)
		}
	}
}
