package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/firstpolicy"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/fromgo"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

var initCommand = subcommand{
	name:      "init",
	arguments: "",
	summary:   "Writes a policy to begin with, from a schema or from the configuration of another CORS library.",
	details: `With --descriptors or --reflect, the policy allows the origins of --origin to call the procedures
of the schema. It has a rule for each service, turned off by a comment. Other comments say how
browsers can call the service, and what its .proto file says already. Without --origin, no page may
call until you write an origin.

--from-go reads the configuration of another CORS library from a Go file, and writes the policy that
grants the same. It knows rs/cors, jub0bs/cors, gorilla/handlers, go-chi/cors and gin-contrib/cors.
The policy grants less if a policy cannot say the same, or if a value is not written in the file.
Each difference is a comment in the policy, and a line on the standard error.

The policy goes to the standard output, or to the file of --out, which must not exist yet.`,
	examples: [2]example{
		{"the policy for a schema and the page of an application", "corsrpc init --descriptors image.binpb --origin https://app.example.com --out first.yaml"},
		{"the policy for the configuration of a server in Go", "corsrpc init --from-go server.go"},
	},
	exits: map[int]string{
		exitFine: "the policy is written", exitFindings: "",
		exitUsage: "the command line is wrong, or an input cannot be read", exitUnknown: "the policy does not load, which is a fault of the program",
	},
	setup: setupInit,
}

// initFlags are the flags of the subcommand.
type initFlags struct {
	inputs          input.Flags // of the schema
	origins         input.List
	dev             bool
	jsonSchema, out string
	fromGo          *string
	format          *report.Format
}

func setupInit(flags *flag.FlagSet) run {
	f := &initFlags{}
	f.inputs.RegisterSchema(flags)
	flags.Var(&f.origins, "origin", "`ORIGIN` of a page that may call, such as https://app.example.com, or a pattern such as https://*.example.com (repeatable)")
	flags.BoolVar(&f.dev, "dev", false, "add the profile dev, for pages of the developer's own machine")
	flags.StringVar(&f.jsonSchema, "json-schema", "cors.schema.json", "`FILE` or URL at which editors find the JSON Schema, which corsrpc schema prints; empty leaves the line for editors out")
	flags.StringVar(&f.out, "out", "", "write the policy to a new `FILE`; - is the standard output")
	f.fromGo = fromGoFlag(flags)
	f.format = report.FormatFlag(flags, report.Text, report.JSON)
	return f.run
}

func (f *initFlags) run(ctx context.Context, s Streams, args []string) (int, error) {
	hasSchema := len(f.inputs.Descriptors) > 0 || f.inputs.Reflect != ""
	switch {
	case *f.fromGo == "" && len(args) == 1 && isGoFile(args[0]):
		return exitUsage, usagef("write --from-go %s", args[0])
	case len(args) > 0:
		return exitUsage, usagef("init takes no arguments: it got %s", args[0])
	case *f.fromGo != "" && (hasSchema || len(f.origins) > 0 || f.dev):
		return exitUsage, usagef("--from-go takes the origins from the Go file: leave --descriptors, --reflect, --origin and --dev out")
	case *f.fromGo == "" && !hasSchema:
		return exitUsage, usagef("name the schema with --descriptors FILE (`buf build -o image.binpb` makes one) or --reflect URL, or a Go file with --from-go")
	case strings.ContainsFunc(f.jsonSchema, unicode.IsSpace) || report.Printable(f.jsonSchema) != f.jsonSchema:
		return exitUsage, usagef("--json-schema: editors read the name in a line, up to the first space: name a file or a URL without spaces and control characters in place of %q", f.jsonSchema)
	case f.dev && len(f.origins) == 0:
		return exitUsage, usagef("--dev adds origins to those of --origin, and there are none: write --origin https://app.example.com")
	}
	var made *madePolicy
	var err error
	if *f.fromGo != "" {
		made, err = policyFromGo(*f.fromGo)
	} else {
		made, err = f.policyFromSchema(ctx)
	}
	var broken *madeBroken
	switch {
	case errors.As(err, &broken):
		return exitUnknown, err
	case err != nil:
		return exitUsage, err
	}
	if err := f.write(s, made); err != nil {
		return exitUsage, err
	}
	made.summary(s.Err)
	return exitFine, nil
}

// madePolicy is a policy that init has made.
type madePolicy struct {
	text     []byte
	document initDocument
	// summary writes what the author should know.
	summary func(io.Writer)
}

// madeBroken is the error for a policy that does not load, although its input is valid.
type madeBroken struct{ err error }

func (e *madeBroken) Error() string {
	return "the policy that was made does not load, which is a fault of this program: " + e.err.Error()
}

