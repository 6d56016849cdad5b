package cli_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/cli"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

var updateDiff = flag.Bool("update-diff", false, "write the output of diff into testdata/diff")

// digest matches digests of plans, which depend on the version of corsrpc.
var digest = regexp.MustCompile(`sha256:[0-9a-f]{64}`)

// runIn runs the program with arguments in which $DIR is a folder, and returns the exit code and what it
// writes. The folder is left out of the output.
func runIn(t *testing.T, dir, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "$DIR", dir)
	}
	var out, errs bytes.Buffer
	code = cli.Run(t.Context(), cli.Streams{In: strings.NewReader(stdin), Out: &out, Err: &errs}, args)
	clean := func(b *bytes.Buffer) string {
		return digest.ReplaceAllString(strings.ReplaceAll(b.String(), dir+"/", ""), "sha256:...")
	}
	return code, clean(&out), clean(&errs)
}

// writeSchemas writes the schemas of the corpus into a folder, as acme.binpb and options.binpb.
func writeSchemas(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"acme", "options"} {
		files, err := vectors.Schema(name)
		if err != nil {
			t.Fatal(err)
		}
		set := &descriptorpb.FileDescriptorSet{}
		files.RangeFiles(func(f protoreflect.FileDescriptor) bool {
			set.File = append(set.File, protodesc.ToFileDescriptorProto(f))
			return true
		})
		data, err := proto.Marshal(set)
		if err != nil {
			t.Fatal(err)
		}
		writeIn(t, dir, name+".binpb", string(data))
	}
}

func writeIn(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// golden is a file of testdata/diff: a pair of policies, and what the program writes about it. A part begins
// with a line such as "-- old.yaml --".
type golden struct {
	names []string
	parts map[string]string
}

func readGolden(t *testing.T, file string) golden {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	g, name := golden{parts: map[string]string{}}, ""
	for line := range strings.Lines(string(text)) {
		if begin, ok := strings.CutPrefix(line, "-- "); ok && strings.HasSuffix(begin, " --\n") {
			name = strings.TrimSuffix(begin, " --\n")
			g.set(name, "")
			continue
		}
		g.parts[name] += line
	}
	return g
}

// set sets a part, and adds it at the end if the file does not have it.
func (g *golden) set(name, text string) {
	if _, ok := g.parts[name]; !ok {
		g.names = append(g.names, name)
	}
	g.parts[name] = text
}

func (g *golden) String() string {
	var b strings.Builder
	for _, name := range g.names {
		fmt.Fprintf(&b, "-- %s --\n%s", name, g.parts[name])
	}
	return b.String()
}

// TestDiff checks the output of diff for the pairs of policies in testdata/diff. Unless a pair has arguments
// of its own, both policies have the schema of the corpus. Each pair is compared in both directions: the
// verdict of the other direction has to be the opposite.
func TestDiff(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/diff/*.txt")
	if err != nil || len(files) < 25 {
		t.Fatalf("%d pairs: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			g, dir := readGolden(t, file), t.TempDir()
			writeSchemas(t, dir)
			for name, text := range g.parts {
				if strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".env") {
					writeIn(t, dir, name, text)
				}
			}
			args := strings.Fields(g.parts["args"])
			if len(args) == 0 {
				args = []string{"--descriptors", "$DIR/acme.binpb"}
			}
			code, stdout, stderr := runIn(t, dir, "", append(append([]string{"diff"}, args...), "$DIR/old.yaml", "$DIR/new.yaml")...)
			if *updateDiff {
				g.set("exit", strconv.Itoa(code)+"\n")
				g.set("stdout", stdout)
				g.set("stderr", stderr)
				if err := os.WriteFile(file, []byte(g.String()), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got := strconv.Itoa(code) + "\n"; got != g.parts["exit"] || stdout != g.parts["stdout"] || stderr != g.parts["stderr"] {
				t.Errorf("exit code %s\n%s\n%s\nwant %s\n%s\n%s", got, stdout, stderr, g.parts["exit"], g.parts["stdout"], g.parts["stderr"])
			}
			if code == 2 || strings.Contains(g.parts["args"], "--old-") || strings.Contains(g.parts["args"], "-o ") {
				return
			}
			args = withoutFlags(args)
			checkReverse(t, dir, args, stdout)
			checkCases(t, dir, args)
		})
	}
}

// withoutFlags returns arguments without the flags that the subcommand test does not have.
func withoutFlags(args []string) (kept []string) {
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "--cases":
		case "--fail-on":
			i++
		default:
			kept = append(kept, args[i])
		}
	}
	return kept
}

// checkCases checks that a policy test with the cases of all differences passes with the new policy, and
// that each of its cases fails with the old one.
func checkCases(t *testing.T, dir string, args []string) {
	t.Helper()
	_, stdout, _ := runIn(t, dir, "", append(append([]string{"diff", "-o", "json"}, args...), "$DIR/old.yaml", "$DIR/new.yaml")...)
	var document struct {
		Differences []struct {
			Witness struct{ Case map[string]any }
		}
	}
	if err := json.Unmarshal([]byte(stdout), &document); err != nil {
		t.Fatal(err)
	}
	var cases []map[string]any
	for _, d := range document.Differences {
		if c := d.Witness.Case; c != nil {
			c["name"] = fmt.Sprintf("case %d", len(cases))
			cases = append(cases, c)
		}
	}
	if len(cases) == 0 {
		return
	}
	for policy, want := range map[string]int{"new.yaml": 0, "old.yaml": 1} {
		text, err := json.Marshal(map[string]any{"policy": policy, "cases": cases})
		if err != nil {
			t.Fatal(err)
		}
		writeIn(t, dir, "test.json", string(text))
		code, stdout, stderr := runIn(t, dir, "", append(append([]string{"test"}, args...), "$DIR/test.json")...)
		if want == 1 && (strings.Contains(stdout, "[SOURCE_UNKNOWN]") || strings.Contains(stdout, "[VARIABLE_UNKNOWN]")) {
			continue // a test of the old policy cannot have such a case
		}
		if failed := strings.Count(stdout, ": FAIL: case "); code != want || want == 1 && failed != len(cases) {
			t.Errorf("the test of %s with %d cases: exit code %d, %d failed\n%s%s", policy, len(cases), code, failed, stdout, stderr)
		}
	}
}

// checkReverse checks that the differences in the other direction are the same, with gained and lost
// exchanged.
func checkReverse(t *testing.T, dir string, args []string, stdout string) {
	t.Helper()
	_, reverse, _ := runIn(t, dir, "", append(append([]string{"diff"}, args...), "$DIR/new.yaml", "$DIR/old.yaml")...)
	opposite := map[string]string{"same": "same", "wider": "stricter", "stricter": "wider", "both": "both"}
	verdict, _, _ := strings.Cut(stdout, ":")
	other, _, _ := strings.Cut(reverse, ":")
	if opposite[verdict] != other {
		t.Errorf("the verdict of the other direction is %s", other)
	}
	if a, b := strings.Count(stdout, "    curl "), strings.Count(reverse, "    curl "); a != b {
		t.Errorf("%d differences, and %d in the other direction:\n%s", a, b, reverse)
	}
}
