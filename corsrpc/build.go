package corsrpc

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/clockcache"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/route"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// Compile checks a policy against the schema and returns the plan that
// carries it out.
//
// The error is a *PolicyError that lists every problem, in file order where
// WithDocument gives the text. A policy is compiled whole or not at all.
// Compile keeps no reference to the policy, and is safe for concurrent use.
func Compile(policy *corsrpcv1.Policy, opts ...CompileOption) (*Plan, error) {
	if policy == nil {
		return nil, errors.New("corsrpc: Compile was given no policy: pass doc.Policy() of a document, or a message")
	}
	return compile(proto.CloneOf(policy), nil, newCompileConfig(opts), nil)
}

// compile is Compile of a policy that it may keep, with the origins that were cut out
// of it, and with the problems that reading the text has found. Those of the options are
// reported with them.
func compile(policy *corsrpcv1.Policy, cut map[string]*origin.Texts, c *compileConfig, found []rules.Violation) (*Plan, error) {
	config := rules.Config{Files: c.files, Prefixes: c.prefixes, Profile: c.profile, LookupEnv: c.lookupEnv, LongList: c.longList}
	if c.document != nil {
		config.Document = c.document.document
	}
	compiled, violations := rules.Compile(policy, cut, config, slices.Concat(found, c.violations))
	if len(violations) > 0 {
		return nil, policyError(violations)
	}
	return buildPlan(compiled, c.prefixes), nil
}

// buildPlan makes the finished answers of a policy's rules, and those of its shadow.
func buildPlan(compiled *rules.Rules, prefixes []string) *Plan {
	if compiled == nil {
		return nil
	}
	answers := answers{}
	nobody := answers.target(compiled.Nobody)
	nobody.kind = targetNone
	p := &Plan{
		rules: compiled, profile: compiled.Profile, observes: compiled.Observes, sourceNames: compiled.Sources,
		nobody: nobody, unbounded: &target{kind: targetUnclear, grant: nobody.grant, rule: nobody.rule, answers: nobody.answers},
		shadow: buildPlan(compiled.Shadow, prefixes),
		digest: sync.OnceValue(func() string { return compiled.Digest(prefixes, version()) }),
	}
	p.routes = route.New(route.Config[*target]{
		Prefixes: prefixes, Same: func(a, b *target) bool { return a.grant == b.grant },
		Uncovered: answers.target(compiled.Uncovered), Unnamed: answers.target(compiled.Unnamed),
	})
	for _, service := range compiled.Services {
		p.routes.AddService(service)
	}
	for _, s := range compiled.Selectors {
		t := answers.target(s.Rule)
		operational := t
		if s.Operational != s.Rule {
			operational = answers.target(s.Operational)
		}
		p.routes.AddSelector(s.Name, t, operational)
	}
	for _, m := range compiled.Procedures {
		p.routes.AddMethod(m.Service, m.Method, answers.known(targetProcedure, m.Name, m.Rule))
	}
	for _, path := range compiled.Paths {
		text := path.Pattern.String()
		if err := p.routes.AddPattern(path.Pattern, answers.known(targetPath, text, path.Rule)); err != nil {
			panic(fmt.Sprintf("corsrpc: the pattern %q was found right, and %v", text, err)) // rules.Compile has added it to the same ones
		}
	}
	return p
}

// answers are the grants of effective rules, each made once.
type answers map[*rules.Effective]*grant

func (a answers) grant(rule *rules.Effective) *grant {
	g := a[rule]
	if g == nil {
		g = newGrant(rule)
		a[rule] = g
	}
	return g
}

// target returns the target of names that a selector covers: find puts the name in.
func (a answers) target(rule *rules.Effective) *target {
	g := a.grant(rule)
	return &target{kind: targetProcedure, grant: g, rule: rule, answers: &g.answers}
}

// known returns a target for the plan to hold.
func (a answers) known(kind targetKind, name string, rule *rules.Effective) *target {
	return &target{kind: kind, name: name, known: true, id: newID(), grant: a.grant(rule), rule: rule, answers: &clockcache.Cache[exposure]{}}
}

// version returns the version of corsrpc that the program was built with; "(devel)" where its
// own module is built.
func version() string {
	const module = "github.com/corsrpc/corsrpc-go"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m.Path == module {
			return m.Version + " " + m.Sum
		}
	}
	return ""
}
