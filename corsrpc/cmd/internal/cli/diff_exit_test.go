package cli_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/cli"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/policydiff"
	"github.com/corsrpc/corsrpc-go/internal/analysis"
)

const (
	allowsApp  = "defaults:\n  allow_origins: [https://app.example.com]\n"
	allowsBoth = "defaults:\n  allow_origins: [https://app.example.com, https://shop.example.com]\n"
)

// TestDiffExit checks the exit code for each verdict, with and without parts that are undecided and witnesses
// that do not show their difference.
func TestDiffExit(t *testing.T) {
	t.Parallel()
	verdicts := []analysis.Verdict{analysis.Same, analysis.Stricter, analysis.Wider, analysis.Both}
	for _, test := range []struct {
		failOn         string
		undecided, bug bool
		want           [4]int // for each of the verdicts
	}{
		{"", false, false, [4]int{0, 0, 0, 0}},
		{"", true, false, [4]int{0, 0, 0, 0}},
		{"", false, true, [4]int{3, 3, 3, 3}},
		{"wider", false, false, [4]int{0, 0, 1, 1}},
		{"wider", true, false, [4]int{3, 3, 1, 1}},
		{"wider", false, true, [4]int{3, 3, 3, 3}},
		{"any", false, false, [4]int{0, 1, 1, 1}},
		{"any", true, false, [4]int{3, 1, 1, 1}},
		{"any", true, true, [4]int{3, 3, 3, 3}},
	} {
		for i, verdict := range verdicts {
			result := &policydiff.Result{Verdict: verdict}
			if test.undecided {
				result.Undecided = []string{"a pattern has too many readings"}
			}
			if test.bug {
				result.Differences = []policydiff.Difference{{Sentence: "a sentence", Witness: policydiff.Witness{Bug: "both alike"}}}
			}
			var stderr strings.Builder
			got := cli.DiffExit(test.failOn, &stderr, result)
			if got != test.want[i] || test.bug != strings.Contains(stderr.String(), "both alike") {
				t.Errorf("--fail-on %q, undecided %v, bug %v: %s exits with %d, want %d: %s", test.failOn, test.undecided, test.bug, verdict, got, test.want[i], stderr.String())
			}
		}
	}
}

// TestDiffUsage checks the errors of the command line and of inputs.
func TestDiffUsage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeIn(t, dir, "cors.yaml", allowsApp)
	writeIn(t, dir, "bad.yaml", "defaults: {allow_origin: [https://app.example.com]}\n")
	for _, test := range []struct {
		args, says string
	}{
		{"diff", "name two policies"},
		{"diff $DIR/cors.yaml", "name two policies"},
		{"diff - -", "only one of the policies"},
		{"diff --fail-on narrower $DIR/cors.yaml $DIR/cors.yaml", "write wider or any"},
		{"diff -o xml $DIR/cors.yaml $DIR/cors.yaml", "write one of text, json, github, sarif"},
		{"diff $DIR/no.yaml $DIR/cors.yaml", "no.yaml does not exist"},
		{"diff $DIR/bad.yaml $DIR/cors.yaml", "bad.yaml:1:12"},
		{"diff $DIR/cors.yaml $DIR/bad.yaml", "bad.yaml:1:12"},
		{"diff $DIR/bad.yaml $DIR/no.yaml", "bad.yaml:1:12"},
		{"diff $DIR/bad.yaml $DIR/no.yaml", "bad.yaml does not load: it has 1 problem, and no.yaml does not exist"},
		{"diff $DIR/no.yaml $DIR/bad.yaml", "bad.yaml:1:12"},
		{"diff --descriptors $DIR/no.binpb $DIR/cors.yaml $DIR/cors.yaml", "corsrpc diff: no.binpb does not exist: it has"},
		{"diff --old-descriptors $DIR/no.binpb $DIR/cors.yaml $DIR/cors.yaml", "no.binpb"},
		{"diff --profile dev $DIR/cors.yaml $DIR/cors.yaml", `"dev" is not a profile`},
		{"diff --old-env PARTNERS $DIR/cors.yaml $DIR/cors.yaml", "NAME=VALUE"},
	} {
		code, stdout, stderr := runIn(t, dir, "", strings.Fields(test.args)...)
		if code != 2 || stdout != "" || !strings.Contains(stderr, test.says) {
			t.Errorf("%s: exit code %d, %q, want one that says %q\n%s", test.args, code, stderr, test.says, stdout)
		}
	}
}

