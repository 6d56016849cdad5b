package corsrpc_test

import (
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/remedies"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// TestRemediesOfVectors applies the remedy of each refusal in the corpus, and of each refusal that follows,
// until the request is granted. The places in the remedies are those of the policy's text.
func TestRemediesOfVectors(t *testing.T) {
	t.Parallel()
	suites, err := vectors.Suites()
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, s := range suites {
		doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(s.Policy))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range s.Cases {
			from := remedies.Case{
				Policy: doc.Policy(), Sources: s.Sources, Request: corsrpc.RequestOf(request(t, c)),
				Place: func(field string) string {
					for at := field; at != ""; at = outer(at) {
						if p, ok := doc.Position(at); ok {
							return fmt.Sprintf("cors.yaml:%d", p.Line)
						}
					}
					return field
				},
			}
			if d := planOfSuite(t, s, proto.CloneOf(doc.Policy()), corsrpc.WithDocument(doc)).WithSets(s.Sources).Decide(from.Request); !d.Refused() {
				continue
			}
			refused++
			followRemedies(t, s, c.Name, from, corsrpc.WithDocument(doc))
		}
	}
	if refused < 100 {
		t.Errorf("%d refusals, want at least 100", refused)
	}
}

// outer returns the field path around a field; empty if there is none.
func outer(field string) string {
	end := max(strings.LastIndexByte(field, '.'), strings.LastIndexByte(field, '['), 0)
	return field[:end]
}

// followRemedies applies the remedies of a request until it is granted.
func followRemedies(t *testing.T, s vectors.Suite, name string, c remedies.Case, opts ...corsrpc.CompileOption) {
	t.Helper()
	var followed []string
	for {
		plan, err := compileCase(t, s, c, opts...)
		if err != nil {
			t.Errorf("%s, %s: after %q: %v", s.File, name, followed, err)
			return
		}
		d := plan.WithSets(c.Sources).Decide(c.Request)
		if !d.Refused() {
			return
		}
		problem := string(d.Reason()) + " " + d.Missing()
		remedy := d.Remedy()
		if len(followed) > 0 && followed[len(followed)-1] == problem+": "+remedy || len(followed) > 8 {
			t.Errorf("%s, %s: %s: %q does not help", s.File, name, problem, followed)
			return
		}
		followed = append(followed, problem+": "+remedy)
		if strings.Contains(remedy, "option(") {
			return // the schema of the corpus is not changed here
		}
		a, err := remedies.Apply(c, remedy)
		if err != nil {
			t.Errorf("%s, %s: %s: %v", s.File, name, problem, err)
			return
		}
		if !a.ChangesPolicy && !a.ChangesRequest {
			return
		}
		c, opts = a.Case, nil // the document's positions are those of the first policy
		c.Place = nil
	}
}

// compileCase compiles the policy of a case with its options.
func compileCase(t *testing.T, s vectors.Suite, c remedies.Case, opts ...corsrpc.CompileOption) (*corsrpc.Plan, error) {
	t.Helper()
	files, err := vectors.Schema(s.Schema)
	if err != nil {
		t.Fatal(err)
	}
	opts = append(opts, corsrpc.WithFiles(files), corsrpc.WithProfile(s.Profile), withEnv(s.Env))
	for _, p := range s.Prefixes {
		opts = append(opts, corsrpc.WithPathPrefix(p))
	}
	return corsrpc.Compile(proto.CloneOf(c.Policy), opts...)
}

