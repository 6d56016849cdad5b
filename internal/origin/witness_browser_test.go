package origin_test

import (
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/internal/origin"
)

// TestWitnessesAreOriginsOfPages: a page in corsbrowser may have each witness as its origin, since its serialization is the
// witness itself.
func TestWitnessesAreOriginsOfPages(t *testing.T) {
	t.Parallel()
	patterns := []string{
		"https://app.example.com", "https://app.example.com:*", "https://*.example.com", "https://*.example.com.", "https://*.example.com:8443", "https://*.example.com:*",
		"https://pr-*.example.com", "https://*-pr.example.com:*", "https://xn-*.example.com", "https://" + strings.Repeat("a", 61) + "*.example.com", "http://*.localhost:*", "http://[::1]:*", "http://127.0.0.1:*",
		"null", "file://", "capacitor://localhost", "moz-extension://*", "chrome-extension://*", "safari-web-extension://*", "vscode-webview://*", "*",
	}
	var sets []*origin.Set
	for _, others := range [][]string{nil, {"https://*.example.com"}, {"https://w*.example.com", "https://app.example.com"}, {"https://corsrpc-witness.example.com", "https://c*.example.com:*"}, {"http://localhost:*"}} {
		var parsed []origin.Pattern
		for _, text := range others {
			p, _ := origin.ParsePattern(text)
			parsed = append(parsed, p)
		}
		sets = append(sets, origin.NewSet(parsed))
	}
	for _, text := range patterns {
		p, problems := origin.ParsePattern(text)
		if p == (origin.Pattern{}) {
			t.Fatal(text, problems)
		}
		for _, set := range sets {
			witness, verdict := set.Outside(p)
			if verdict == origin.Covered {
				continue
			}
			if _, err := corsbrowser.New(witness); err != nil {
				t.Errorf("%s: %v", text, err)
			}
		}
		common, verdict := origin.Common(origin.NewSet([]origin.Pattern{p}), origin.NewSet([]origin.Pattern{p}))
		if _, err := corsbrowser.New(common); err != nil || verdict != origin.Overlapping {
			t.Errorf("%s: %v, %v", text, verdict, err)
		}
	}
}
