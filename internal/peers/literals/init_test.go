package literals

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// change is a difference that the program names.
type change struct {
	Kind, Effect, Setting, Message string
	Line                           int
	Values                         []string
}

// document is what corsrpc init writes.
type document struct {
	Line    int
	Library string
	Policy  string
	Changes []change
}

// build builds the command once.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "corsrpc")
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "corsrpc")
	command := exec.Command("go", "build", "-o", program, "./corsrpc")
	command.Dir = "../../../corsrpc/cmd"
	if out, err := command.CombinedOutput(); err != nil {
		return "", &exec.Error{Name: string(out), Err: err}
	}
	return program, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if program, err := build(); err == nil {
		os.RemoveAll(filepath.Dir(program))
	}
	os.Exit(code)
}

// initFromGo runs corsrpc init on a file of the package configurations.
func initFromGo(t *testing.T, file string) document {
	t.Helper()
	program, err := build()
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join("configurations", file))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), file)
	if err := os.WriteFile(name, source, 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), program, "init", "--from-go", name, "-o", "json")
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	if err := command.Run(); err != nil {
		t.Fatalf("%v: %s", err, &errs)
	}
	var d document
	if err := json.Unmarshal(out.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	for _, c := range d.Changes { // each is in the policy and in the summary too
		code := "[" + c.Kind + "]"
		if !strings.Contains(d.Policy, code) || !strings.Contains(errs.String(), c.Effect+": "+c.Message+" "+code) {
			t.Errorf("%+v is not in the policy or not in the summary:\n%s%s", c, d.Policy, &errs)
		}
	}
	return d
}
