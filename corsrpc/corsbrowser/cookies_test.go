package corsbrowser

import (
	"net/http/cookiejar"
	"strings"
	"testing"
)

// TestCredentials: the credentials mode decides whether calls carry and set cookies.
func TestCredentials(t *testing.T) {
	t.Parallel()
	for _, engine := range Engines() {
		for _, test := range []struct {
			url         string
			credentials Credentials
			want        bool
		}{
			{page, SameOrigin, true}, {page, Omit, false}, {page, Include, true},
			{server, SameOrigin, false}, {server, Omit, false}, {server, Include, true},
		} {
			b := newBrowser(t, page, WithEngine(engine), WithHandler(respondWith("Access-Control-Allow-Origin", page, "Access-Control-Allow-Credentials", "true", "Set-Cookie", "a=b; Secure; SameSite=None")))
			for range 2 {
				if _, blocked := send(t, b, "GET", test.url, Init{Credentials: test.credentials}); blocked != nil {
					t.Fatal(blocked)
				}
			}
			if got := b.Log()[1].Header.Get("Cookie") == "a=b"; got != test.want {
				t.Errorf("%s %s %s: %v", engine, test.url, test.credentials, got)
			}
		}
	}
}

func TestSameSite(t *testing.T) {
	t.Parallel()
	const all = "the Fetch standard Chromium Firefox WebKit"
	tests := []struct{ url, attributes, want string }{
		{server, "SameSite=Strict", all}, {server, "SameSite=Lax", all}, {server, "", all}, {server, "SameSite=None; Secure", all},
		{other, "SameSite=Strict", ""}, {other, "SameSite=Lax", ""}, {other, "SameSite=None; Secure", "the Fetch standard Firefox"}, {other, "Secure", "the Fetch standard Firefox"},
		{server, "Domain=example.com; SameSite=Strict", all},
	}
	for _, test := range tests {
		var got []string
		for _, engine := range Engines() {
			b := newBrowser(t, page, WithEngine(engine), WithCredentials(Include), WithHandler(respondWith("Access-Control-Allow-Origin", page, "Access-Control-Allow-Credentials", "true", "Set-Cookie", "a=b; "+test.attributes)))
			for range 2 {
				if _, blocked := send(t, b, "GET", test.url, Init{}); blocked != nil {
					t.Fatal(blocked)
				}
			}
			if b.Log()[1].Header.Get("Cookie") != "" {
				got = append(got, engine.String())
			}
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s %s: %s, want %s", test.url, test.attributes, got, test.want)
		}
	}
	// The SameSite attribute of a cookie with a Domain holds for all its subdomains.
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	handler := WithHandler(respondWith("Access-Control-Allow-Origin", page, "Access-Control-Allow-Credentials", "true", "Set-Cookie", "a=b; Domain=example.com; SameSite=Lax"))
	b := newBrowser(t, page, handler, WithCredentials(Include), WithCookieJar(jar))
	if _, blocked := send(t, b, "GET", server, Init{}); blocked != nil {
		t.Fatal(blocked)
	}
	elsewhere := newBrowser(t, other, handler, WithCredentials(Include), WithCookieJar(jar))
	elsewhere.cookies.sameSite = b.cookies.sameSite
	_, _ = send(t, elsewhere, "GET", "https://shop.example.com", Init{})
	if got := elsewhere.Log()[0].Header.Get("Cookie"); got != "" {
		t.Errorf("a cross-site call carries a Lax cookie: %s", got)
	}
}

// TestStoredCookies: the jar gets only the cookies that a response may set.
func TestStoredCookies(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		page, url, attributes string
		want                  bool
	}{
		{page, server, "Secure", true}, {"http://app.example.com", "http://api.example.com", "Secure", false}, {"http://app.example.com", "http://api.example.com", "", true},
		{page, other, "SameSite=Lax", false}, {page, other, "SameSite=Strict", false}, {page, other, "SameSite=None; Secure", true}, {page, server, "SameSite=Lax", true},
	} {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		b := newBrowser(t, test.page, WithCredentials(Include), WithCookieJar(jar), WithHandler(respondWith("Access-Control-Allow-Origin", test.page, "Access-Control-Allow-Credentials", "true", "Set-Cookie", "a=b; "+test.attributes)))
		if _, blocked := send(t, b, "GET", test.url, Init{}); blocked != nil {
			t.Fatal(blocked)
		}
		host := strings.TrimPrefix(strings.TrimPrefix(test.url, "http://"), "https://")
		if got := len(jar.Cookies(mustURLs(t, "https://"+host)[0])) == 1; got != test.want {
			t.Errorf("%s, called on %s, sets a=b; %s: %t, want %t", test.url, test.page, test.attributes, got, test.want)
		}
	}
}
