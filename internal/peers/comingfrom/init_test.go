package comingfrom

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
)

// initDifference says how the policy of corsrpc init --from-go differs from that of a row.
type initDifference string

const (
	leftOut initDifference = "left out" // init leaves the value out, and its policy allows less
	another initDifference = "another"  // the row shows another choice than that of init
)

// document is what corsrpc init writes.
type document struct {
	Policy  string
	Changes []struct{ Kind, Effect string }
}

// TestInit: the policy of corsrpc init --from-go grants what the row's policy grants, and names what the row names.
func TestInit(t *testing.T) {
	t.Parallel()
	for _, l := range libraries {
		if !l.init {
			continue
		}
		for i, r := range l.rows {
			t.Run(fmt.Sprintf("%s/%d_%s", l.name, i, r.option), func(t *testing.T) {
				t.Parallel()
				l.tryInit(t, r)
			})
		}
	}
}

func (l library) tryInit(t *testing.T, r row) {
	t.Helper()
	d := initFromGo(t, r)
	row := sidebyside.Handler(sidebyside.Layer(t, l.text(r), r.layer...)(sidebyside.API()))
	written := sidebyside.Handler(sidebyside.Layer(t, d.Policy)(sidebyside.API()))
	calls := sidebyside.From(sidebyside.App)
	for _, origin := range append(r.origins, sidebyside.Admin, "https://pr-1.example.com", "http://app.example.com", "https://evil.example", "null") {
		calls = append(calls, slices.DeleteFunc(sidebyside.Usual(origin), func(c sidebyside.Call) bool { return c.Name != "GET" && c.Name != "POST of JSON" })...)
	}
	diffs := sidebyside.Compare(t, row, written, calls)
	switch r.init {
	case "":
		for _, diff := range diffs {
			t.Errorf("corsrpc init differs from the row: %s", diff)
		}
	case leftOut:
		if len(diffs) == 0 {
			t.Error("corsrpc init leaves nothing out")
		}
		for _, diff := range diffs {
			if diff.Wider && diff.What != "ran" { // a file without a rule runs
				t.Errorf("corsrpc init grants more than the row: %s", diff)
			}
		}
	case another:
		if len(diffs) == 0 {
			t.Error("corsrpc init makes the choice of the row")
		}
	}
	named := slices.Concat(l.every, r.names)
	for _, c := range d.Changes {
		if r.init == "" && c.Effect != "same" && !slices.ContainsFunc(named, func(n sidebyside.Named) bool { return n.Code == c.Kind }) {
			t.Errorf("corsrpc init names %s (%s), which the row does not", c.Kind, c.Effect)
		}
	}
	for _, n := range r.names {
		if r.init == "" && !slices.ContainsFunc(d.Changes, func(c struct{ Kind, Effect string }) bool { return c.Kind == n.Code }) {
			t.Errorf("the row names %s, which corsrpc init does not", n.Code)
		}
	}
	if t.Failed() {
		t.Logf("\n%s\ncorsrpc init:\n%s", l.text(r), d.Policy)
	}
}

// programs is the folder of the programs that tests build.
var programs string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "comingfrom")
	if err != nil {
		panic(err)
	}
	programs = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// build builds corsrpc once.
var build = sync.OnceValues(func() (string, error) { return buildIn("../../../corsrpc/cmd", "corsrpc", "./corsrpc") })

// buildIn builds a program of the module in a folder.
func buildIn(dir, name, path string) (string, error) {
	program := filepath.Join(programs, name)
	command := exec.Command("go", "build", "-o", program, path)
	command.Dir = dir
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return program, nil
}

// initFromGo runs corsrpc init on the function of a row.
func initFromGo(t *testing.T, r row) document {
	t.Helper()
	program, err := build()
	if err != nil {
		t.Fatal(err)
	}
	file, s, function := r.function(t)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), strings.Replace(file, "_test.go", ".go", 1))
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	line := s.files.Position(function.Body.List[0].Pos()).Line
	command := exec.CommandContext(t.Context(), program, "init", "--from-go", fmt.Sprintf("%s:%d", name, line), "-o", "json")
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	if err := command.Run(); err != nil {
		t.Fatalf("%v: %s", err, &errs)
	}
	var d document
	if err := json.Unmarshal(out.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	return d
}
