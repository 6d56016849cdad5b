package origin

import (
	"slices"
	"strings"
	"testing"
)

func TestParsePatternAccepts(t *testing.T) {
	for _, text := range []string{
		"*",
		"https://app.example.com",
		"https://app.example.com:8443",
		"https://app.example.com:80",
		"https://app.example.com:*",
		"https://app.example.com.",
		"https://app.example.com.:*",
		"https://my_app.example.com",
		"https://xn--bcher-kva.example",
		"https://intranet",
		"https://co.uk", // one host, which has one owner
		"https://github.io",
		"https://*.example.com",
		"https://*.example.com:8443",
		"https://*.example.com:*",
		"https://*.example.com.",
		"https://*.a.b.c.example.com",
		"https://*.corp.internal",
		"https://*.my-app.github.io",
		"https://*.my-bucket.s3.amazonaws.com",
		"https://*.amazonaws.co",     // the beginning of a listed name
		"https://*.azonaws.com",      // the end of a listed ancestor
		"https://*.city.kawasaki.jp", // an exception in the list
		"https://pr-*.example.com",
		"https://pr-*.example.com:8443",
		"https://pr-*.example.com:*",
		"https://pr-*.example.com.",
		"https://*-pr.example.com",
		"https://app*.example.com",
		"https://*app.example.com",
		"https://acme-git-*-acmeteam.my-app.vercel.app:*",
		"https://x*.example.com", // never matches xn-- labels
		"https://xn-*.example.com",
		"https://a*xn--b.example.com",
		"https://1*.example.com",
		"https://0x*.example.com",
		"https://_*_.example.com",
		"https://pr-*.xn--bcher-kva.example",
		"https://" + strings.Repeat("a", 62) + "*.example.com",
		"https://pr-*.localhost",
		"http://pr-*.localhost",
		"http://pr-*.localhost:3000",
		"http://pr-*.app.localhost.:*",
		"https://*.localhost",
		"https://*.localhost:*",
		"https://*.app.localhost",
		"https://localhost:*",
		"https://127.0.0.1",
		"https://192.168.1.1:*",
		"https://[2001:db8::1]:8443",
		"https://[::1]:*",
		"http://localhost",
		"http://localhost:3000",
		"http://localhost:443",
		"http://localhost:*",
		"http://localhost.:*",
		"http://app.localhost:*",
		"http://*.localhost",
		"http://*.localhost:3000",
		"http://*.localhost:*",
		"http://127.0.0.1",
		"http://127.0.0.1:*",
		"http://127.255.3.4:8080",
		"http://[::1]",
		"http://[::1]:*",
		"capacitor://localhost",
		"ionic://localhost:8080",
		"tauri://localhost",
		"chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb",
		"safari-web-extension://6DF1A3C4-9F2E-4B1B-8B0A-7B7B1C2D3E4F",
	} {
		p, problems := ParsePattern(text)
		if len(problems) > 0 || p.String() != text {
			t.Errorf("ParsePattern(%q) = %q, %+v", text, p, problems)
		}
	}
}

