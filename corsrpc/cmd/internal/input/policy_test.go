package input

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// compileWith compiles a policy with the settings of flags.
func compileWith(t *testing.T, flags Flags, text string) (*Policy, error) {
	t.Helper()
	settings, err := flags.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return settings.Compile("cors.yaml", []byte(text))
}

// TestUnknownAndNotes: the command says what it does not know about a policy, and which variables of the
// command line the policy does not use.
func TestUnknownAndNotes(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/env"
	writeFile(t, file, "OTHER=1\n")
	const policy = `
defaults: {allow_origins: ["${PARTNERS}", "https://app.example.com"], allow_origins_from: [tenants]}
profiles: {dev: {add_origins: ["${PREVIEW}"]}}
`
	p, err := compileWith(t, Flags{Env: List{"PARTNRS=https://a.example.com", "PREVIEW=https://p.example.com"}, EnvFiles: List{file}}, policy)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{
		"the schema is not known (--descriptors or --reflect), so selectors are taken by name",
		"the origins of the source tenants are not known",
		"the environment variable PARTNERS is not set (--env PARTNERS=...), so its origins are not known",
	}; !slices.Equal(p.Unknown, want) {
		t.Errorf("unknown %q", p.Unknown)
	}
	if want := []string{"--env PARTNRS is not used: the policy has no ${PARTNRS}; its variables are PARTNERS, PREVIEW"}; !slices.Equal(p.Notes, want) {
		t.Errorf("notes %q", p.Notes)
	}
	p, err = compileWith(t, Flags{Env: List{"A=1", "A=2"}}, `defaults: {allow_origins: ["https://app.example.com"]}`)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"--env A is not used: the policy has no ${A}"}; !slices.Equal(p.Notes, want) {
		t.Errorf("notes %q", p.Notes)
	}
}

// TestMaxPolicyBytes: the flag bounds the text.
func TestMaxPolicyBytes(t *testing.T) {
	t.Parallel()
	const policy = `defaults: {allow_origins: ["https://app.example.com"]}`
	if _, err := compileWith(t, Flags{MaxPolicyBytes: len(policy)}, policy); err != nil {
		t.Error(err)
	}
	_, err := compileWith(t, Flags{MaxPolicyBytes: len(policy) - 1}, policy)
	if err == nil || !strings.Contains(err.Error(), "cors.yaml is larger than 53 bytes, the maximum size of a policy: --max-policy-bytes raises it") {
		t.Errorf("error %v", err)
	}
	large := `{"defaults": {"allow_origins": ["https://app.example.com"]}}` + strings.Repeat(" ", corsrpc.DefaultMaxPolicyBytes)
	if _, err := (Settings{MaxPolicyBytes: len(large)}).Compile("cors.json", []byte(large)); err != nil {
		t.Errorf("a raised limit: %v", err)
	}
	if _, err := compileWith(t, Flags{}, large); err == nil || !strings.Contains(err.Error(), "is larger than 8388608 bytes") {
		t.Errorf("the usual limit: %v", err)
	}
	var problems *corsrpc.PolicyError
	if _, err := compileWith(t, Flags{}, "defalts: {}"); !errors.As(err, &problems) {
		t.Errorf("a policy with problems: %v", err)
	}
}
