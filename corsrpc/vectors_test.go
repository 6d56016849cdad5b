package corsrpc_test

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// TestVectors runs every case of the corpus through Decide and Apply, and through Wrap, and compares both
// with the expected result.
func TestVectors(t *testing.T) {
	t.Parallel()
	suites, err := vectors.Suites()
	if err != nil {
		t.Fatal(err)
	}
	cases := 0
	for _, s := range suites {
		layer := layerOfSuite(t, s)
		for _, c := range s.Cases {
			cases++
			t.Run(s.File+"/"+c.Name, func(t *testing.T) {
				t.Parallel()
				t.Run("decide", func(t *testing.T) { checkDecide(t, layer.Plan(), c) })
				t.Run("wrap", func(t *testing.T) { checkWrap(t, layer, c) })
			})
		}
	}
	if cases < 150 {
		t.Errorf("%d cases, want at least 150", cases)
	}
}

// planOfSuite compiles the policy of a suite.
func planOfSuite(t *testing.T, s vectors.Suite, policy *corsrpcv1.Policy, opts ...corsrpc.CompileOption) *corsrpc.Plan {
	t.Helper()
	files, err := vectors.Schema(s.Schema)
	if err != nil {
		t.Fatal(err)
	}
	opts = append(opts, corsrpc.WithFiles(files), corsrpc.WithProfile(s.Profile), withEnv(s.Env))
	for _, p := range s.Prefixes {
		opts = append(opts, corsrpc.WithPathPrefix(p))
	}
	plan, err := corsrpc.Compile(policy, opts...)
	if err != nil {
		t.Fatalf("%s: %v", s.File, err)
	}
	return plan
}

// layerOfSuite returns a layer for a suite.
func layerOfSuite(t *testing.T, s vectors.Suite) *corsrpc.Layer {
	t.Helper()
	doc, err := corsrpc.ParsePolicy(s.File+".yaml", []byte(s.Policy))
	if err != nil {
		t.Fatalf("%s: %v", s.File, err)
	}
	plan := planOfSuite(t, s, doc.Policy(), corsrpc.WithDocument(doc))
	opts := []corsrpc.LayerOption{corsrpc.WithLogger(slog.New(slog.DiscardHandler))}
	for name, rows := range s.Sources {
		opts = append(opts, corsrpc.WithOriginSource(name, rowsOf(rows...), corsrpc.SourceWait(time.Minute)))
	}
	layer, err := corsrpc.New(plan, opts...)
	if err != nil {
		t.Fatalf("%s: %v", s.File, err)
	}
	return layer
}

// withEnv replaces the environment.
func withEnv(env map[string]string) corsrpc.CompileOption {
	return corsrpc.WithLookupEnv(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
}

// rowsOf returns a source that streams rows.
func rowsOf(rows ...string) corsrpc.OriginSource {
	return corsrpc.OriginSourceFunc(func(context.Context) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
		}
	})
}

// request returns a case's request as net/http gives it to a handler.
func request(t *testing.T, c vectors.Case) *http.Request {
	t.Helper()
	method, host := c.Request.Method, c.Request.Host
	if method == "" {
		method = http.MethodPost
	}
	if host == "" {
		host = "api.example.com"
	}
	u, err := url.ParseRequestURI(c.Request.Path)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(method, "/", strings.NewReader("body"))
	r.URL, r.Host, r.RequestURI, r.Header = u, host, c.Request.Path, c.Request.Header.HTTP()
	if c.Request.TLS {
		r.TLS = &tls.ConnectionState{}
	}
	return r
}

// runsHandler are the outcomes for which the handler runs.
var runsHandler = map[string]bool{"untouched": true, "pass": true, "grant": true}

func checkDecide(t *testing.T, plan *corsrpc.Plan, c vectors.Case) {
	r := request(t, c)
	before := fmt.Sprint(r.Header)
	d := plan.Decide(corsrpc.RequestOf(r))
	if got := d.Outcome().String(); got != c.Want.Outcome {
		t.Errorf("outcome %s (%s), want %s", got, d.Reason(), c.Want.Outcome)
	}
	if got := string(d.Reason()); got != c.Want.Reason {
		t.Errorf("reason %s, want %s", got, c.Want.Reason)
	}
	if got := d.From().Field; c.Want.Field != "" && got != c.Want.Field {
		t.Errorf("field %q, want %q", got, c.Want.Field)
	}
	if d.Enforced() == c.Want.Observed {
		t.Errorf("enforced %v", d.Enforced())
	}
	if got := d.Missing(); got != c.Want.Missing {
		t.Errorf("missing %q, want %q", got, c.Want.Missing)
	}
	header, status := http.Header{}, c.Response.Status
	if s, _, ok := d.Answer(); ok {
		status = s
	} else {
		header = c.Response.Header.HTTP()
		if status == 0 {
			status = http.StatusOK
		}
	}
	d.Apply(status, header)
	checkHeader(t, header, c)
	checkStatus(t, status, c)
	if after := fmt.Sprint(r.Header); after != before {
		t.Errorf("Decide changed the request's header:\n%s\n%s", before, after)
	}
}

func checkWrap(t *testing.T, layer *corsrpc.Layer, c vectors.Case) {
	ran := false
	handler := layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ran = true
		maps.Copy(w.Header(), c.Response.Header.HTTP())
		if c.Response.Status != 0 {
			w.WriteHeader(c.Response.Status)
		}
	}))
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, request(t, c))
	if want := runsHandler[c.Want.Outcome] || c.Want.Observed; ran != want {
		t.Errorf("handler ran: %v, want %v", ran, want)
	}
	res := w.Result()
	checkHeader(t, res.Header, c)
	checkStatus(t, res.StatusCode, c)
}

