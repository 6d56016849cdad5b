package policytest

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
	"github.com/corsrpc/corsrpc-go/internal/route"
)

// checkAgainstPolicy compiles the policy and checks the content of the test. It returns the problems of the
// policy, if it has any. An error is one that is not about either file.
func (c *checker) checkAgainstPolicy() (*corsrpc.PolicyError, error) {
	var known known
	var broken *corsrpc.PolicyError
	if c.suite.plans.name != "" {
		base := c.suite.plans.base()
		if err := base.err; err != nil {
			if !errors.As(err, &broken) {
				return nil, err
			}
			broken = c.moveToTest(broken)
			c.suite.plans.settings.Profile = "" // that of the test may be the problem
			base = c.suite.plans.base()
		}
		if base.err == nil {
			known = newKnown(base)
		}
	}
	c.suite.known = known
	c.checkTest(known)
	names := map[string]int{}
	for i, one := range c.suite.test.GetCases() {
		field := fmt.Sprintf("cases[%d]", i)
		c.checkName(field, one.GetName(), names)
		c.checkCase(field, one, known)
	}
	names = map[string]int{}
	for i, g := range c.suite.test.GetGuarantees() {
		field := fmt.Sprintf("guarantees[%d]", i)
		c.checkName(field, g.GetName(), names)
		c.checkGuarantee(field, g, known)
	}
	return broken, nil
}

// moveToTest reports the problems of values that the test sets at the test, and returns those of the policy;
// nil if there are none.
func (c *checker) moveToTest(broken *corsrpc.PolicyError) *corsrpc.PolicyError {
	left := &corsrpc.PolicyError{}
	for _, v := range broken.Violations {
		if v.Check == corsrpc.CheckProfileUnknown && v.Value == c.suite.test.GetProfile() {
			c.fail("profile", CodeProfileUnknown, v.Value, "is not a profile of the policy", v.Fix)
			continue
		}
		if v.Check == corsrpc.CheckOption && slices.Contains(c.suite.test.GetPathPrefixes(), v.Value) {
			continue // checkTest reports it
		}
		left.Violations = append(left.Violations, v)
	}
	if len(left.Violations) == 0 {
		return nil
	}
	return left
}

// known is what the policy and the schema have; without values if the policy is not known.
type known struct {
	uses
	policy     bool            // whether the policy is known
	schema     bool            // whether the schema is known
	procedures map[string]bool // those of the schema
	names      []string        // the same, sorted
}

func newKnown(base *variant) known {
	k := known{uses: usesOf(base.policy.Plan.Policy()), policy: true, schema: base.settings.Files != nil, procedures: map[string]bool{}}
	for _, p := range base.policy.Rules.Procedures {
		k.procedures[p.Name] = true
		k.names = append(k.names, p.Name)
	}
	return k
}

// checkTest checks the fields of the test as a whole.
func (c *checker) checkTest(k known) {
	t := c.suite.test
	if len(t.GetCases()) == 0 && len(t.GetGuarantees()) == 0 && !c.skips("cases") && !c.skips("guarantees") {
		c.fail("", CodeEmptyTest, "", "the test has neither cases nor guarantees, so that it tests nothing", "cases: with a list of calls")
	}
	if t.GetServer() != "" {
		c.checkServer(t.GetServer())
	}
	for i, prefix := range t.GetPathPrefixes() {
		if !route.IsPrefix(prefix) {
			c.fail(fmt.Sprintf("path_prefixes[%d]", i), CodePrefix, prefix, "is not a path prefix such as /api", "")
		}
	}
	c.checkEnv("env", t.GetEnv(), k)
	c.checkSources("sources", t.GetSources(), k)
}

func (c *checker) checkServer(server string) {
	u, err := url.Parse(server)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		fix := ""
		if u, err := url.Parse("https://" + server); err == nil && u.Host != "" && !strings.Contains(server, ":/") {
			fix = "https://" + server
		}
		c.fail("server", CodeServer, server, "is not an http or https URL", fix)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		c.fail("server", CodeServer, server, "has more than a scheme, a host and a path", u.Scheme+"://"+u.Host)
	}
}

func (c *checker) checkEnv(field string, env map[string]string, k known) {
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if k.policy && !slices.Contains(k.variables, name) {
			nearest, _ := policyfile.Nearest(name, k.variables)
			c.fail(fmt.Sprintf("%s[%q]", field, name), CodeVariableUnknown, name, "is not an environment variable that the policy uses"+listed(k.variables), nearest)
		}
	}
}

func (c *checker) checkSources(field string, sources map[string]*corsrpcv1.SourceOrigins, k known) {
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		at := fmt.Sprintf("%s[%q]", field, name)
		if k.policy && !slices.Contains(k.sources, name) {
			nearest, _ := policyfile.Nearest(name, k.sources)
			c.fail(at, CodeSourceUnknown, name, "is not an origin source that the policy names"+listed(k.sources), nearest)
		}
		for i, o := range sources[name].GetOrigins() {
			if reason, fix := refusedRow(o); reason != "" {
				c.fail(fmt.Sprintf("%s.origins[%d]", at, i), CodeOrigin, o, reason, fix)
			}
		}
	}
}

// refusedRow returns why a layer ignores an origin of a source, and what to write; empty if it does not.
func refusedRow(row string) (reason, fix string) {
	if p, ok := origin.Parse(row); ok && p.Scheme == "https" {
		return "", ""
	}
	pattern, problems := origin.ParsePattern(row)
	if pattern == (origin.Pattern{}) && len(problems) > 0 {
		fix = problems[0].Fix
	}
	if p, ok := origin.Parse(fix); !ok || p.Scheme != "https" {
		fix = ""
	}
	return "is not an exact https origin, and a layer ignores every other row of a source", fix
}

// listed returns the names that exist, as the end of a sentence.
func listed(names []string) string {
	switch n := len(names); {
	case n == 0:
		return ", which has none"
	case n > 10:
		return ""
	}
	return ", which has " + strings.Join(names, ", ")
}

// checkName reports a name that an item before has.
func (c *checker) checkName(field, name string, lines map[string]int) {
	if name == "" {
		return
	}
	if first, ok := lines[name]; ok {
		c.fail(field+".name", CodeDuplicateName, name, fmt.Sprintf("is already the name of the item in line %d", first), "")
		return
	}
	lines[name] = c.suite.position(field).Line
}

// checkProfile checks the profile of a case or a guarantee.
func (c *checker) checkProfile(field, profile string, k known) {
	if profile != "" && k.policy && !slices.Contains(k.profiles, profile) {
		nearest, _ := policyfile.Nearest(profile, k.profiles)
		c.fail(field+".profile", CodeProfileUnknown, profile, "is not a profile of the policy"+listed(k.profiles), nearest)
	}
}