func TestParsePatternRefuses(t *testing.T) {
	syntax := func(fix string) []Problem { return []Problem{{Code: CodeSyntax, Fix: fix}} }
	never := func(fix string) []Problem { return []Problem{{Code: CodeNeverSent, Fix: fix}} }
	for _, test := range []struct {
		text, because string
		want          []Problem
	}{
		{"", "is empty", syntax("")},
		{"https://" + strings.Repeat("a.", 150) + "com", "at most 300 bytes", syntax("")},
		{"https://a\xff.example.com", "UTF-8", syntax("")},

		{"app.example.com", "no scheme", syntax("https://app.example.com")},
		{"app.example.com:8443", "no scheme", syntax("https://app.example.com:8443")},
		{"*.example.com", "no scheme", syntax("https://*.example.com")},
		{"*.example.com:*", "no scheme", syntax("https://*.example.com:*")},
		{"//app.example.com", "no scheme", syntax("https://app.example.com")},
		{"App.example.com/", "no scheme", syntax("https://app.example.com")},
		{"localhost", "no scheme", syntax("http://localhost")},
		{"localhost:3000", "no scheme", syntax("http://localhost:3000")},
		{"localhost:*", "no scheme", syntax("http://localhost:*")},
		{"localhost:3000/", "no scheme", syntax("http://localhost:3000")},
		{"*.localhost:3000", "no scheme", syntax("http://*.localhost:3000")},
		{"127.0.0.1:8080", "no scheme", syntax("http://127.0.0.1:8080")},
		{"[::1]:8080", "no scheme", syntax("http://[::1]:8080")},
		{"192.168.1.5:5173", "no scheme", append(syntax("http://192.168.1.5:5173"), Problem{Code: CodePlainHTTP})},
		{"[fd00::1]:5173", "no scheme", append(syntax("http://[fd00::1]:5173"), Problem{Code: CodePlainHTTP})},
		{"198.51.100.1:5173", "no scheme", syntax("https://198.51.100.1:5173")},
		{"self", "no scheme", syntax("")},
		{"any", "no scheme", syntax("")},
		{"file", "no scheme", syntax("")},
		{"file:*", "no scheme", syntax("")},
		{"https", "no scheme", syntax("")},
		{"**", "no scheme", syntax("")},
		{"https:/app.example.com", "no :// after", syntax("https://app.example.com")},
		{"https:app.example.com", "no :// after", syntax("https://app.example.com")},
		{"https//app.example.com", "no :// after", syntax("https://app.example.com")},
		{"http:localhost:3000", "no :// after", syntax("http://localhost:3000")},
		{"https:", "no :// after", syntax("")},
		{`https:\\app.example.com`, "backslashes", syntax("https://app.example.com")},
		{"://app.example.com", "an invalid scheme", syntax("")},
		{"1a://app.example.com", "an invalid scheme", syntax("")},
		{"a_b://app.example.com", "an invalid scheme", syntax("")},
		{"htps://app.example.com", "a misspelling of https", syntax("https://app.example.com")},
		{"hhtps://App.example.com", "a misspelling of https", syntax("https://app.example.com")},
		{"htpps://app.example.com", "a misspelling of https", syntax("https://app.example.com")},
		{"htttp://localhost:3000", "a misspelling of http", syntax("http://localhost:3000")},
		{"ttp://localhost:3000", "a misspelling of http", syntax("http://localhost:3000")},

		{"https://a.example.com,https://b.example.com", "item of its own", syntax("")},
		{"https://a.example.com, https://b.example.com", "item of its own", syntax("")},
		{"https://a.example.com https://b.example.com", "item of its own", syntax("")},
		{"https://a.example.com;https://b.example.com", "item of its own", syntax("")},
		{"https://a.example.com\nhttps://b.example.com", "item of its own", syntax("")},
		{"https://a.example.com|https://b.example.com", "item of its own", syntax("")},
		{" https://app.example.com", "before or after the origin", syntax("https://app.example.com")},
		{"https://app.example.com\n", "before or after the origin", syntax("https://app.example.com")},
		{"'https://app.example.com'", "before or after the origin", syntax("https://app.example.com")},
		{"<https://app.example.com/>", "before or after the origin", syntax("https://app.example.com")},
		{"https://app.example.com,", "before or after the origin", syntax("https://app.example.com")},
		{" app.example.com", "before or after the origin", syntax("https://app.example.com")},
		{" ", "before or after the origin", syntax("")},

		{`^https://.*\.example\.com$`, "regular expression", syntax("https://*.example.com")},
		{`^https://app\.example\.com$`, "regular expression", syntax("https://app.example.com")},
		{`https:\/\/app\.example\.com`, "regular expression", syntax("https://app.example.com")},
		{"https://.*.example.com", "regular expression", syntax("https://*.example.com")},
		{`.*\.example\.com`, "regular expression", syntax("https://*.example.com")},
		{`https://.*example\.com`, "regular expression", syntax("")}, // evilexample.com too
		{`https://(a|b)\.example\.com`, "regular expression", syntax("")},
		{`https://[a-z]+.example.com`, "regular expression", syntax("")},
		{`https?://app\.example\.com`, "regular expression", syntax("https://app.example.com")},
		{"https://{a,b}.example.com", "regular expression", syntax("")},

		{"$ORIGIN", "another form than ${ORIGIN}", syntax("")},
		{"${ORIGIN}", "only an item of allow_origins or add_origins in a policy", syntax("")},
		{"$(ORIGIN)", "another form than ${ORIGIN}", syntax("")},
		{"%ORIGIN%", "another form than ${ORIGIN}", syntax("")},
		{"$env:ORIGIN", "another form than ${ORIGIN}", syntax("")},
		{"{{ ORIGIN }}", "another form than ${ORIGIN}", syntax("")},
		{"https://$DOMAIN", "a whole item, as ${DOMAIN}", syntax("")},
		{"https://${DOMAIN}:8443", "a whole item, as ${DOMAIN}", syntax("")},
		{"{{ .Values.origin }}", "a placeholder of a template", syntax("")},
		{"<%= origin %>", "a placeholder of a template", syntax("")},
		{"“https://app.example.com”", "before or after the origin", syntax("https://app.example.com")},
		{"‘*’", "before or after the origin", syntax("*")},

		{"https://*", "has no host", syntax("")},
		{"https://*:*", "has no host", syntax("")},
		{"https://*.", "has no host", syntax("")},
		{"*://*", "a * in the scheme", syntax("")},
		{"*://app.example.com", "a * in the scheme", syntax("https://app.example.com")},
		{"http*://app.example.com", "a * in the scheme", syntax("https://app.example.com")},
		{"http*s://app.example.com", "a * in the scheme", syntax("https://app.example.com")},
		{"*https://App.example.com", "a * in the scheme", syntax("https://app.example.com")},
		{"chrome-extension*://foo", "a * in the scheme", syntax("chrome-extension://foo")},
		{"chrome-*://foo", "a * in the scheme", syntax("")},
		{"https://pr-?.example.com", "a ? in the host", syntax("")},
		{"https://pr-??.example.com:8443", "a ? in the host", syntax("")},
		{"https://app.example.com?next=a.b", "a query", never("https://app.example.com")},
		{"https://app.example.com/x?.y", "a path, a query", never("https://app.example.com")},
		{"*-extension://foo", "a * in the scheme", syntax("")},
		{"moz-extension*://", "a * in the scheme", append(syntax("moz-extension://*"), Problem{Code: CodeAnyInstallation})},
		{"moz-extension*://*", "a * in the scheme", append(syntax("moz-extension://*"), Problem{Code: CodeAnyInstallation})},
		{"ws*://app.example.com", "a * in the scheme", syntax("")},
		{"https://**.example.com", "more than one *", syntax("")},
		{"https://a*b*.acme.dev", "more than one *", syntax("")},
		{"https://pr-*.*.acme.dev", "more than one *", syntax("")},
		{"https://*pr.acme.dev.*", "more than one *", syntax("")},
		{"https://*.pr-*.acme.dev", "more than one *", syntax("")},
		{"https://app.*.example.com", "not in the first label", syntax("")},
		{"https://www.*.acme.dev", "for characters of the first label (https://pr-*.example.com)", syntax("")},
		{"https://www.pr-*.acme.dev", "not in the first label", syntax("")},
		{"https://example.*", "not in the first label", syntax("")},
		{"https://app.example.com*", "not in the first label", syntax("")},
		{"https://pr-*", "no host behind", syntax("")},
		{"https://pr-*.", "no host behind", syntax("")},
		{"https://pr-*:8443", "no host behind", syntax("")},
		{"https://xn--*.acme.dev", "begins with xn--", syntax("")},
		{"https://XN--a*.acme.dev", "begins with xn--", syntax("")},
		{"https://xn--bcher-*.example", "begins with xn--", syntax("")},
		{"https://xn--bcher-kv*.example", "begins with xn--", syntax("")},
		{"https://[::*.0.0.1]", "an IP address", syntax("")},
		{"https://bücher-*.example.com", "Unicode", syntax("")},
		{"https://192.168.*.1", "an IP address", syntax("")},
		{"https://192.168.1.*", "an IP address", syntax("")},
		{"https://192.168.1*.1", "an IP address", syntax("")},
		{"https://*1.168.1.1", "an IP address", syntax("")},
		{"https://1*.0x7f.1", "an IP address", syntax("")},
		{"https://pr-*.127.0.0.1", "an IP address", syntax("")},
		{"https://[fd00::*]", "an IP address", syntax("")},
		{"https://[*]", "an IP address", syntax("")},
		{"https://pr*.[::1]", "a bracket within the host", syntax("")},
		{"https://pr-%*.example.com", "'%' in the host", syntax("")},
		{"https://pr-*..example.com", "an empty label", syntax("")},
		{"https://" + strings.Repeat("a", 63) + "*.example.com", "63 characters", syntax("")},
		{"https://pr-*." + strings.Repeat(strings.Repeat("a", 62)+".", 4) + "de", "253", syntax("")},
		{"http://pr-*.acme.dev", "needs https", syntax("https://pr-*.acme.dev")},
		{"http://pr-*.acme.dev:443", "needs https", syntax("https://pr-*.acme.dev")},
		{"http://PR-*.acme.dev:8080/", "needs https", syntax("https://pr-*.acme.dev:8080")},
		{"http://pr-*.acme.dev:*", "needs https", syntax("https://pr-*.acme.dev:*")},
		{"http://pr-*.acme.local", "needs https except below localhost: list each origin", syntax("")},
		{"http://pr-*.notlocalhost", "except below localhost", syntax("")},
		{"http://pr-*.localhost:80", "(the default port 80)", never("http://pr-*.localhost")},
		{"http://PR-*.localhost/", "(a trailing slash, upper case in the host)", never("http://pr-*.localhost")},
		{"http://pr-*.b.localhost.:080", "(leading zeros in the port, the default port 80)", never("http://pr-*.b.localhost.")},
		{"http://pr-*.vercel.app", "needs https", append(syntax("https://pr-*.vercel.app"), Problem{Code: CodePublicSuffix})},
		{"https://PR-*.Acme.dev", "upper case in the host", never("https://pr-*.acme.dev")},
		{"https://pr-*.acme.dev:443", "default port", never("https://pr-*.acme.dev")},
		{"https://pr-*.acme.dev/", "trailing slash", never("https://pr-*.acme.dev")},
		{"https://pr-*.acme.dev/*", "a path", never("https://pr-*.acme.dev")},
		{"https://pr-*.bücher.example", "Unicode", never("https://pr-*.xn--bcher-kva.example")},
		{"pr-*.acme.dev", "no scheme", syntax("https://pr-*.acme.dev")},
		{`https://pr-.*\.acme\.dev`, "regular expression", syntax("https://pr-*.acme.dev")},
		{"capacitor://pr-*.acme.dev", "byte for byte", syntax("")},
		{"ms-browser-extension://*", "byte for byte", syntax("")},
		{"MOZ-Extension://*", "(upper case in the scheme)", append(never("moz-extension://*"), Problem{Code: CodeAnyInstallation})},
		{"vscode-webview://*/", "(a trailing slash)", append(never("vscode-webview://*"), Problem{Code: CodeAnyInstallation})},
		{"moz-extension://*/*", "byte for byte", syntax("")},
		{"https://*.*.example.com", "more than one *", syntax("https://*.example.com")},
		{"https://*.app.*", "more than one *", syntax("")},
		{"https://app.example.com:8*", "neither a number nor *", syntax("")},
		{"https://app.example.com:8000-9000", "neither a number nor *", syntax("")},
		{"https://app.example.com:*:*", "neither a number nor *", syntax("")},
		{"https://app.example.com:8443:*", "neither a number nor *", syntax("")},
		{"https://app.example.com:443:*", "neither a number nor *", syntax("")},
		{"https://*.127.0.0.1", "wildcard before an IP", syntax("")},
		{"https://*.0.0.1:*", "wildcard before an IP", syntax("")},
		{"https://*.[::1]", "wildcard before an IP", syntax("")},
		{"https://*.::1", "wildcard before an IP", syntax("")},
		{"chrome-extension://*:*", "byte for byte", syntax("")},
		{"capacitor://*", "byte for byte", syntax("")},
		{"capacitor://*.localhost", "byte for byte", syntax("")},
		{"capacitor://localhost:*", "byte for byte", syntax("")},
		{"file://*", "every local file", append(syntax("file://"), Problem{Code: CodeNull})},
		{"file://:*", "every local file", append(syntax("file://"), Problem{Code: CodeNull})},
		{"file://example.com", "every local file", append(never("file://"), Problem{Code: CodeNull})},
		{"file://example.com/a", "every local file", append(never("file://"), Problem{Code: CodeNull})},

		{"https://", "has no host", syntax("")},
		{"https:///", "has no host", syntax("")},
		{"https://:8443", "has no host", syntax("")},
		{"capacitor://", "has no host", syntax("")},
		{"https://.example.com", "dot before the host", syntax("https://*.example.com")},
		{"https://a..example.com", "an empty label", syntax("")},
		{"https://example.com..", "an empty label", syntax("")},
		{"https://a%2eexample.com", "'%' in the host", syntax("")},
		{"https://a~b.example.com", "'~' in the host", syntax("")},
		{"capacitor://a\"b", `'"' in the host`, syntax("")},
		{"https://" + strings.Repeat("a", 64) + ".example.com", "63 characters", syntax("")},
		{"https://example.com:0", "outside 1 to 65535", syntax("")},
		{"https://example.com:65536", "outside 1 to 65535", syntax("")},
		{"https://1.2.3.999", "not a valid IPv4 address", syntax("")},
		{"https://1.2.3.4.5", "not a valid IPv4 address", syntax("")},
		{"https://example.com.1", "not a valid IPv4 address", syntax("")},
		{"https://08.1.1.1", "not a valid IPv4 address", syntax("")},
		{"https://[::1", "closing", syntax("")},
		{"https://[::1]8443", "after the closing", syntax("")},
		{"https://[::g]", "not a valid IPv6 address", syntax("")},
		{"https://[127.0.0.1]", "not a valid IPv6 address", syntax("")},
		{"https://[::1%25eth0]", "zones", syntax("")},
		{"https://[::1%eth0]", "zones", syntax("")},

		{"HTTPS://app.example.com", "upper case in the scheme", never("https://app.example.com")},
		{"https://App.Example.com", "upper case in the host", never("https://app.example.com")},
		{"https://*.Example.com:*", "upper case in the host", never("https://*.example.com:*")},
		{"https://app.example.com:443", "default port 443", never("https://app.example.com")},
		{"https://*.example.com:443", "default port 443", never("https://*.example.com")},
		{"http://localhost:80", "default port 80", never("http://localhost")},
		{"http://localhost:080", "leading zeros", never("http://localhost")},
		{"https://app.example.com:08443", "leading zeros", never("https://app.example.com:8443")},
		{"https://app.example.com:", "without a port", never("https://app.example.com")},
		{"https://app.example.com/", "trailing slash", never("https://app.example.com")},
		{"https://app.example.com:*/", "trailing slash", never("https://app.example.com:*")},
		{"https://app.example.com/*", "a path", never("https://app.example.com")},
		{"https://app.example.com/api", "a path", never("https://app.example.com")},
		{"https://app.example.com?a", "(a query)", never("https://app.example.com")},
		{"https://app.example.com?", "(a query)", never("https://app.example.com")},
		{"https://app.example.com#a", "(a fragment)", never("https://app.example.com")},
		{"https://app.example.com#", "(a fragment)", never("https://app.example.com")},
		{"https://app.example.com/#/a?b", "(a path, a fragment)", never("https://app.example.com")},
		{"https://app.example.com?a#b", "(a query, a fragment)", never("https://app.example.com")},
		{"https://app.example.com/a?b/c#d", "(a path, a query, a fragment)", never("https://app.example.com")},
		{"https://user@app.example.com?a@b", "(a query, a user name)", never("https://app.example.com")},
		{"capacitor://localhost?a", "(a query)", never("capacitor://localhost")},
		{"file://?a", "(a query)", append(never("file://"), Problem{Code: CodeNull})},
		{"https://user:pass@app.example.com", "user name", never("https://app.example.com")},
		{"HTTPS://App.Example.com:443/", "(upper case in the scheme, a trailing slash, the default port 443, upper case in the host)", never("https://app.example.com")},
		{"https://bücher.example", "Unicode", never("https://xn--bcher-kva.example")},
		{"https://*.Bücher.example:443", "Unicode", never("https://*.xn--bcher-kva.example")},
		{"https://例え.テスト", "Unicode", never("https://xn--r8jz45g.xn--zckzah")},
		{"https://ﬁ.example", "the host's xn-- form", never("")},
		{"https://bu\u0308cher.example", "the host's xn-- form", never("")},
		{"https://127.1", "IPv4 address", never("https://127.0.0.1")},
		{"https://2130706433", "IPv4 address", never("https://127.0.0.1")},
		{"https://0x7F.1", "IPv4 address", never("https://127.0.0.1")},
		{"https://0300.0250.01.01", "IPv4 address", never("https://192.168.1.1")},
		{"https://127.0.0.1.", "IPv4 address", never("https://127.0.0.1")},
		{"https://[0:0:0:0:0:0:0:1]", "IPv6 address", never("https://[::1]")},
		{"https://[2001:DB8::1]:*", "upper case", never("https://[2001:db8::1]:*")},
		{"https://[::ffff:127.0.0.1]", "IPv6 address", never("https://[::ffff:7f00:1]")},
		{"https://::1", "without brackets", never("https://[::1]")},
		{"https://2001:db8::1", "without brackets", never("https://[2001:db8::1]")},
		{"https://::1:90", `write "https://[::1]:90" for port 90, or "https://[::1:90]"`, syntax("")},
		{"https://::1:443", `write "https://[::1]" for port 443, or "https://[::1:443]"`, syntax("")},
		{"https://fe80:0::1:8080", `write "https://[fe80::1]:8080"`, syntax("")},
		{"https://::1:*", "without brackets", never("https://[::1]:*")},
		{"https://::1:", "without brackets", never("https://[::1]")},
		{"https://::1:0", "without brackets", never("https://[::1:0]")},
		{"https://::1:18443", "without brackets", never("https://[::1]:18443")},
		{"https://1:2:3:4:5:6:7:8:90", "without brackets", never("https://[1:2:3:4:5:6:7:8]:90")},
		{"https://1:2:3:4:5:6:7:8", "without brackets", never("https://[1:2:3:4:5:6:7:8]")},
		{"https://::ffff:127.0.0.1:90", "without brackets", never("https://[::ffff:7f00:1]:90")},
		{"::1", "no scheme", syntax("http://[::1]")},
		{"2001:db8::1", "no scheme", syntax("https://[2001:db8::1]")},
		{"::1:90", "no scheme", syntax("")},
		{"https://abc[::1]:90", "a bracket within the host", syntax("")},
		{"https://abc[::1]", "a bracket within the host", syntax("")},
		{"https://::1]:90", "a bracket within the host", syntax("")},
		{"https://app.example.com]", "a bracket within the host", syntax("")},
		{"https://[::1]abc", "after the closing bracket", syntax("")},

		{"http://xn--f", "the label xn--f", never("")},
		{"https://xn--f.example.com", "the label xn--f", never("")},
		{"https://*.xn--f.example.com:*", "the label xn--f", never("")},
		{"https://pr-*.xn--f.example.com", "the label xn--f", never("")},
		{"https://a.xn--.example.com", "the label xn--", never("")},
		{"https://xn--abc-.example.com", "the label xn--abc-", never("")}, // abc
		{"https://xn--a_b.example.com", "the label xn--a_b", never("")},
		{"https://xn--Bcher-kvA.example/", "upper case", never("https://xn--bcher-kva.example")},
		{"https://xn--99999999.example", "the label xn--99999999", never("")},
		{"Capacitor://localhost", "upper case in the scheme", never("capacitor://localhost")},
		{"capacitor://localhost/", "trailing slash", never("capacitor://localhost")},
		{"file:///", "trailing slash", append(never("file://"), Problem{Code: CodeNull})},
		{"file:///home/me", "a path", append(never("file://"), Problem{Code: CodeNull})},
		{"wss://app.example.com", "WebSocket", never("https://app.example.com")},
		{"ws://localhost:3000", "WebSocket", never("http://localhost:3000")},
		{"data://a", "never sent as an origin", never("")},
		{"blob://app.example.com", "never sent as an origin", never("")},
		{"ftp://app.example.com", "never sent as an origin", never("")},

		// The risks of the Fix are reported too.
		{"Null", "upper case", append(never("null"), Problem{Code: CodeNull})},
		{"HTTP://app.example.com", "upper case", append(never("http://app.example.com"), Problem{Code: CodePlainHTTP, Fix: "https://app.example.com"})},
		{"*.com", "no scheme", append(syntax("https://*.com"), Problem{Code: CodePublicSuffix})},
		{"http://*.CO.UK", "upper case", append(never("http://*.co.uk"), Problem{Code: CodePlainHTTP, Fix: "https://*.co.uk"}, Problem{Code: CodePublicSuffix})},
		{"ws://app.example.com", "WebSocket", append(never("http://app.example.com"), Problem{Code: CodePlainHTTP, Fix: "https://app.example.com"})},
	} {
		p, problems := ParsePattern(test.text)
		if p != (Pattern{}) {
			t.Errorf("ParsePattern(%q) = %q: a usable pattern", test.text, p)
		}
		checkProblems(t, test.text, problems, test.want)
		if len(problems) > 0 && !strings.Contains(problems[0].Reason, test.because) {
			t.Errorf("ParsePattern(%q): the reason %q does not contain %q", test.text, problems[0].Reason, test.because)
		}
	}
}