func checkStatus(t *testing.T, status int, c vectors.Case) {
	t.Helper()
	want := c.Want.Status
	if want == 0 {
		want = map[string]int{"preflight": 204, "refuse": 403, "method_not_allowed": 405}[c.Want.Outcome]
	}
	if want == 0 {
		want = cmpOr(c.Response.Status, 200)
	}
	if status != want {
		t.Errorf("status %d, want %d", status, want)
	}
}

func cmpOr(a, b int) int {
	if a != 0 {
		return a
	}
	return b
}

// checkHeader compares the Access-Control fields, Timing-Allow-Origin and Vary of a response with those of
// the case: every field that the case does not list is an error.
func checkHeader(t *testing.T, got http.Header, c vectors.Case) {
	t.Helper()
	for name, want := range c.Want.Header {
		if !slices.Equal(got[name], []string(want)) {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
	for name, lines := range got {
		lower := strings.ToLower(name)
		if _, listed := c.Want.Header[name]; !listed && len(lines) > 0 && (lower == "vary" || lower == "timing-allow-origin" || strings.HasPrefix(lower, "access-control-")) {
			t.Errorf("%s: %q is not listed", name, lines)
		}
	}
}

var update = flag.Bool("update", false, "write the golden files anew")

// TestPolicyVectors checks the violations of every invalid policy in the corpus: their checks and places
// with the corpus, and their texts with testdata/violations.golden.
func TestPolicyVectors(t *testing.T) {
	t.Parallel()
	policies, err := vectors.Policies()
	if err != nil {
		t.Fatal(err)
	}
	var golden strings.Builder
	for _, p := range policies {
		files, err := vectors.Schema(p.Schema)
		if err != nil {
			t.Fatal(err)
		}
		name := p.File
		if name == "" {
			name = "cors.yaml"
		}
		opts := []corsrpc.Option{corsrpc.WithFiles(files), corsrpc.WithProfile(p.Profile), withEnv(p.Env), corsrpc.WithOriginSource("tenants", rowsOf()), corsrpc.WithLogger(slog.New(slog.DiscardHandler))}
		err = load(t, name, p.Text, opts...)
		if long := load(t, name, p.Text, append(opts, corsrpc.WithLongLists(0))...); withoutDir(long) != withoutDir(err) {
			t.Errorf("%s: with its lists apart:\n%v\nwant\n%v", p.Name, long, err)
		}
		var got []string
		for _, v := range violations(t, err) {
			field := v.Field
			if field == "" {
				field = "-"
			}
			got = append(got, fmt.Sprintf("%d:%d %s %s", v.Position.Line, v.Position.Column, field, v.Check))
		}
		if !slices.Equal(got, p.Violations) {
			t.Errorf("%s: violations\n    - %s\nwant\n    - %s", p.Name, strings.Join(got, "\n    - "), strings.Join(p.Violations, "\n    - "))
		}
		fmt.Fprintf(&golden, "# %s\n%s\n\n", p.Name, withoutDir(err))
	}
	checkGolden(t, "testdata/violations.golden", golden.String())
}

// withoutDir removes the folders from the paths in an error.
func withoutDir(err error) string {
	if err == nil {
		return "loads"
	}
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		if at := strings.Index(line, "/cors."); at >= 0 {
			lines[i] = "\t" + line[at+1:]
			for strings.Contains(lines[i], "at /") { // the place of a related value
				before, after, _ := strings.Cut(lines[i], "at /")
				lines[i] = before + "at " + after[strings.Index(after, "/cors.")+1:]
			}
		}
	}
	return strings.Join(lines, "\n")
}

func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; with -update it is written anew, then read the diff. Got:\n%s", name, got)
	}
}

// TestEveryCodeHasAVector checks that the corpus has a case for every check and every reason.
func TestEveryCodeHasAVector(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	policies, err := vectors.Policies()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range policies {
		for _, v := range p.Violations {
			seen[v[strings.LastIndex(v, " ")+1:]] = true
		}
	}
	suites, err := vectors.Suites()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range suites {
		for _, c := range s.Cases {
			seen[c.Want.Reason] = true
		}
	}
	// No policy in the corpus can fail these checks, which concern sizes, bytes or options in code.
	// They have tests of their own.
	for _, c := range []corsrpc.Check{corsrpc.CheckTooLarge, corsrpc.CheckNotUTF8, corsrpc.CheckOption} {
		seen[string(c)] = true
	}
	for _, c := range corsrpc.Checks() {
		if !seen[string(c)] {
			t.Errorf("check %s has no vector", c)
		}
		if c.Purpose() == "" {
			t.Errorf("check %s has no purpose", c)
		}
	}
	for _, r := range corsrpc.Reasons() {
		if !seen[string(r)] {
			t.Errorf("reason %s has no vector", r)
		}
		if r.Text() == "" {
			t.Errorf("reason %s has no text", r)
		}
	}
}

// violations returns the violations of a PolicyError.
func violations(t *testing.T, err error) []corsrpc.Violation {
	t.Helper()
	if err == nil {
		return nil
	}
	var p *corsrpc.PolicyError
	if !errors.As(err, &p) {
		t.Fatalf("%T is no *PolicyError: %v", err, err)
	}
	return p.Violations
}
