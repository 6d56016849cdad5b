package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/fromgo"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
)

// commentedLine matches a line of a policy that is a comment, other than a sentence.
var commentedLine = regexp.MustCompile(`^( *)# ((- |accept_risks:|allow_origins:|rules:|  (- |  )).*)$`)

// TestCommentedLinesLoad: a policy from a Go file loads as it is written, and after its author has done what its comments say: removed
// disabled: true, and the # before each commented line. The files are those of the proof with the middlewares.
func TestCommentedLinesLoad(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("../../../../internal/peers/literals/configurations/*_*.go")
	if err != nil || len(names) < 30 {
		t.Fatal(err, names)
	}
	changed := 0
	for _, name := range names {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source = bytes.Replace(source, []byte("github.com/corsrpc/corsrpc-go/internal/peers/literals/jub0bs"), []byte("github.com/jub0bs/cors"), 1)
		file, err := fromgo.Read(filepath.Base(name), source)
		if err != nil {
			t.Error(err)
			continue
		}
		policy, err := file.Configurations[0].Policy()
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := (input.Settings{}).Compile("cors.yaml", policy.Text); err != nil {
			t.Errorf("%v\n%s", err, policy.Text)
		}
		text := string(policy.Text)
		var done []string
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			if m := commentedLine.FindStringSubmatch(line); m != nil && m[2] != `- "*"` { // which its sentence does not call for
				line = m[1] + m[2]
				changed++
			}
			if line != "  disabled: true" {
				done = append(done, line)
			}
		}
		text = strings.Join(done, "\n") + "\n"
		if !strings.Contains(text, "\n    - ") { // an author writes an origin
			text = strings.Replace(text, "  allow_origins:\n", "  allow_origins:\n    - https://app.example.com\n", 1)
		}
		if _, err := (input.Settings{}).Compile("cors.yaml", []byte(text)); err != nil {
			t.Errorf("%s, without the # before its lines: %v\n%s", name, err, text)
		}
	}
	if changed < 250 {
		t.Errorf("%d lines", changed)
	}
}