// checkProblems compares the codes and fixes of problems, and calls checkPromises for each.
func checkProblems(t *testing.T, text string, got, want []Problem) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("ParsePattern(%q): problems %+v, want %+v", text, got, want)
		return
	}
	for i, p := range got {
		if p.Code != want[i].Code || p.Fix != want[i].Fix {
			t.Errorf("ParsePattern(%q): problem %d is %s, fix %q; want %s, fix %q (reason: %s)", text, i, p.Code, p.Fix, want[i].Code, want[i].Fix, p.Reason)
		}
		checkPromises(t, text, p)
	}
}

// checkPromises tests that a problem is as Problem documents.
func checkPromises(t *testing.T, text string, p Problem) {
	t.Helper()
	if p.Reason == "" || strings.HasSuffix(p.Reason, ".") || strings.ContainsAny(p.Reason[:1], "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		t.Errorf("ParsePattern(%q): the reason %q does not continue a sentence", text, p.Reason)
	}
	if p.Fix == "" {
		return
	}
	if p.Fix == text {
		t.Errorf("ParsePattern(%q): the fix is the text", text)
	}
	fixed, problems := ParsePattern(p.Fix)
	if fixed == (Pattern{}) {
		t.Errorf("ParsePattern(%q): the fix %q is not a pattern", text, p.Fix)
	}
	for _, again := range problems {
		if again.Code == p.Code {
			t.Errorf("ParsePattern(%q): the fix %q has the problem %s too", text, p.Fix, p.Code)
		}
	}
}

