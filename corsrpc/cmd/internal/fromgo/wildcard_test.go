package fromgo

import (
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/origin"
)

// TestTranslationGrantsNoMore: no pattern of a policy matches an origin that the item of the library does not match.
func TestTranslationGrantsNoMore(t *testing.T) {
	t.Parallel()
	var origins, items []string
	for _, host := range []string{"example.com", "a.example.com", "a.b.example.com", "evilexample.com", "example.com.evil.example", "pr-1.example.com", "pr-1.a.example.com", "localhost", "localhost.evil.example", "127.0.0.1", "com", "example.org", "xexample.com"} {
		for _, scheme := range []string{"https", "http", "app", "httpx"} {
			for _, port := range []string{"", ":3000", ":8443"} {
				origins = append(origins, scheme+"://"+host+port)
			}
		}
	}
	origins = append(origins, "null", "file://", "moz-extension://a", "chrome-extension://b")
	for _, text := range append(slices.Clone(origins), "https://app.example.com", "http*", "*") {
		items = append(items, text)
		for i := range len(text) + 1 { // a star between any two characters, and in place of some
			items = append(items, text[:i]+"*"+text[i:])
			for _, n := range []int{1, 5} {
				if i+n <= len(text) {
					items = append(items, text[:i]+"*"+text[i+n:])
				}
			}
		}
	}
	active, tried := 0, 0
	for _, text := range items {
		for _, overlap := range []bool{false, true} {
			o := originItem{item: item{"AllowedOrigins", value{kind: 1, text: text}}, written: text, overlap: overlap}
			o.prefix, o.suffix, o.wildcard = strings.Cut(text, "*")
			translated := translate(o)
			for _, pattern := range translated.active {
				active++
				parsed, _ := origin.ParsePattern(pattern)
				set := origin.NewSet([]origin.Pattern{parsed})
				for _, candidate := range origins {
					tried++
					_, allowed := set.Match(candidate)
					withoutPort := slices.Contains(translated.kinds, WithoutPort) && candidate+":*" == pattern
					if allowed && !o.matches(candidate) && !withoutPort {
						t.Errorf("%q of the library becomes %q, which allows %q", text, pattern, candidate)
					}
				}
			}
		}
	}
	if active < 500 || tried < 50_000 {
		t.Errorf("%d patterns, %d origins", active, tried)
	}
}

// TestTranslate: what becomes of items as people write them.
func TestTranslate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://app.example.com":     "https://app.example.com",
		"https://*.example.com":       "https://*.example.com",
		"https://*.example.com:8443":  "https://*.example.com:8443",
		"https://pr-*.example.com":    "https://pr-*.example.com ORIGIN_NARROWED",
		"https://*-app.example.com":   "https://*-app.example.com ORIGIN_NARROWED",
		"https://*example.com":        "https://example.com https://*.example.com ORIGIN_RISK PUBLIC_SUFFIX",
		"*example.com":                "https://example.com https://*.example.com ORIGIN_NARROWED",
		"*.example.com":               "https://*.example.com ORIGIN_NARROWED",
		"*://app.example.com":         "https://app.example.com ORIGIN_NARROWED",
		"http*://app.example.com":     "https://app.example.com ORIGIN_NARROWED",
		"https://app.example.com*":    "https://app.example.com:* ORIGIN_NARROWED",
		"https://app.example.com:*":   "https://app.example.com:* WITHOUT_PORT",
		"http://localhost:*":          "http://localhost:* WITHOUT_PORT",
		"http://localhost*":           "http://localhost:* ORIGIN_NARROWED",
		"http://*.example.com":        "ORIGIN_RISK PLAIN_HTTP",
		"http://app.example.com":      "ORIGIN_RISK PLAIN_HTTP",
		"https://*.vercel.app":        "ORIGIN_RISK PUBLIC_SUFFIX",
		"moz-extension://*":           "ORIGIN_RISK ANY_INSTALLATION",
		"null":                        "ORIGIN_RISK NULL_ORIGIN",
		"https://*":                   "ORIGIN_UNSUPPORTED",
		"https://app.*":               "ORIGIN_UNSUPPORTED",
		"https://example.*":           "ORIGIN_UNSUPPORTED",
		"http://192.168.1.*":          "ORIGIN_UNSUPPORTED",
		"https://*.*.example.com":     "ORIGIN_NEVER_MATCHED https://*.example.com",
		"https://*.example.com:*":     "ORIGIN_NEVER_MATCHED",
		"https://app.example.com/":    "ORIGIN_NEVER_MATCHED https://app.example.com",
		"https://app.example.com:443": "ORIGIN_NEVER_MATCHED https://app.example.com",
		"app.example.com":             "ORIGIN_NEVER_MATCHED https://app.example.com",
		"wss://app.example.com":       "ORIGIN_NEVER_MATCHED https://app.example.com",
		"":                            "ORIGIN_NEVER_MATCHED",
	} {
		o := originItem{item: item{"AllowedOrigins", value{kind: 1, text: text}}, written: text}
		o.prefix, o.suffix, o.wildcard = strings.Cut(text, "*")
		tr := translate(o)
		got := slices.Clone(tr.active)
		for _, k := range tr.kinds {
			got = append(got, string(k))
		}
		if tr.riskName != "" {
			got = append(got, tr.riskName)
		}
		if tr.fix != "" {
			got = append(got, tr.fix)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %q, want %q", text, strings.Join(got, " "), want)
		}
	}
}
