package origin

import (
	"regexp"
	"strings"
	"testing"
)

// TestRegexp checks that the regular expression of a pattern matches the origins that the pattern matches, and no
// other value that Parse accepts.
func TestRegexp(t *testing.T) {
	t.Parallel()
	patterns := []string{
		"https://app.example.com", "https://app.example.com:8443", "https://app.example.com:*", "https://*.example.com", "https://*.example.com:*",
		"https://pr-*.example.com", "https://*-pr.example.com", "https://x*.example.com", "https://*n--a.example.com", "https://xn*a.example.com", "https://a*.b.example.com:8443",
		"http://localhost:*", "http://[::1]:3000", "null", "*", "moz-extension://*", "capacitor://localhost", "file://", "http://127.0.0.1:*", "vscode-webview://*", "http://*.localhost:*",
	}
	first := []string{
		"app", "pr-1", "pr-", "a-pr", "-pr", "xn--a", "xn--", "xn-", "xn", "x", "xna", "xn-a", "xna-", "n--a", "an--a", "xn--n--a", "a1", "a", strings.Repeat("a", 63), strings.Repeat("a", 64), "_", "-", "",
		"A", "127", "pr-" + strings.Repeat("a", 60), "pr-" + strings.Repeat("a", 61), "a.b", "xn--a.b", "a..b",
	}
	domains := []string{".example.com", ".b.example.com", ".example.com.", ".xexample.com", "", ".localhost", ".com"}
	var values []string
	for _, scheme := range []string{"https", "http", "capacitor", "moz-extension", "vscode-webview", "file", "HTTPS"} {
		for _, port := range []string{"", ":8443", ":3000", ":65535", ":0", ":"} {
			for _, domain := range domains {
				for _, label := range first {
					values = append(values, scheme+"://"+label+domain+port)
				}
			}
			values = append(values, scheme+"://localhost"+port, scheme+"://[::1]"+port, scheme+"://127.0.0.1"+port)
		}
	}
	values = append(values, "null", "file://", "*", "", "https://app.example.com/", "https://app.example.com\n")
	for _, text := range patterns {
		p, problems := ParsePattern(text)
		if p == (Pattern{}) {
			t.Fatal(problems)
		}
		re, matched := regexp.MustCompile("^(?:"+p.Regexp()+")$"), 0
		for _, value := range values {
			o, valid := Parse(value)
			if !valid {
				continue
			}
			matches := re.MatchString(value)
			if want := p.Match(o); matches != want {
				t.Errorf("the expression %s of %s: %q matches: %t, want %t", re, p, value, matches, want)
			}
			if matches {
				matched++
			}
		}
		if matched == 0 {
			t.Errorf("no value matches %s", text)
		}
	}
}

// TestRegexpOnlyOrigins checks values that are not origins.
func TestRegexpOnlyOrigins(t *testing.T) {
	t.Parallel()
	for pattern, values := range map[string][]string{
		"https://*.example.com":   {"https://a.example.com.evil.example", "https://evil.example/.example.com", "https://a@b.example.com", "https://.example.com", "https://a b.example.com", "https://a..example.com", "https://A.example.com", "https://aexample.com"},
		"https://app.example.com": {"https://appxexample.com", "https://app.example.com:443x", "https://app.example.com.", "xhttps://app.example.com"},
		"http://localhost:*":      {"http://localhost:", "http://localhost:evil", "http://localhost:80.evil.example", "http://localhost.evil.example"},
		"moz-extension://*":       {"moz-extension://", "moz-extension://a/b", "xmoz-extension://a"},
	} {
		p, _ := ParsePattern(pattern)
		re := regexp.MustCompile("^(?:" + p.Regexp() + ")$")
		for _, value := range values {
			if re.MatchString(value) {
				t.Errorf("the expression %s of %s matches %q", re, pattern, value)
			}
		}
	}
	if re := regexp.MustCompile("^(?:" + Pattern{}.Regexp() + ")$"); re.MatchString("") || re.MatchString("null") {
		t.Errorf("the expression of the zero Pattern matches something")
	}
}
