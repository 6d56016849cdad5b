package corsbrowser

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestCorsUnsafeRequestHeaderNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 128)
	tests := []struct {
		name   string
		header http.Header
		want   string
	}{
		{"nothing", http.Header{}, ""},
		{"safelisted", http.Header{"Accept": {"*/*"}, "Accept-Language": {"de, en;q=0.5"}, "Content-Language": {"de"}, "Content-Type": {"text/plain"}, "Range": {"bytes=0-"}}, ""},
		{"in lower case, in order", http.Header{"X-B": {"1"}, "X-A": {"1"}, "Authorization": {"x"}}, "authorization,x-a,x-b"},
		{"a Content-Type of an RPC", http.Header{"Content-Type": {"application/json"}}, "content-type"},
		{"a Content-Type's parameters do not count", http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, ""},
		{"a Content-Type in upper case", http.Header{"Content-Type": {"TEXT/PLAIN"}}, ""},
		{"an empty Content-Type", http.Header{"Content-Type": {""}}, "content-type"},
		{"a Content-Type with an unsafe byte", http.Header{"Content-Type": {`text/plain; a="x"`}}, "content-type"},
		{"128 bytes", http.Header{"Accept": {long}}, ""},
		{"129 bytes", http.Header{"Accept": {long + "a"}}, "accept"},
		{"an unsafe byte", http.Header{"Accept": {"a(b"}}, "accept"},
		{"a byte that Accept-Language does not allow", http.Header{"Accept-Language": {"de_AT"}}, "accept-language"},
		{"a range from the end", http.Header{"Range": {"bytes=-10"}}, "range"},
		{"two ranges", http.Header{"Range": {"bytes=0-1,2-3"}}, "range"},
		{"a range backwards", http.Header{"Range": {"bytes=10-0"}}, "range"},
		{"the lines of a name are combined", http.Header{"Accept": {long[:100], long[:100]}}, "accept"},
	}
	for _, test := range tests {
		if got := strings.Join(Standard.corsUnsafeRequestHeaderNames(test.header), ","); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// TestMoreThan1024Bytes: safelisted headers are unsafe if their values have more than
// 1,024 bytes together.
func TestMoreThan1024Bytes(t *testing.T) {
	t.Parallel()
	// Only five names are safelisted, with at most 128 bytes each. More bytes need
	// several lines, in an engine that checks lines separately.
	lines := slices.Repeat([]string{strings.Repeat("a", 128)}, 8)
	if got := Firefox.corsUnsafeRequestHeaderNames(http.Header{"Accept": lines}); len(got) != 0 {
		t.Errorf("1,024 bytes: %q", got)
	}
	if got := Firefox.corsUnsafeRequestHeaderNames(http.Header{"Accept": lines, "Accept-Language": {"de"}}); !slices.Contains(got, "accept-language") {
		t.Errorf("1,026 bytes: %q", got)
	}
}

func TestCORSCheck(t *testing.T) {
	t.Parallel()
	const page = "https://app.example.com"
	tests := []struct {
		origins     []string
		credentials []string
		mode        Credentials
		want        Check
	}{
		{[]string{page}, nil, SameOrigin, ""},
		{[]string{"*"}, nil, SameOrigin, ""},
		{[]string{" " + page + "\t"}, nil, SameOrigin, ""},
		{[]string{page}, []string{"true"}, Include, ""},
		{nil, nil, SameOrigin, CheckOriginMissing},
		{[]string{""}, nil, SameOrigin, CheckOriginInvalid},
		{[]string{page + "/"}, nil, SameOrigin, CheckOriginMismatch},
		{[]string{"https://other.example"}, nil, SameOrigin, CheckOriginMismatch},
		{[]string{"HTTPS://app.example.com"}, nil, SameOrigin, CheckOriginMismatch},
		{[]string{"null"}, nil, SameOrigin, CheckOriginMismatch},
		{[]string{"app.example.com"}, nil, SameOrigin, CheckOriginInvalid},
		{[]string{page, page}, nil, SameOrigin, CheckOriginRepeated},
		{[]string{page + "," + page}, nil, SameOrigin, CheckOriginRepeated},
		{[]string{"*", "*"}, nil, SameOrigin, CheckOriginRepeated},
		{[]string{"*"}, []string{"true"}, Include, CheckOriginWildcard},
		{[]string{page}, nil, Include, CheckCredentials},
		{[]string{page}, []string{"True"}, Include, CheckCredentials},
		{[]string{page}, []string{"true", "true"}, Include, CheckCredentials},
	}
	o, err := parseOrigin(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		r := &request{origin: o, urlList: mustURLs(t, "https://api.example.com/"), credentials: test.mode}
		blocked := corsCheck(r, http.Header{"Access-Control-Allow-Origin": test.origins, "Access-Control-Allow-Credentials": test.credentials})
		var got Check
		if blocked != nil {
			got = blocked.Check
			if blocked.Fix == "" || blocked.Console == "" || blocked.Header == "" {
				t.Errorf("%q: %+v", test.origins, blocked)
			}
		}
		if got != test.want {
			t.Errorf("%q %q %s: %q, want %q", test.origins, test.credentials, test.mode, got, test.want)
		}
	}
}

func TestRedirectTaint(t *testing.T) {
	t.Parallel()
	const a, b, site = "https://app.example.com/", "https://other.example/", "https://api.example.com/"
	tests := []struct {
		urls []string
		want string
	}{
		{[]string{b}, "same-origin"},
		{[]string{a, a}, "same-origin"},
		{[]string{a, b}, "same-origin"}, // the page's own server redirected the script
		{[]string{b, b}, "same-origin"},
		{[]string{b, a}, "cross-site"},
		{[]string{b, site}, "cross-site"},
		{[]string{site, a}, "same-site"},
		{[]string{site, b, site}, "cross-site"},
	}
	o, err := parseOrigin("https://app.example.com")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		if got := (&request{origin: o, urlList: mustURLs(t, test.urls...)}).redirectTaint(); got != test.want {
			t.Errorf("%q: %s, want %s", test.urls, got, test.want)
		}
	}
}

