package comingfrom

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
)

// TestRefusedPolicies: what the notes say does not load does not load.
func TestRefusedPolicies(t *testing.T) {
	t.Parallel()
	for note, lines := range map[string][]string{
		upperCase:       {"allow_origins: [https://App.example.com]"},
		maxAgeDay:       {"allow_origins: [https://app.example.com]", "max_age: 86401s"},
		credentialsStar: {`allow_origins: ["*"]`, "allow_credentials: true"},
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
	for _, l := range libraries {
		for _, r := range l.rows {
			if r.note == credentialsStar {
				continue
			}
			for _, m := range regexp.MustCompile("`([a-z_]+: [^`]+)`").FindAllStringSubmatch(r.note, -1) {
				if !strings.Contains(l.text(r), m[1]) {
					t.Errorf("%s %s: the policy has no %q", l.name, r.option, m[1])
				}
			}
		}
	}
}