// TestFixesOfVectors writes the fix of each violation of the corpus into the text, at the violation's
// position, or into the environment variable whose value it is about: the violation is gone.
func TestFixesOfVectors(t *testing.T) {
	t.Parallel()
	policies, err := vectors.Policies()
	if err != nil {
		t.Fatal(err)
	}
	applied := 0
	for _, p := range policies {
		files, err := vectors.Schema(p.Schema)
		if err != nil {
			t.Fatal(err)
		}
		check := func(text string, env map[string]string) []corsrpc.Violation {
			doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(text))
			found := violations(t, err)
			if doc == nil {
				return found
			}
			_, err = corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc), corsrpc.WithFiles(files), corsrpc.WithProfile(p.Profile), withEnv(env))
			return append(found, violations(t, err)...)
		}
		if p.File != "" && !strings.HasSuffix(p.File, ".yaml") || p.File == "" && len(check(p.Text, p.Env)) == 0 {
			continue
		}
		for _, v := range check(p.Text, p.Env) {
			text, env, ok := p.Text, p.Env, false
			if variable := ofVariable.FindStringSubmatch(v.Reason); variable != nil {
				env, ok = writeVariable(p.Env, variable[1], v.Fix)
			} else {
				text, ok = writeFix(p.Text, v)
			}
			if !ok {
				continue
			}
			applied++
			for _, left := range check(text, env) {
				unset := strings.Contains(left.Reason, "which is empty or not set") // the fix names a variable
				if left.Check == v.Check && left.Field == v.Field && (!unset || left.Value == v.Value) || left.Check == corsrpc.CheckSyntax {
					t.Errorf("%s: %v\nwith the fix: %v\n%s", p.Name, v, left, text)
				}
			}
		}
	}
	if applied < 50 {
		t.Errorf("%d fixes are written, want at least 50", applied)
	}
}

// ofVariable matches the reason of a violation that is about the value of an environment variable.
var ofVariable = regexp.MustCompile(`\(it is the value of the environment variable (\w+)`)

// writeVariable returns the environment with a fix, a quoted text, as the value of a variable.
func writeVariable(env map[string]string, name, fix string) (map[string]string, bool) {
	value, err := strconv.Unquote(fix)
	if err != nil {
		return nil, false
	}
	env = maps.Clone(env)
	env[name] = value
	return env, true
}

// writeFix writes a fix that is a value in place of the value at the violation's position, and one that is a
// line as a line of its own above it. ok is false for other fixes.
func writeFix(text string, v corsrpc.Violation) (fixed string, ok bool) {
	lines := strings.Split(text, "\n")
	i := v.Position.Line - 1
	if v.Fix == "" || i < 0 || i >= len(lines) || v.Position.Column < 1 {
		return "", false
	}
	runes := []rune(lines[i])
	if v.Position.Column > len(runes) {
		return "", false
	}
	before, rest := string(runes[:v.Position.Column-1]), string(runes[v.Position.Column-1:])
	switch {
	case v.Check == corsrpc.CheckProfileUnknown: // it is chosen by an option
		return "", false
	case fixedValue.MatchString(v.Fix) && v.Check != corsrpc.CheckUnknownField:
	case v.Check == corsrpc.CheckUnknownField && fixedName.MatchString(v.Fix):
	case v.Check == corsrpc.CheckPathIsProcedure:
		before = strings.TrimSuffix(before, "path: ")
	case v.Fix == "disabled: false":
		lines[i] = before + v.Fix + "\n" + strings.Repeat(" ", len(before)) + rest
		return strings.Join(lines, "\n"), true
	default:
		return "", false
	}
	value := quoted.FindString(rest)
	switch {
	case value != "":
	case v.Value != "" && strings.HasPrefix(rest, v.Value):
		value = v.Value
	case strings.ContainsAny(before, "[{"):
		value = inFlow.FindString(rest)
	case v.Check == corsrpc.CheckUnknownField:
		value, _, _ = strings.Cut(rest, ":")
	default:
		value = rest
	}
	lines[i] = before + v.Fix + rest[len(value):]
	return strings.Join(lines, "\n"), true
}

var (
	fixedValue = regexp.MustCompile(`^("(?:[^"\\]|\\.)*"|\[[^\[\]]*\]|[A-Za-z0-9_]+)$`)
	fixedName  = regexp.MustCompile(`^[a-z_]+$`)
	quoted     = regexp.MustCompile(`^("(?:[^"\\]|\\.)*"|'[^']*')`)
	inFlow     = regexp.MustCompile(`^[^,\]}:]+`)
)
