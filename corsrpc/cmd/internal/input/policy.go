package input

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/schema"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// Settings are what policies are compiled with, apart from their text.
type Settings struct {
	// Files is the schema; nil if it is not known.
	Files *protoregistry.Files
	// Profile is the name of the profile; empty for none.
	Profile string
	// Env holds the environment variables.
	Env map[string]string
	// Prefixes are path prefixes below which procedures are served.
	Prefixes []string
}

// Settings reads what the flags name.
func (f *Flags) Settings(ctx context.Context) (Settings, error) {
	env, err := readEnv(f.Env, f.EnvFiles)
	if err != nil {
		return Settings{}, err
	}
	files, err := schema.Read(ctx, f.Descriptors, schema.Server{URL: f.Reflect, CAFile: f.ReflectCA, ServerName: f.ReflectServerName})
	if err != nil {
		return Settings{}, err
	}
	return Settings{files, f.Profile, env, f.Prefixes}, nil
}

// Policy is a policy that compiles.
type Policy struct {
	// Name is the name of its text.
	Name string
	// Plan is the compiled policy, and Rules its rules.
	Plan  *corsrpc.Plan
	Rules *rules.Rules
	// Unknown says what is not known about the policy, one sentence each: that there is no schema,
	// and each set of origins that is not known.
	Unknown []string
}

// Compile compiles the text of a policy. The error is a *corsrpc.PolicyError if the policy has
// problems.
func (s Settings) Compile(name string, text []byte) (*Policy, error) {
	tool := planaccess.Tool{UnsetVariables: true, WithoutSchema: s.Files == nil}
	files := s.Files
	if files == nil {
		files = new(protoregistry.Files)
	}
	lookup := func(name string) (string, bool) { v, ok := s.Env[name]; return v, ok }
	options := []any{corsrpc.WithFiles(files), corsrpc.WithProfile(s.Profile), corsrpc.WithLookupEnv(lookup), planaccess.Option(tool)}
	for _, prefix := range s.Prefixes {
		options = append(options, corsrpc.WithPathPrefix(prefix))
	}
	compiled, err := planaccess.CompileText(name, text, options...)
	if err != nil {
		return nil, err
	}
	plan := compiled.(*corsrpc.Plan)
	p := &Policy{Name: name, Plan: plan, Rules: planaccess.Rules(plan)}
	if s.Files == nil {
		p.Unknown = append(p.Unknown, "the schema is not known (--descriptors or --reflect), so selectors are taken by name")
	}
	p.Unknown = append(p.Unknown, unknownOrigins(p.Rules)...)
	return p, nil
}

// UnknownSource says that the origins of a source are not known.
func UnknownSource(name string) string { return "the origins of the source " + name + " are not known" }

// unknownOrigins says which sets of origins in the rules are not known.
func unknownOrigins(r *rules.Rules) (all []string) {
	for _, name := range r.Sources {
		all = append(all, UnknownSource(name))
	}
	var variables []string
	for _, e := range r.Effective() {
		for _, v := range e.Unset() {
			variables = append(variables, v.Name)
		}
	}
	slices.Sort(variables)
	for _, name := range slices.Compact(variables) {
		all = append(all, "the environment variable "+name+" is not set (--env "+name+"=...), so its origins are not known")
	}
	return all
}

// Read returns the text of a policy and its name: that of a file, "-" for the standard input, or
// git:REV:PATH for a file in a commit of the git repository around the current folder.
func Read(ctx context.Context, name string, stdin io.Reader) (shown string, text []byte, err error) {
	switch {
	case name == "-":
		text, err = io.ReadAll(stdin)
		shown = "stdin.yaml"
		if strings.HasPrefix(strings.TrimSpace(string(text)), "{") {
			shown = "stdin.json"
		}
		return shown, text, err
	case strings.HasPrefix(name, "git:"):
		text, err = readGit(ctx, name)
		return name, text, err
	}
	text, err = os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%s does not exist", name)
	}
	return name, text, err
}