func TestPatternIsAnyAndIsNull(t *testing.T) {
	for text, want := range map[string][2]bool{"*": {true, false}, "null": {false, true}, "https://*.example.com:*": {}, "file://": {}} {
		p := patternsOf(t, text)[0]
		if p.IsAny() != want[0] || p.IsNull() != want[1] {
			t.Errorf("%s: IsAny() = %t, IsNull() = %t", text, p.IsAny(), p.IsNull())
		}
	}
	if p := (Pattern{}); p.IsAny() || p.IsNull() || p.String() != "" {
		t.Errorf("the zero value is %q", p)
	}
}

func TestPatternMatchesNoZeroValue(t *testing.T) {
	for _, p := range append(patternsOf(t, "*", "null", "https://app.example.com", "https://*.example.com:*", "file://"), Pattern{}) {
		if p.Match(Parsed{}) {
			t.Errorf("%q matches the zero value", p)
		}
	}
	if o, _ := Parse("https://app.example.com"); (Pattern{}).Match(o) {
		t.Error("the zero pattern matches")
	}
}

func TestItems(t *testing.T) {
	for text, want := range map[string][]string{
		"https://a.example, https://b.example":   {"https://a.example", "https://b.example"},
		"https://a.example;https://b.example":    {"https://a.example", "https://b.example"},
		"https://a.example\nhttps://b.example\n": {"https://a.example", "https://b.example"},
		"a.example|B.example/":                   {"https://a.example", "https://b.example"},
		"'https://a.example' \"*\"":              {"https://a.example", "*"},
		"https://a.example,b.example":            {"https://a.example", "https://b.example"},
		"a.example b.example":                    {"https://a.example", "https://b.example"},
		"https://a pp.example":                   nil,
		"https://a.example b.example":            nil,
		"a pp.example":                           nil,
		"https://a.example,":                     nil,
		"https://a.example and":                  nil,
		"":                                       nil,
	} {
		if got := Items(text); !slices.Equal(got, want) {
			t.Errorf("Items(%q) = %q, want %q", text, got, want)
		}
	}
}
