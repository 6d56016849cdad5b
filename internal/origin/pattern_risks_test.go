package origin

import (
	"strings"
	"testing"
)

// TestParsePatternNamesTheRisks: a pattern that only has risks is returned together with them.
func TestParsePatternNamesTheRisks(t *testing.T) {
	plain := func(fix string) Problem { return Problem{Code: CodePlainHTTP, Fix: fix} }
	null, suffix, installation := Problem{Code: CodeNull}, Problem{Code: CodePublicSuffix}, Problem{Code: CodeAnyInstallation}
	for _, test := range []struct {
		text string
		want []Problem
	}{
		{"null", []Problem{null}},
		{"file://", []Problem{null}},
		{"moz-extension://*", []Problem{installation}},
		{"chrome-extension://*", []Problem{installation}},
		{"safari-web-extension://*", []Problem{installation}},
		{"vscode-webview://*", []Problem{installation}},

		{"http://app.example.com", []Problem{plain("https://app.example.com")}},
		{"http://app.example.com:8080", []Problem{plain("https://app.example.com:8080")}},
		{"http://app.example.com:443", []Problem{plain("https://app.example.com")}},
		{"http://app.example.com:*", []Problem{plain("https://app.example.com:*")}},
		{"http://*.example.com", []Problem{plain("https://*.example.com")}},
		{"http://*.example.com:*", []Problem{plain("https://*.example.com:*")}},
		{"http://128.0.0.1", []Problem{plain("https://128.0.0.1")}},
		{"http://[::2]", []Problem{plain("https://[::2]")}},
		{"http://[2001:db8::1]:8080", []Problem{plain("https://[2001:db8::1]:8080")}},
		{"http://localhost.example.com", []Problem{plain("https://localhost.example.com")}},
		{"http://app.example", []Problem{plain("https://app.example")}},
		{"http://com", []Problem{plain("https://com")}},
		{"http://local.example.com", []Problem{plain("https://local.example.com")}},
		{"http://homexarpa.example.com", []Problem{plain("https://homexarpa.example.com")}},
		{"http://1.in-addr.arpa", []Problem{plain("https://1.in-addr.arpa")}},

		// Pages of a local network have no certificate, so https is not suggested.
		{"http://intranet", []Problem{plain("")}},
		{"http://nas:8080", []Problem{plain("")}},
		{"http://notlocalhost", []Problem{plain("")}},
		{"http://192.168.1.5:5173", []Problem{plain("")}},
		{"http://192.168.1.1:*", []Problem{plain("")}},
		{"http://10.0.0.1", []Problem{plain("")}},
		{"http://172.16.0.1:3000", []Problem{plain("")}},
		{"http://172.32.0.1", []Problem{plain("https://172.32.0.1")}},
		{"http://169.254.1.1", []Problem{plain("")}},
		{"http://0.0.0.0", []Problem{plain("")}},
		{"http://[fd00::1]", []Problem{plain("")}},
		{"http://[fe80::1]:3000", []Problem{plain("")}},
		{"http://[::ffff:7f00:1]", []Problem{plain("")}},
		{"http://[::ffff:c0a8:101]", []Problem{plain("")}},
		{"http://raspberrypi.local", []Problem{plain("")}},
		{"http://raspberrypi.local.:8080", []Problem{plain("")}},
		{"http://app.test", []Problem{plain("")}},
		{"http://app.corp.internal", []Problem{plain("")}},
		{"http://router.lan", []Problem{plain("")}},
		{"http://printer.home.arpa", []Problem{plain("")}},
		{"http://home.arpa", []Problem{plain("")}},
		{"http://*.acme.test", []Problem{plain("")}},
		{"http://*.local", []Problem{plain(""), suffix}},
		{"http://127.0.0.1.example.com", []Problem{plain("https://127.0.0.1.example.com")}},
		{"http://127.example.com", []Problem{plain("https://127.example.com")}},

		{"https://*.com", []Problem{suffix}},
		{"https://*.com.", []Problem{suffix}},
		{"https://*.com:*", []Problem{suffix}},
		{"https://*.internal", []Problem{suffix}}, // not in the list
		{"https://*.notlocalhost", []Problem{suffix}},
		{"https://*.co.uk", []Problem{suffix}},
		{"https://*.co.uk.:8443", []Problem{suffix}},
		{"https://*.xn--p1ai", []Problem{suffix}},
		{"https://*.github.io", []Problem{suffix}}, // private section
		{"https://*.pages.dev", []Problem{suffix}},
		{"https://*.s3.amazonaws.com", []Problem{suffix}},
		{"https://*.foo.ck", []Problem{suffix}},                             // because of *.ck
		{"https://*.kawasaki.jp", []Problem{suffix}},                        // an ancestor of *.kawasaki.jp
		{"https://*.amazonaws.com", []Problem{suffix}},                      // an ancestor of many suffixes
		{"https://*.amazonaws.com.", []Problem{suffix}},                     // the trailing dot makes no difference
		{"https://*.compute.amazonaws.com", []Problem{suffix}},              // an ancestor of *.compute.amazonaws.com
		{"https://*.eu-central-1.compute.amazonaws.com", []Problem{suffix}}, // because of *.compute.amazonaws.com
		{"https://*.us-east-1.amazonaws.com", []Problem{suffix}},            // an ancestor of s3.us-east-1.amazonaws.com
		{"https://*.001.test.code-builder-stg.platform.salesforce.com", []Problem{suffix}},

		{"https://pr-*.com", []Problem{suffix}},
		{"https://pr-*.com.:*", []Problem{suffix}},
		{"https://pr-*.internal", []Problem{suffix}},
		{"https://pr-*.co.uk", []Problem{suffix}},
		{"https://*--acme-front.netlify.app", []Problem{suffix}},
		{"https://acme-git-*-acmeteam.vercel.app", []Problem{suffix}},
		{"https://acme-git-*-acmeteam.vercel.app:*", []Problem{suffix}},
		{"https://pr-*.amazonaws.com", []Problem{suffix}}, // an ancestor of many suffixes
		{"https://pr-*.foo.ck:8443", []Problem{suffix}},
		{"https://*example.com", []Problem{{Code: CodePublicSuffix, Fix: "https://*.example.com"}}},
		{"https://*example.com:*", []Problem{{Code: CodePublicSuffix, Fix: "https://*.example.com:*"}}},
		{"https://*co.uk", []Problem{suffix}}, // *.co.uk has the same problem

		{"http://*.co.uk", []Problem{plain("https://*.co.uk"), suffix}},
		{"http://*.com:443", []Problem{plain("https://*.com"), suffix}},
	} {
		p, problems := ParsePattern(test.text)
		if p.String() != test.text {
			t.Errorf("ParsePattern(%q) = %q, which is not a usable pattern", test.text, p)
		}
		checkProblems(t, test.text, problems, test.want)
	}
}

func TestParsePatternReasonsOfPublicSuffixes(t *testing.T) {
	for text, because := range map[string]string{
		"https://*.internal.":     "every host of the domain internal",
		"https://*.co.uk.":        "the public suffix co.uk, where anyone can register one",
		"https://*.amazonaws.com": "public suffixes below amazonaws.com",

		"https://*--acme.netlify.app":   "matches hosts of the public suffix netlify.app, where anyone can register one",
		"https://pr-*.com":              "matches hosts of a top-level domain, where anyone can register one",
		"https://pr-*.s3.amazonaws.com": "hosts of the public suffix s3.amazonaws.com",
	} {
		if _, problems := ParsePattern(text); len(problems) != 1 || !strings.Contains(problems[0].Reason, because) {
			t.Errorf("ParsePattern(%q): problems %+v do not contain %q", text, problems, because)
		}
	}
}