// TestDiffFailuresInFormats: an annotation and SARIF say why the policies cannot be compared.
func TestDiffFailuresInFormats(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeIn(t, dir, "cors.yaml", allowsApp)
	for format, want := range map[string]string{"github": "::error title=corsrpc::no.yaml does not exist\n", "sarif": `"executionSuccessful": false`} {
		code, stdout, stderr := runIn(t, dir, "", "diff", "-o", format, "$DIR/no.yaml", "$DIR/cors.yaml")
		if code != 2 || !strings.Contains(stdout, want) || stderr != "corsrpc diff: no.yaml does not exist\n" {
			t.Errorf("%s: %d %q %q", format, code, stdout, stderr)
		}
	}
}

// TestDiffInterrupted: an interrupt ends a comparison, which has no result.
func TestDiffInterrupted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var rules strings.Builder
	for i := range 500 {
		fmt.Fprintf(&rules, "  - {selector: acme.p%d.v1.*, allow_origins: [\"https://*.a%d.example\"]}\n", i, i)
	}
	writeIn(t, dir, "old.yaml", allowsApp+"rules:\n"+rules.String())
	writeIn(t, dir, "new.yaml", allowsBoth+"rules:\n"+rules.String())
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	var stdout, stderr strings.Builder
	code := cli.Run(ctx, cli.Streams{Out: &stdout, Err: &stderr}, []string{"diff", dir + "/old.yaml", dir + "/new.yaml"})
	if code != 2 || stdout.String() != "" || stderr.String() != "corsrpc diff: interrupted\n" {
		t.Errorf("%d %q %q", code, stdout.String(), stderr.String())
	}
}

// TestDiffReadsStandardInput checks that either policy may be the standard input.
func TestDiffReadsStandardInput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeIn(t, dir, "cors.yaml", allowsApp)
	if code, stdout, stderr := runIn(t, dir, allowsBoth, "diff", "$DIR/cors.yaml", "-"); code != 0 || !strings.HasPrefix(stdout, "wider: stdin.yaml") || !strings.Contains(stdout, "stdin.yaml:2:44") {
		t.Errorf("NEW is the standard input: %d %s %s", code, stdout, stderr)
	}
	if code, stdout, stderr := runIn(t, dir, allowsBoth, "diff", "-", "$DIR/cors.yaml"); code != 0 || !strings.HasPrefix(stdout, "stricter: cors.yaml") {
		t.Errorf("OLD is the standard input: %d %s %s", code, stdout, stderr)
	}
}

// TestDiffReadsGit checks policies of commits, in a repository with a real git.
func TestDiffReadsGit(t *testing.T) { // not parallel, because it changes the current folder
	dir, git := gitRepository(t, allowsApp)
	writeIn(t, dir, "cors.yaml", allowsBoth)
	git("commit", "-q", "-a", "-m", "two")
	writeIn(t, dir, "cors.yaml", allowsApp)
	for _, test := range []struct {
		old, next, wants string
		code             int
	}{
		{"git:main~1:cors.yaml", "git:main:cors.yaml", "wider: git:main:cors.yaml grants more than git:main~1:cors.yaml", 1},
		{"git:main:cors.yaml", "cors.yaml", "stricter: cors.yaml grants less", 0},
		{"git:main~1:cors.yaml", "cors.yaml", "same: ", 0},
		{"git:main~1:cors.yaml", "git:main:cors.yaml", "(git:main:cors.yaml:2:44", 1},
	} {
		code, stdout, stderr := runIn(t, dir, "", "diff", "--fail-on", "wider", test.old, test.next)
		if code != test.code || !strings.Contains(stdout, test.wants) {
			t.Errorf("%s %s: %d %s %s", test.old, test.next, code, stdout, stderr)
		}
	}
	if code, _, stderr := runIn(t, dir, "", "diff", "git:main:no.yaml", "cors.yaml"); code != 2 || !strings.Contains(stderr, "no.yaml") {
		t.Errorf("a file that no commit has: %d %s", code, stderr)
	}
}
