package corsrpc

import (
	"errors"
	"runtime/debug"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/analysis"
	"github.com/corsrpc/corsrpc-go/internal/clockcache"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/route"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// Compile checks a policy against the schema and compiles it into a plan.
//
// The error is a *PolicyError with every problem of the policy and of the options, in file
// order if WithDocument gives the document; for a nil policy it is another error. A policy with a
// problem gives no plan. Compile does not modify or retain the policy, and is safe for concurrent
// use.
func Compile(policy *corsrpcv1.Policy, opts ...CompileOption) (*Plan, error) {
	if policy == nil {
		return nil, errors.New("corsrpc: Compile: the policy is nil: pass doc.Policy() of a Document, or a Policy message")
	}
	return compilePlan(proto.CloneOf(policy), nil, newCompileConfig(opts), nil)
}

// compilePlan compiles a policy that it may modify and retain. It takes the origin lists that
// were cut out of the policy, and the violations that parsing the text has found; it reports
// them together with those of the options.
func compilePlan(policy *corsrpcv1.Policy, cut map[string]*origin.StringList, c *compileConfig, found []rules.Violation) (*Plan, error) {
	config := rules.Config{Files: c.files, Prefixes: c.prefixes, Profile: c.profile, LookupEnv: c.lookupEnv, LongList: c.longList, UnsetVariables: c.forTool.UnsetVariables, WithoutSchema: c.forTool.WithoutSchema}
	if c.document != nil {
		config.Document = c.document.document
	}
	compiled, violations := rules.Compile(policy, cut, config, slices.Concat(found, c.violations))
	if len(violations) > 0 {
		return nil, policyError(violations)
	}
	return buildPlan(compiled), nil
}

// buildPlan builds the plan of compiled rules: the grants, the targets, and the plan of the shadow
// policy.
func buildPlan(compiled *rules.Rules) *Plan {
	if compiled == nil {
		return nil
	}
	grants := grantsByRule{}
	noOrigins := grants.targetOf(compiled.Ungoverned)
	noOrigins.kind = targetNone
	p := &Plan{
		rules: compiled, profile: compiled.Profile, observes: compiled.Observes, sourceNames: compiled.Sources,
		noOrigins: noOrigins, unbounded: &target{kind: targetAmbiguous, grant: noOrigins.grant, rule: noOrigins.rule, exposures: noOrigins.exposures},
		shadow:   buildPlan(compiled.Shadow),
		digest:   sync.OnceValue(func() string { return compiled.Digest(version()) }),
		findings: sync.OnceValue(func() findings { return findingsOf(compiled, analysis.Findings) }),
	}
	if p.shadow != nil {
		p.shadow.findings = sync.OnceValue(func() findings { return findingsOf(compiled, analysis.ShadowFindings) })
	}
	p.newPath, p.newProcedure = grants.targetOf(compiled.NewPath), grants.targetOf(compiled.Uncovered)
	p.newPath.kind = targetPath
	p.newOperational = grants.targetOf(compiled.Unnamed)
	p.routes = rules.Routes(compiled, func(a, b *target) bool { return a.grant == b.grant }, func(t rules.Target) *target {
		switch {
		case t.Kind == route.Path:
			return grants.knownTarget(targetPath, t.Name, t.Rule)
		case t.Name != "":
			return grants.knownTarget(targetProcedure, t.Name, t.Rule)
		}
		return grants.targetOf(t.Rule)
	})
	p.servesMCP = slices.ContainsFunc(compiled.Paths, func(path rules.Path) bool { return path.Rule.ServesMCP() })
	var sets []*origin.Set
	for rule := range grants {
		if set := rule.Origins(); set.Len() > 0 && !slices.Contains(sets, set) {
			sets = append(sets, set)
		}
	}
	p.namedOrigins = sync.OnceValue(func() []*origin.Set { return mergedSets(sets) })
	return p
}

// grantsByRule holds the grant of each effective rule, so that each is built once.
type grantsByRule map[*rules.Effective]*grant

// grantOf returns the grant of a rule, and builds it the first time.
func (made grantsByRule) grantOf(rule *rules.Effective) *grant {
	g := made[rule]
	if g == nil {
		g = newGrant(rule)
		made[rule] = g
	}
	return g
}

// targetOf returns the target of procedures that a selector covers, without a name: find adds
// the name of the request.
func (made grantsByRule) targetOf(rule *rules.Effective) *target {
	g := made.grantOf(rule)
	return &target{kind: targetProcedure, grant: g, rule: rule, exposures: &g.exposures}
}

// knownTarget returns the target of a procedure of the schema, or of a path rule.
func (made grantsByRule) knownTarget(kind targetKind, name string, rule *rules.Effective) *target {
	return &target{kind: kind, name: name, known: true, id: newID(), grant: made.grantOf(rule), rule: rule, exposures: &clockcache.Cache[exposure]{}}
}

// version returns the version and the checksum of the corsrpc module in this program, as its
// build information has them; empty if it has none.
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
