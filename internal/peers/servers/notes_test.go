package servers

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
)

// TestRefusedPolicies: what the notes and the page say does not load does not load.
func TestRefusedPolicies(t *testing.T) {
	t.Parallel()
	for note, lines := range map[string][]string{
		"upper case":      {"allow_origins: [https://App.example.com]"},
		maxAgeDay:         {"allow_origins: [https://app.example.com]", "max_age: 86401s"},
		credentialsStar:   {anyOrigin, "allow_credentials: true"},
		nullRisk:          {`allow_origins: ["null"]`, "accept_risks: [NULL_ORIGIN]", "allow_credentials: true"},
		"null, no accept": {`allow_origins: ["null"]`},
	} {
		doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(sidebyside.Defaults(lines...)))
		if err == nil {
			_, err = corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc), corsrpc.WithFiles(sidebyside.Schema()))
		}
		if problems := new(corsrpc.PolicyError); !errors.As(err, &problems) {
			t.Errorf("%s: %v", note, err)
		}
	}
}

// TestLinesOfNotes: the lines of a policy in a note are those of the row's policy, unless the note is about policies
// that do not load.
func TestLinesOfNotes(t *testing.T) {
	t.Parallel()
	line := regexp.MustCompile("`([a-z_]+: [^`]+)`")
	for _, p := range append(slices.Clone(programs), envoy) {
		for _, r := range p.rows {
			if r.note == credentialsStar {
				continue
			}
			for _, m := range line.FindAllStringSubmatch(r.note, -1) {
				if !strings.Contains(p.policy(r), m[1]) {
					t.Errorf("%s: the policy has no %q:\n%s", p.name, m[1], p.policy(r))
				}
			}
		}
	}
}
