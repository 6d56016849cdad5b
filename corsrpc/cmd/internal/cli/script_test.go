package cli

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

var update = flag.Bool("update", false, "write the output of the commands into testdata")

// TestScripts runs the commands of each file in testdata and compares what they print and their exit
// codes. A file is a transcript: after a line "$ corsrpc ...", the lines of the standard output, those
// of the standard error with "! " before them, and the exit code. A line "$ git" makes a repository
// with a commit of all files, and a line "$ options color folder=NAME" sets the streams. After the
// commands follow files: a line "-- NAME --" and the content; with a quoted NAME, the content is a
// literal of Go on each line, which has the line ends.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			name, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			commands, contents := splitScript(string(text))
			t.Chdir(folderOf(t, contents))
			var b strings.Builder
			s := Streams{}
			blank := false
			for line := range strings.Lines(commands) {
				command, isCommand := strings.CutPrefix(line, "$ ")
				if blank && (isCommand || strings.HasPrefix(line, "#")) {
					b.WriteString("\n") // not one of an output
				}
				blank = line == "\n"
				if isCommand {
					b.WriteString(line + transcript(t, &s, strings.TrimSpace(command)))
				} else if strings.HasPrefix(line, "#") {
					b.WriteString(line)
				}
			}
			if blank {
				b.WriteString("\n")
			}
			got := b.String() + contents
			if *update {
				if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got != string(text) {
				t.Errorf("%s differs (go test ./internal/cli -run TestScripts -update writes it):\n%s", file, difference(string(text), got))
			}
		})
	}
}

// difference returns the first lines in which two texts differ.
func difference(want, got string) string {
	w, g := strings.SplitAfter(want, "\n"), strings.SplitAfter(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d\nwant %q\ngot  %q", i+1, w[i], g[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

// splitScript splits a script before its first file.
func splitScript(text string) (commands, files string) {
	if i := strings.Index(text, "\n-- "); i >= 0 {
		return text[:i+1], text[i+1:]
	}
	return text, ""
}

// folderOf returns a folder with the files of a script, and image.binpb with the schema of the
// corpus.
func folderOf(t *testing.T, files string) string {
	dir := t.TempDir()
	name, content, quoted := "", []byte(nil), false
	write := func() {
		if name == "" {
			return
		}
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(files) {
		switch header, ok := strings.CutPrefix(line, "-- "); {
		case ok:
			write()
			name, content = strings.TrimSuffix(strings.TrimSpace(header), " --"), nil
			if quoted = strings.HasPrefix(name, `"`); quoted {
				name = unquote(t, name)
			}
		case quoted:
			content = append(content, unquote(t, strings.TrimSpace(line))...)
		default:
			content = append(content, line...)
		}
	}
	write()
	if err := os.WriteFile(filepath.Join(dir, "image.binpb"), schema(t), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func unquote(t *testing.T, s string) string {
	if s == "" {
		return ""
	}
	value, err := strconv.Unquote(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return value
}

// schema returns the FileDescriptorSet of the corpus.
func schema(t *testing.T) []byte {
	set := &descriptorpb.FileDescriptorSet{}
	filesOf(t).RangeFiles(func(f protoreflect.FileDescriptor) bool {
		set.File = append(set.File, protodesc.ToFileDescriptorProto(f))
		return true
	})
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// transcript runs a command line and returns what it prints, and its exit code.
func transcript(t *testing.T, s *Streams, line string) string {
	words, stdin := wordsOf(t, line)
	switch words[0] {
	case "git":
		commitAll(t)
		return ""
	case "options":
		for _, option := range words[1:] {
			name, value, _ := strings.Cut(option, "=")
			switch name {
			case "color":
				s.Color = value != "off"
			case "folder":
				s.Folder = value
			}
		}
		return ""
	}
	var out, errs bytes.Buffer
	streams := *s
	streams.In, streams.Out, streams.Err = strings.NewReader(stdin), &out, &errs
	code := Run(context.Background(), streams, words[1:])
	text := shown(out.String())
	for line := range strings.Lines(shown(errs.String())) {
		text += "! " + line
	}
	return text + fmt.Sprintf("exit %d\n", code)
}

var (
	digestRE = regexp.MustCompile(`sha256:[0-9a-f]{64}`) // it has the version of corsrpc in it
	rulesRE  = regexp.MustCompile(`(?s)"rules": \[.*?\n          \]`)
)

// shown makes control characters in an output visible; no output but a coloured one has any. It
// leaves out digests, and the rules of SARIF.
func shown(s string) string {
	s = digestRE.ReplaceAllString(s, "sha256:...")
	s = rulesRE.ReplaceAllString(s, `"rules": [...]`)
	var b strings.Builder
	for _, r := range s {
		if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 {
			fmt.Fprintf(&b, "<%02X>", r)
		} else {
			b.WriteRune(r)
		}
	}
	s = b.String()
	if s != "" && !strings.HasSuffix(s, "\n") {
		s += "<no line end>\n"
	}
	return s
}

// wordsOf splits a command line as a shell does: words with single quotes, $'...' with escapes as in
// Go, and the standard input after <.
func wordsOf(t *testing.T, line string) (words []string, stdin string) {
	word, has := "", false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == ' ':
			if has {
				words = append(words, word)
			}
			word, has = "", false
		case c == '\'' || c == '$' && i+1 < len(line) && line[i+1] == '\'':
			escaped := c == '$'
			if escaped {
				i++
			}
			end := strings.IndexByte(line[i+1:], '\'')
			if end < 0 {
				t.Fatalf("%s: a quote is not closed", line)
			}
			part := line[i+1 : i+1+end]
			if escaped {
				part = unquote(t, `"`+part+`"`)
			}
			word, has, i = word+part, true, i+1+end
		default:
			word, has = word+string(c), true
		}
	}
	if has {
		words = append(words, word)
	}
	if n := len(words); n > 2 && words[n-2] == "<" {
		text, err := os.ReadFile(words[n-1])
		if err != nil {
			t.Fatal(err)
		}
		return words[:n-2], string(text)
	}
	return words, ""
}

// commitAll makes a repository with a commit of all files in the current folder.
func commitAll(t *testing.T) {
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "."}, {"-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "all"}} {
		command := exec.CommandContext(t.Context(), "git", args...)
		command.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v: %s", args, err, out)
		}
	}
}

// filesOf returns the schema of the corpus.
func filesOf(t *testing.T) *protoregistry.Files {
	files, err := vectors.Schema("acme")
	if err != nil {
		t.Fatal(err)
	}
	return files
}