// write writes the policy to the standard output, or to a new file.
func (f *initFlags) write(s Streams, made *madePolicy) error {
	toFile := f.out != "" && f.out != "-"
	if toFile {
		if err := writeNew(f.out, made.text); err != nil {
			return err
		}
	}
	switch {
	case *f.format == report.JSON:
		return report.WriteDocument(s.Out, "init", &made.document)
	case !toFile:
		_, err := s.Out.Write(made.text)
		return err
	}
	return nil
}

// writeNew writes a file that does not exist yet. The file appears with its whole text or not at all.
func writeNew(name string, text []byte) error {
	err := linkNew(name, text)
	switch {
	case errors.Is(err, os.ErrExist):
		return fmt.Errorf("%s exists already: name another file with --out, or remove it", report.Printable(name))
	case err != nil:
		return fmt.Errorf("--out: cannot write %s: %w", report.Printable(name), reasonOf(err))
	}
	return nil
}

// reasonOf returns the reason of a failed operation, without the names of temporary files.
func reasonOf(err error) error {
	var path *os.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// linkNew writes a file in a new folder beside name, and links it to name, which fails if name exists.
func linkNew(name string, text []byte) error {
	folder, err := os.MkdirTemp(filepath.Dir(name), ".corsrpc-init-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	whole := filepath.Join(folder, "policy")
	if err := os.WriteFile(whole, text, 0o644); err != nil {
		return err
	}
	return os.Link(whole, name)
}

// policyFromSchema returns the policy for the services of a schema.
func (f *initFlags) policyFromSchema(ctx context.Context) (*madePolicy, error) {
	files, err := f.inputs.Schema(ctx)
	if err != nil {
		return nil, err
	}
	settings := input.Settings{Files: files}
	first := firstpolicy.Settings{Files: files, Origins: f.origins, DevProfile: f.dev, JSONSchema: f.jsonSchema}
	if first.Options, err = f.options(settings, first); err != nil {
		return nil, err
	}
	made := &madePolicy{text: first.Text()}
	policy, err := settings.Compile("cors.yaml", made.text)
	if err != nil {
		return nil, &madeBroken{err}
	}
	made.document = initDocument{Policy: string(made.text), Changes: []fromgo.Change{}, Others: []initOther{}}
	made.summary = func(w io.Writer) { f.writeSummary(w, first, policy) }
	return made, nil
}

// options returns what the options of the .proto files say. The error is about the origins or about the options.
func (f *initFlags) options(settings input.Settings, first firstpolicy.Settings) (map[string][]string, error) {
	if len(first.Origins) == 0 { // under disabled defaults, options that narrow a grant would not be checked
		first.Origins = []string{"https://app.example.com"}
	}
	first.DevProfile = false
	policy, err := settings.Compile("cors.yaml", first.Text())
	var broken *corsrpc.PolicyError
	switch {
	case errors.As(err, &broken):
		return nil, f.notUsable(broken)
	case err != nil:
		return nil, err
	}
	return firstpolicy.Options(policy.Plan), nil
}

// notUsable says what is wrong with the origins of the command line and with the options of the schema.
func (f *initFlags) notUsable(broken *corsrpc.PolicyError) error {
	var lines []string
	for _, v := range broken.Violations {
		index, ok := strings.CutPrefix(v.Field, "defaults.allow_origins[")
		number, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
		if ok && err == nil && number < len(f.origins) {
			v.Field, v.File, v.Position = "--origin", "", corsrpc.Position{}
		}
		lines = append(lines, v.String())
	}
	text := strings.Join(lines, "; ")
	if strings.Contains(text, "accept_risks: [") {
		text += "; init accepts no risk: leave such an origin out, and write it in the policy together with accept_risks"
	}
	return errors.New(text)
}

// writeSummary says how to go on.
func (f *initFlags) writeSummary(w io.Writer, first firstpolicy.Settings, policy *input.Policy) {
	name := "the policy"
	if f.out != "" && f.out != "-" {
		name = report.Printable(f.out)
	}
	note := func(text string) { fmt.Fprintf(w, "%s: %s\n", name, report.Printable(text)) }
	note(report.Count(first.Services(), "service") + " of the schema")
	if first.ByPackage() {
		note(fmt.Sprintf("its rules are for packages, since the schema has more than %d services", firstpolicy.MaxServices))
	}
	if len(f.origins) == 0 {
		note("no page may call yet: write the origins of your pages in place of disabled: true")
	}
	for _, finding := range policy.Plan.Findings() {
		finding.File, finding.Position = "", corsrpc.Position{}
		note(finding.String())
	}
	if f.jsonSchema != "" && !strings.Contains(f.jsonSchema, "://") {
		note(fmt.Sprintf("editors look for %s beside it: corsrpc schema > %[1]s", f.jsonSchema))
	}
}
