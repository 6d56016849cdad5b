package cli

import (
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/fromgo"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

// fromGoFlag registers the flag --from-go.
func fromGoFlag(flags *flag.FlagSet) *string {
	return flags.String("from-go", "", "write the policy that grants the same as another CORS library in the Go `FILE`; FILE:LINE chooses one of several configurations")
}

// fileAndLine matches a file with a line.
var fileAndLine = regexp.MustCompile(`^(.+):([0-9]+)$`)

// initDocument is the JSON document of init. File, Line and Library are those of --from-go. docs/command.md documents it.
type initDocument struct {
	report.Header
	File    string          `json:"file,omitempty"`
	Line    int             `json:"line,omitempty"`
	Library string          `json:"library,omitempty"`
	Policy  string          `json:"policy"`
	Changes []fromgo.Change `json:"changes"`
	Others  []initOther     `json:"others"`
}

// initOther is a configuration of the same file that the document does not have.
type initOther struct {
	Line    int    `json:"line"`
	Library string `json:"library"`
	Call    string `json:"call"`
}

// policyFromGo returns the policy that stands for a configuration of another library.
func policyFromGo(argument string) (*madePolicy, error) {
	file, chosen, err := readGo(argument)
	if err != nil {
		return nil, err
	}
	policy, err := chosen.Policy()
	if err != nil {
		return nil, err
	}
	if _, err := (input.Settings{}).Compile("cors.yaml", policy.Text); err != nil {
		return nil, &madeBroken{err}
	}
	made := &madePolicy{text: policy.Text, document: initDocument{
		File: file.Name, Line: chosen.Line, Library: chosen.Library, Policy: string(policy.Text), Changes: report.NotNil(policy.Changes), Others: []initOther{},
	}}
	for _, c := range file.Configurations {
		if c != chosen {
			made.document.Others = append(made.document.Others, initOther{c.Line, c.Library, c.Call})
		}
	}
	made.summary = func(w io.Writer) { writeFromGoSummary(w, file, chosen, policy) }
	return made, nil
}

// readGo reads the Go file of an argument, and returns the configuration that it chooses.
func readGo(argument string) (*fromgo.File, *fromgo.Configuration, error) {
	name, line := argument, 0
	if m := fileAndLine.FindStringSubmatch(argument); m != nil {
		n, err := strconv.Atoi(m[2])
		if err != nil || n == 0 {
			return nil, nil, usagef("%s is not a line of %s", m[2], m[1])
		}
		name, line = m[1], n
	}
	source, err := input.ReadFile(name, "Go")
	if err != nil {
		return nil, nil, err
	}
	file, err := fromgo.Read(name, source)
	if err != nil {
		return nil, nil, err
	}
	if line == 0 {
		return file, file.Configurations[0], nil
	}
	chosen, err := file.At(line)
	return file, chosen, err
}

// writeFromGoSummary writes which configuration the policy stands for, and each change in a line.
func writeFromGoSummary(w io.Writer, file *fromgo.File, chosen *fromgo.Configuration, policy *fromgo.Policy) {
	name := report.Printable(file.Name)
	if n := len(file.Configurations); n > 1 {
		fmt.Fprintf(w, "%s: %d configurations; the policy stands for the one in line %d (--from-go FILE:LINE chooses):\n", name, n, chosen.Line)
		for _, c := range file.Configurations {
			fmt.Fprintf(w, "  %s:%d: %s of %s\n", name, c.Line, report.Printable(c.Call), c.Library)
		}
	}
	counts := map[fromgo.Effect]int{}
	for _, c := range policy.Changes {
		counts[c.Effect]++
		place := name
		if c.Line > 0 {
			place += ":" + strconv.Itoa(c.Line)
		}
		fmt.Fprintf(w, "%s: %s: %s [%s]\n", place, c.Effect, report.Printable(c.Message), c.Kind)
	}
	fmt.Fprintf(w, "%s: %d wider, %d stricter, %d that grant the same; corsrpc check --strict checks the policy\n",
		filepath.ToSlash(name), counts[fromgo.Wider], counts[fromgo.Stricter], counts[fromgo.Same])
}

// isGoFile reports whether an argument looks like a Go file, which --from-go takes.
func isGoFile(argument string) bool {
	if m := fileAndLine.FindStringSubmatch(argument); m != nil {
		argument = m[1]
	}
	return strings.HasSuffix(argument, ".go")
}