func TestMaxAge(t *testing.T) {
	t.Parallel()
	tests := []struct {
		lines                      []string
		standard, chromium, strict int // seconds; -1 for not cached
	}{
		{nil, 5, 5, 5}, {[]string{""}, 5, 5, 5}, {[]string{"600"}, 600, 600, 600}, {[]string{"0"}, 0, 0, 0},
		{[]string{"-1"}, 5, 0, -1}, {[]string{"abc"}, 5, 5, -1}, {[]string{"60.5"}, 5, 5, -1}, {[]string{"+600"}, 5, 600, -1},
		{[]string{"600", "600"}, 5, 5, -1}, {[]string{"99999999999999999999"}, 1<<31 - 1, 5, 1<<31 - 1},
	}
	for _, test := range tests {
		for e, want := range map[Engine]int{Standard: test.standard, Chromium: test.chromium, WebKit: test.chromium, Firefox: test.strict} {
			d, cached := e.parseMaxAge(test.lines)
			got := int(d.Seconds())
			if !cached {
				got = -1
			}
			if got != want {
				t.Errorf("%s %q: %d, want %d", e, test.lines, got, want)
			}
		}
	}
}

func TestTAOCheck(t *testing.T) {
	t.Parallel()
	const page = "https://app.example.com"
	tests := []struct {
		values   []string
		tainting tainting
		failed   bool
		want     bool
	}{
		{nil, cors, false, false},
		{nil, opaqueTainting, false, false},
		{nil, basic, false, true},
		{nil, basic, true, false},
		{[]string{page}, cors, false, true},
		{[]string{page}, opaqueTainting, false, true},
		{[]string{page}, cors, true, false},
		{[]string{"*"}, cors, false, true},
		{[]string{"https://other.example,\t" + page + " "}, cors, false, true},
		{[]string{"https://other.example", "*"}, cors, false, true},
		{[]string{"https://other.example"}, cors, false, false},
		{[]string{page + "/"}, cors, false, false},
		{[]string{"HTTPS://app.example.com"}, cors, false, false},
		{[]string{"null"}, cors, false, false},
		{[]string{""}, cors, false, false},
	}
	o, err := parseOrigin(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		r := &request{origin: o, urlList: mustURLs(t, "https://api.example.com/"), tainting: test.tainting, timingAllowFailed: test.failed}
		if got := taoCheck(r, http.Header{"timing-allow-origin": test.values}); got != test.want {
			t.Errorf("%q %d %t: %t", test.values, test.tainting, test.failed, got)
		}
	}
}
