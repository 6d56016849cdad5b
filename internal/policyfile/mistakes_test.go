package policyfile_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

var update = flag.Bool("update", false, "write the golden file anew")

// corpora are folders with files that have a mistake which people make, each with a corrected file.
var corpora = []corpus{
	{"testdata/mistakes", 60, func() proto.Message { return &corsrpcv1.Policy{} }},
	{"testdata/test_mistakes", 80, func() proto.Message { return &corsrpcv1.PolicyTest{} }},
	{"testdata/gateway_mistakes", 90, func() proto.Message { return &corsrpcv1.Gateway{} }},
}

// corpus is one folder, with the minimum number of its mistakes, and the message that its files hold.
type corpus struct {
	dir     string
	least   int
	message func() proto.Message
}

// TestMistakes compares the messages about each file of the corpora with the golden files.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, c := range corpora {
		t.Run(filepath.Base(c.dir), c.testGolden)
	}
}

func (c corpus) testGolden(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob(c.dir + "/*")
	if err != nil {
		t.Fatal(err)
	}
	var golden strings.Builder
	files := 0
	for _, name := range names {
		base := filepath.Base(name)
		if base == "messages.golden" || strings.Contains(base, ".fixed.") {
			continue
		}
		files++
		c.checkCRLF(t, name)
		fmt.Fprintf(&golden, "%s\n", base)
		for _, p := range c.parse(t, name).Problems {
			fmt.Fprintf(&golden, "\t%d:%d ", p.Pos.Line, p.Pos.Column)
			if p.Field != "" {
				fmt.Fprintf(&golden, "%s: ", p.Field)
			}
			if p.Value != "" {
				fmt.Fprintf(&golden, "%q ", p.Value)
			}
			golden.WriteString(p.Reason)
			if p.Fix != "" {
				golden.WriteString(": write " + p.Fix)
			}
			fmt.Fprintf(&golden, " [%s]\n", p.Code)
		}
	}
	if files < c.least {
		t.Errorf("%d files, want at least %d", files, c.least)
	}
	name := c.dir + "/messages.golden"
	if *update {
		if err := os.WriteFile(name, []byte(golden.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got := golden.String(); got != string(want) {
		t.Errorf("%s differs; with -update it is written anew, then read the diff. Got:\n%s", name, got)
	}
}

// checkCRLF checks that a file has the same problems at the same places with the line breaks of
// Windows.
func (c corpus) checkCRLF(t *testing.T, name string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.IndexByte(text, 0) >= 0 || bytes.HasPrefix(text, []byte{0x1f, 0x8b}) {
		return // not a text
	}
	want := c.parse(t, name).Problems
	got := policyfile.Parse(name, bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")), c.message(), limit).Problems
	places := func(problems []policyfile.Problem) (all []string) {
		for _, p := range problems {
			all = append(all, fmt.Sprintf("%d:%d %s", p.Pos.Line, p.Pos.Column, strings.ReplaceAll(p.Reason+": "+p.Fix, `\r`, "")))
		}
		return all
	}
	if !slices.Equal(places(got), places(want)) {
		t.Errorf("%s: %q with CRLF, want %q", name, places(got), places(want))
	}
}

// TestMistakesFixed checks that each corrected file of the corpus has no problem.
func TestMistakesFixed(t *testing.T) {
	t.Parallel()
	for _, c := range corpora {
		names, err := filepath.Glob(c.dir + "/*.fixed.*")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if f := c.parse(t, name); len(f.Problems) > 0 {
				t.Errorf("%s: %+v", name, f.Problems)
			}
		}
	}
}

func (c corpus) parse(t *testing.T, name string) *policyfile.File {
	t.Helper()
	return policyfile.Parse(name, readFile(t, name), c.message(), limit)
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
