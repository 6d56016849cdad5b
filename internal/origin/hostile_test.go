package origin

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// hostilePatterns are the patterns listed in testdata/hostile-origins.txt, each with values that
// it allows.
var hostilePatterns = map[string][]string{
	"https://app.example.com":      {"https://app.example.com"},
	"https://app.example.com:8443": {"https://app.example.com:8443"},
	"https://*.example.org":        {"https://a.example.org", "https://a.b.example.org"},
	"https://ports.example.net:*":  {"https://ports.example.net", "https://ports.example.net:8443"},
	"https://*.wild.example.net:*": {"https://a.wild.example.net", "https://a.b.wild.example.net:8443"},
	"capacitor://localhost":        {"capacitor://localhost"},

	"https://pr-*.acme.dev":                       {"https://pr-1.acme.dev", "https://pr-a_b-c.acme.dev", "https://pr--.acme.dev", "https://pr-xn--a.acme.dev"},
	"https://*--acme.netlify.app:*":               {"https://a--acme.netlify.app", "https://a-b--acme.netlify.app:8443", "https://---acme.netlify.app"},
	"https://acme-git-*-acmeteam.vercel.app:8443": {"https://acme-git-fix-acmeteam.vercel.app:8443", "https://acme-git---acmeteam.vercel.app:8443"},
	"http://pr-*.localhost:*":                     {"http://pr-1.localhost", "http://pr-1.localhost:3000"},
}

// hostileOrigins returns the values in testdata/hostile-origins.txt by class, and values of 1
// MiB.
func hostileOrigins(t testing.TB) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("testdata/hostile-origins.txt")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string][]string{}
	class := ""
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		if comment, ok := strings.CutPrefix(line, "#"); ok {
			class = strings.TrimSpace(comment)
			continue
		}
		if line == "" {
			continue
		}
		value, err := strconv.Unquote(line)
		if err != nil {
			t.Fatalf("line %d: %s: %v", i+1, line, err)
		}
		values[class] = append(values[class], value)
	}
	long := strings.Repeat("a", 1<<20)
	values["1 MiB"] = []string{
		long, "https://" + long, "https://" + long + ".example.org", "https://" + strings.Repeat("a.", 1<<19) + "example.org",
		"https://app.example.com" + long, "https://app.example.com:" + strings.Repeat("0", 1<<20) + "8443", "https://app.example.com" + strings.Repeat(" ", 1<<20),
		"https://ports.example.net:" + strings.Repeat("9", 1<<20), "https://a.wild.example.net:8443" + strings.Repeat("/", 1<<20), "capacitor://localhost" + long,
		"https://pr-" + long + ".acme.dev", "https://pr-1.acme.dev" + long, "https://" + long + "--acme.netlify.app", "https://pr-1." + strings.Repeat("a.", 1<<19) + "acme.dev",
		"https://" + strings.Repeat("pr-", 1<<19) + ".acme.dev", "https://acme-git-" + strings.Repeat("-acmeteam", 1<<17) + ".vercel.app:8443",
		strings.Repeat("https://app.example.com,", 1<<16), strings.Repeat(":", 1<<20), "https://[" + strings.Repeat("0:", 1<<19) + "]",
	}
	return values
}

func TestNoHostileOriginMatches(t *testing.T) {
	sets := map[string]*Set{}
	var all []Pattern
	for text, allowed := range hostilePatterns {
		p := patternsOf(t, text)
		all = append(all, p...)
		sets[text] = NewSet(p)
		for _, raw := range allowed {
			if _, ok := sets[text].Match(raw); !ok {
				t.Errorf("%s does not match %q", text, raw)
			}
		}
	}
	sets["all of them"] = NewSet(all)

	n, seen := 0, map[string]bool{}
	for class, values := range hostileOrigins(t) {
		for _, raw := range values {
			if seen[raw] {
				t.Errorf("%s: %.80q is listed twice", class, raw)
			}
			seen[raw] = true
			n++
			o, _ := Parse(raw)
			for text, s := range sets {
				if _, ok := s.Match(raw); ok {
					t.Errorf("%s: %s matches %.80q", class, text, raw)
				}
			}
			for _, p := range all {
				if p.Match(o) {
					t.Errorf("%s: Pattern %s matches %.80q", class, p, raw)
				}
				if modelMatch(p.String(), raw) {
					t.Errorf("%s: the model of %s matches %.80q", class, p, raw)
				}
			}
		}
	}
	if n < 500 {
		t.Errorf("only %d values", n)
	}
}

// TestAnyAllowsOriginsOnly: "*" does not match a value that is not an origin.
func TestAnyAllowsOriginsOnly(t *testing.T) {
	anyone := NewSet(patternsOf(t, "*"))
	for class, values := range hostileOrigins(t) {
		for _, raw := range values {
			if _, ok := anyone.Match(raw); ok != modelValid(raw) {
				t.Errorf("%s: * matches %.80q: %t, the model says %t", class, raw, ok, !ok)
			}
		}
	}
}
