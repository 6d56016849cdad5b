package origin

import (
	"slices"
	"strings"
	"testing"
)

// FuzzParse: Parse accepts the values that the model accepts. String returns the value, and the
// fields are its parts.
func FuzzParse(f *testing.F) {
	for _, values := range hostileOrigins(f) {
		for _, value := range values {
			if len(value) < 1000 {
				f.Add(value)
			}
		}
	}
	for _, values := range hostilePatterns {
		for _, value := range values {
			f.Add(value)
		}
	}
	f.Fuzz(func(t *testing.T, raw string) {
		o, ok := Parse(raw)
		if want := modelValid(raw); ok != want {
			t.Fatalf("Parse(%q) = %t, the model says %t", raw, ok, want)
		}
		if !ok {
			if o != (Parsed{}) {
				t.Errorf("Parse(%q) = %+v, false", raw, o)
			}
			return
		}
		if o.String() != raw {
			t.Errorf("Parse(%q).String() = %q", raw, o.String())
		}
		if o.Scheme == "http" || o.Scheme == "https" {
			if strings.Trim(raw, "abcdefghijklmnopqrstuvwxyz0123456789-_.:/[]") != "" || strings.Count(raw, "/") != 2 {
				t.Errorf("Parse(%q) = %+v", raw, o)
			}
			if !o.SameHost(strings.TrimPrefix(raw, o.Scheme+"://"), false) {
				t.Errorf("%q has not its own host", raw)
			}
			if o.SameHost(o.Host+":65536", false) || o.SameHost("a"+o.Host, false) || o.SameHost(o.Host+".", false) {
				t.Errorf("SameHost accepts a foreign host for %q", raw)
			}
		}
	})
}

// FuzzParsePattern: a text either is a pattern that String returns unchanged, or has problems
// that are as Problem documents.
func FuzzParsePattern(f *testing.F) {
	for text := range hostilePatterns {
		f.Add(text)
	}
	for _, text := range []string{"*", "null", "", "app.example.com", "HTTPS://App.example.com:443/", "^https://.*\\.example\\.com$", "https://*.*.example.com", "https://*.co.uk", "https://0x7f.1", "https://[0::1]", "https://bücher.example", "*://x", "ws://localhost:*", " 'a' ", "https://a@b@c:0:0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, problems := ParsePattern(text)
		usable := p != (Pattern{})
		if usable && p.String() != text {
			t.Errorf("ParsePattern(%q) = %q", text, p)
		}
		if !usable && len(problems) == 0 {
			t.Errorf("ParsePattern(%q) returns no problem", text)
		}
		for _, problem := range problems {
			risk := slices.Contains([]Code{CodeNull, CodePlainHTTP, CodePublicSuffix, CodeAnyInstallation}, problem.Code)
			if usable && !risk {
				t.Errorf("ParsePattern(%q) = %q with the problem %+v", text, p, problem)
			}
			checkPromises(t, text, problem)
		}
		if !usable || p.IsAny() {
			return
		}
		// A pattern matches the origin that differs from it only by its wildcards.
		raw := strings.Replace(strings.TrimSuffix(text, ":*"), "*", "a", 1)
		if _, ok := NewSet([]Pattern{p}).Match(raw); ok != modelValid(raw) {
			t.Errorf("%s matches %q: %t", text, raw, ok)
		}
	})
}

// FuzzMatch: a set of up to three patterns, the lines of a text, matches an origin as the model
// does.
func FuzzMatch(f *testing.F) {
	all := make([]string, 0, len(hostilePatterns))
	for text := range hostilePatterns {
		all = append(all, text)
	}
	slices.Sort(all)
	for i := range all {
		pair := all[i] + "\n" + all[(i+1)%len(all)]
		for _, values := range hostilePatterns {
			for _, raw := range values {
				f.Add(pair, raw)
			}
		}
	}
	f.Add("*\nnull\nhttps://*.example.com:*", "null")
	f.Add("https://*.example.com\nhttps://*.a.example.com", "https://b.a.example.com")
	f.Add("https://a*b.x.test\nhttps://ab*.x.test:*\nhttps://*.x.test", "https://abb.x.test")
	f.Add("https://[::1]:*\nhttp://127.0.0.1", "https://[::1]:8443")
	f.Fuzz(func(t *testing.T, text, raw string) {
		var patterns []Pattern
		var texts []string
		for _, line := range strings.SplitN(text, "\n", 3) {
			if p, _ := ParsePattern(line); p != (Pattern{}) {
				patterns, texts = append(patterns, p), append(texts, line)
			}
		}
		want := modelBest(texts, func(i int) bool { return modelMatch(texts[i], raw) })
		set := NewSet(patterns)
		id, ok := set.Match(raw)
		got := set.Index(id)
		if ok != (want >= 0) || ok && got != want {
			t.Fatalf("%q: Match(%q) = %d, %t; the model says %d", texts, raw, got, ok, want)
		}
		if o, _ := Parse(raw); ok && !patterns[got].Match(o) {
			t.Errorf("%q matches %q in the set, but not alone", texts[got], raw)
		}
	})
}
