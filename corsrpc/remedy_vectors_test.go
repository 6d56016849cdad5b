package corsrpc_test

import (
	"fmt"
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
		if a.Nothing && !a.ChangesPolicy && !a.ChangesRequest {
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
