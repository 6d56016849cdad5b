package corsrpc_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// load writes a policy to a file, loads it, and returns the error.
func load(t *testing.T, name, text string, opts ...corsrpc.Option) error {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := corsrpc.Load(file, opts...)
	return err
}

const smallest = `defaults: {allow_origins: [https://app.example.com]}`

// TestLoadRefuses checks errors that no text in the corpus can cause.
func TestLoadRefuses(t *testing.T) {
	tests := []struct {
		name, file, text string
		opts             []corsrpc.Option
		check            corsrpc.Check
		says             string
	}{
		{"a text beyond the limit", "cors.yaml", smallest, []corsrpc.Option{corsrpc.WithMaxPolicyBytes(20)}, corsrpc.CheckTooLarge, "more than 20 bytes"},
		{"a text that is not UTF-8", "cors.yaml", smallest + "\xff", nil, corsrpc.CheckNotUTF8, "cors.yaml:1:53"},
		{"an invalid prefix", "cors.yaml", smallest, []corsrpc.Option{corsrpc.WithPathPrefix("api/")}, corsrpc.CheckOption, `"api/"`},
		{"a prefix with a dot segment", "cors.yaml", smallest, []corsrpc.Option{corsrpc.WithPathPrefix("/api/../x")}, corsrpc.CheckOption, "dot segments"},
		{"a truncated binary", "cors.binpb", "\x0a\x7f", nil, corsrpc.CheckSyntax, "truncated"},
		{"an unknown field in a binary", "cors.binpb", "\xfa\x3f\x01x", nil, corsrpc.CheckUnknownField, "does not know"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := load(t, test.file, test.text, test.opts...)
			found := violations(t, err)
			if len(found) == 0 || found[0].Check != test.check || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want %s and %q", err, test.check, test.says)
			}
		})
	}
	t.Run("no file", func(t *testing.T) {
		if _, err := corsrpc.Load(filepath.Join(t.TempDir(), "cors.yaml")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%v", err)
		}
	})
}

// TestBinaryPolicyHasNoLimit checks that a binary policy may have a million origins: a program writes it,
// not a person.
func TestBinaryPolicyHasNoLimit(t *testing.T) {
	t.Parallel()
	b, err := proto.Marshal(&corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: []string{"https://app.example.com"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := load(t, "cors.binpb", string(b), corsrpc.WithMaxPolicyBytes(1), quiet); err != nil {
		t.Error(err)
	}
}

// TestParsePolicyRefuses checks that ParsePolicy returns no document if it returns an error.
func TestParsePolicyRefuses(t *testing.T) {
	t.Parallel()
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte("defaults: {allow_origin: [x]}"))
	if doc != nil || len(violations(t, err)) != 1 {
		t.Errorf("%v %v", doc, err)
	}
	if _, err := corsrpc.Compile(nil); err == nil {
		t.Error("no policy compiles")
	}
	if _, err := corsrpc.New(nil); err == nil {
		t.Error("a layer without a plan")
	}
}

// TestPolicyOfAPlanCompilesToTheSame checks that compiling the Policy of a plan gives an equal plan.
func TestPolicyOfAPlanCompilesToTheSame(t *testing.T) {
	t.Parallel()
	suites, err := vectors.Suites()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range suites {
		plan := layerOfSuite(t, s).Plan()
		again := planOfSuite(t, s, plan.Policy()).WithSets(s.Sources)
		for _, c := range s.Cases {
			r := corsrpc.RequestOf(request(t, c))
			if a, b := plan.Decide(r), again.Decide(r); a.Outcome() != b.Outcome() || a.Reason() != b.Reason() || a.From().Field != b.From().Field {
				t.Errorf("%s/%s: %v %v %v, then %v %v %v", s.File, c.Name, a.Outcome(), a.Reason(), a.From().Field, b.Outcome(), b.Reason(), b.From().Field)
			}
		}
	}
}

// TestCompileKeepsNoReference checks that changing a policy after Compile does not change the plan.
func TestCompileKeepsNoReference(t *testing.T) {
	t.Parallel()
	policy := &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: []string{"https://app.example.com"}}}
	plan, err := corsrpc.Compile(policy)
	if err != nil {
		t.Fatal(err)
	}
	policy.Defaults.AllowOrigins[0] = "https://evil.example"
	plan.Policy().Defaults.AllowOrigins[0] = "https://evil.example"
	d := plan.Decide(corsrpc.Request{Method: "POST", Path: "/a.v1.S/M", Header: http.Header{"Origin": {"https://evil.example"}}})
	if d.Outcome() != corsrpc.OutcomeRefuse || plan.Policy().Defaults.AllowOrigins[0] != "https://app.example.com" {
		t.Errorf("%v %v", d.Outcome(), plan.Policy())
	}
}

// TestCompileChecksNumbers checks enum and duration values that a message can have but no text.
func TestCompileChecksNumbers(t *testing.T) {
	t.Parallel()
	rule := &corsrpcv1.Rule{
		AllowOrigins: []string{"https://app.example.com"},
		AcceptRisks:  []corsrpcv1.Risk{0, 99}, Protocols: []corsrpcv1.Protocol{0, 99}, Expose: 99,
		MaxAge: &durationpb.Duration{Seconds: 1, Nanos: -1},
	}
	rule.ProtoReflect().SetUnknown([]byte{0xfa, 0x3f, 0x01, 'x'})
	_, err := corsrpc.Compile(&corsrpcv1.Policy{Defaults: rule})
	var got []string
	for _, v := range violations(t, err) {
		got = append(got, string(v.Check)+" "+v.Field)
	}
	want := []string{
		"UNKNOWN_FIELD defaults", "UNKNOWN_ENUM_VALUE defaults.accept_risks[0]", "UNKNOWN_ENUM_VALUE defaults.accept_risks[1]",
		"UNKNOWN_ENUM_VALUE defaults.protocols[0]", "UNKNOWN_ENUM_VALUE defaults.protocols[1]", "MAX_AGE_RANGE defaults.max_age", "UNKNOWN_ENUM_VALUE defaults.expose",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

// TestManyOriginsAndRules checks that a set of origins is built once, even if many rules inherit it.
func TestManyOriginsAndRules(t *testing.T) {
	policy := &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{}}
	for i := range 100_000 {
		policy.Defaults.AllowOrigins = append(policy.Defaults.AllowOrigins, fmt.Sprintf("https://tenant%d.example.com", i))
	}
	for i := range 2_000 {
		policy.Rules = append(policy.Rules, &corsrpcv1.Rule{
			Selector: fmt.Sprintf("a.v%d.S", i), AcceptRisks: []corsrpcv1.Risk{corsrpcv1.Risk_RISK_UNKNOWN_SELECTORS}, Tracing: proto.Bool(true),
		})
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	plan, err := corsrpc.Compile(policy, corsrpc.WithFiles(new(protoregistry.Files)))
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<30 {
		t.Errorf("compiling took %d MiB", got>>20)
	}
	d := plan.Decide(corsrpc.Request{Method: "POST", Path: "/a.v1999.S/M", Header: http.Header{"Origin": {"https://tenant99999.example.com"}}})
	if d.Outcome() != corsrpc.OutcomeGrant || d.From().Field != "defaults.allow_origins[99999]" {
		t.Errorf("%v %v %s", d.Outcome(), d.Reason(), d.From().Field)
	}
}
