package input

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/schema"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// Settings are what policies are compiled with, apart from their text.
type Settings struct {
	// Files is the schema; nil if it is not known.
	Files *protoregistry.Files
	// Profile is the name of the profile; empty if there is none.
	Profile string
	// Env holds the environment variables.
	Env map[string]string
	// Prefixes are path prefixes below which procedures are served.
	Prefixes []string
	// MaxPolicyBytes is the maximum size of a policy's text; 0 means corsrpc.DefaultMaxPolicyBytes.
	MaxPolicyBytes int
	// GivenEnv are the names of the variables that the command line gives one by one, so that each is
	// meant for the policy. A file of variables may be for other programs too.
	GivenEnv []string
}

// Schema reads the schema that the flags name. It is nil if they name none.
func (f *Flags) Schema(ctx context.Context) (*protoregistry.Files, error) {
	return schema.Read(ctx, f.Descriptors, schema.Server{URL: f.Reflect, CAFile: f.ReflectCA, ServerName: f.ReflectServerName})
}

// Settings reads what the flags name.
func (f *Flags) Settings(ctx context.Context) (Settings, error) {
	env, err := readEnv(f.Env, f.EnvFiles)
	if err != nil {
		return Settings{}, err
	}
	files, err := f.Schema(ctx)
	if err != nil {
		return Settings{}, err
	}
	var given []string
	for _, pair := range f.Env {
		name, _, _ := strings.Cut(pair, "=")
		given = append(given, name)
	}
	return Settings{files, f.Profile, env, f.Prefixes, f.MaxPolicyBytes, given}, nil
}

// Policy is a policy that compiles.
type Policy struct {
	// Name is the name of its text.
	Name string
	// Plan is the compiled policy, and Rules its rules.
	Plan  *corsrpc.Plan
	Rules *rules.Rules
	// Unknown has one sentence for each part of the policy that is not known: the schema, and sets of
	// origins.
	Unknown []string
	// UnusedEnv are the variables among Settings.GivenEnv that the policy does not use, sorted.
	UnusedEnv []string
	// Notes say what else the author should know, one sentence each: that the policy does not use them.
	Notes []string
}

// Compile compiles the text of a policy. The error is a *corsrpc.PolicyError if the policy has
// problems.
func (s Settings) Compile(name string, text []byte) (*Policy, error) {
	limit := cmp.Or(s.MaxPolicyBytes, corsrpc.DefaultMaxPolicyBytes)
	if len(text) > limit && !strings.HasSuffix(name, ".binpb") {
		return nil, tooLarge(name, limit)
	}
	used := map[string]bool{}
	options := []any{corsrpc.WithMaxPolicyBytes(limit)}
	for _, o := range s.options(used) {
		options = append(options, o)
	}
	compiled, err := planaccess.CompileText(name, text, options...)
	if err != nil {
		return nil, err
	}
	return s.policyOf(name, compiled.(*corsrpc.Plan), used), nil
}

// CompilePolicy compiles a policy that was made from the text of another one, for the places in that text.
// The error is a *corsrpc.PolicyError if the policy has problems.
func (s Settings) CompilePolicy(name string, text []byte, policy *corsrpcv1.Policy) (*Policy, error) {
	doc, err := corsrpc.ParsePolicy(name, text, corsrpc.WithMaxPolicyBytes(cmp.Or(s.MaxPolicyBytes, corsrpc.DefaultMaxPolicyBytes)))
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	plan, err := corsrpc.Compile(policy, append(s.options(used), corsrpc.WithDocument(doc))...)
	if err != nil {
		return nil, err
	}
	return s.policyOf(name, plan, used), nil
}

// options returns the options for a compilation. They add the environment variables that the policy uses
// to used.
func (s Settings) options(used map[string]bool) []corsrpc.CompileOption {
	tool := planaccess.Tool{UnsetVariables: true, WithoutSchema: s.Files == nil}
	files := s.Files
	if files == nil {
		files = new(protoregistry.Files)
	}
	lookup := func(name string) (string, bool) {
		used[name] = true
		v, ok := s.Env[name]
		return v, ok
	}
	options := []corsrpc.CompileOption{
		corsrpc.WithFiles(files), corsrpc.WithProfile(s.Profile), corsrpc.WithLookupEnv(lookup), planaccess.Option(tool).(corsrpc.CompileOption),
	}
	for _, prefix := range s.Prefixes {
		options = append(options, corsrpc.WithPathPrefix(prefix))
	}
	return options
}

// policyOf returns a compiled policy, with what is not known about it. used are the environment variables
// that it uses.
func (s Settings) policyOf(name string, plan *corsrpc.Plan, used map[string]bool) *Policy {
	p := &Policy{Name: name, Plan: plan, Rules: planaccess.Rules(plan)}
	if s.Files == nil {
		p.Unknown = append(p.Unknown, "the schema is not known (--descriptors or --reflect), so selectors are taken by name")
	}
	p.Unknown = append(p.Unknown, unknownOrigins(p.Rules)...)
	for _, name := range slices.Compact(slices.Sorted(slices.Values(s.GivenEnv))) {
		if !used[name] {
			p.UnusedEnv = append(p.UnusedEnv, name)
			p.Notes = append(p.Notes, unusedVariable(name, used))
		}
	}
	return p
}

// UnknownSource says that the origins of a source are not known.
func UnknownSource(name string) string { return "the origins of the source " + name + " are not known" }

// unusedVariable says that a policy does not use a variable of the command line.
func unusedVariable(name string, used map[string]bool) string {
	note := "--env " + name + " is not used: the policy has no ${" + name + "}"
	if names := slices.Sorted(maps.Keys(used)); len(names) > 0 {
		note += "; its variables are " + strings.Join(names, ", ")
	}
	return note
}

// unknownOrigins says which sets of origins in the rules are not known.
func unknownOrigins(r *rules.Rules) (all []string) {
	for _, name := range r.Sources {
		all = append(all, UnknownSource(name))
	}
	for _, name := range r.UnsetVariables() {
		all = append(all, "the environment variable "+name+" is not set (--env "+name+"=...), so its origins are not known")
	}
	return all
}
