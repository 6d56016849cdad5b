package corsbrowser

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestExposedHeaders(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		exposed     []string
		credentials Credentials
		want        string
	}{
		{name: "none", credentials: SameOrigin, want: "Cache-Control Content-Type"},
		{name: "by name, whatever the case", exposed: []string{"X-a"}, credentials: SameOrigin, want: "Cache-Control Content-Type X-A"},
		{name: "in lines", exposed: []string{"x-a", "x-b"}, credentials: SameOrigin, want: "Cache-Control Content-Type X-A X-B"},
		{name: "all", exposed: []string{"*"}, credentials: SameOrigin, want: "Access-Control-Allow-Credentials Access-Control-Allow-Origin Access-Control-Expose-Headers Cache-Control Content-Type X-A X-B"},
		{name: "a * is a name with credentials", exposed: []string{"*"}, credentials: Include, want: "Cache-Control Content-Type"},
		{name: "a cookie never", exposed: []string{"set-cookie"}, credentials: Include, want: "Cache-Control Content-Type"},
		{name: "one bad name spoils all", exposed: []string{"x-a, x b"}, credentials: SameOrigin, want: "Cache-Control Content-Type"},
		{name: "a prefix is a name", exposed: []string{"x-*"}, credentials: SameOrigin, want: "Cache-Control Content-Type"},
	}
	for _, test := range tests {
		header := []string{"Access-Control-Allow-Origin", page, "Access-Control-Allow-Credentials", "true", "X-A", "1", "X-B", "2", "Set-Cookie", "a=b", "Cache-Control", "no-store", "Content-Type", "text/plain"}
		for _, line := range test.exposed {
			header = append(header, "Access-Control-Expose-Headers", line)
		}
		response, blocked := send(t, newBrowser(t, page, WithHandler(respondWith(header...))), "GET", server, Init{Credentials: test.credentials})
		if blocked != nil {
			t.Fatal(blocked)
		}
		var names []string
		for name := range response.Header {
			names = append(names, name)
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != test.want {
			t.Errorf("%s: %s\nwant %s", test.name, got, test.want)
		}
	}
}

func TestOpaque(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, page, WithHandler(respondWith("X-A", "1", "Content-Type", "text/plain")))
	response, blocked := send(t, b, "GET", server, Init{Mode: NoCORS}, "X-A", "1", "Accept", "text/html")
	if blocked != nil || response.StatusCode != 0 || len(response.Header) != 0 {
		t.Fatalf("%+v %v", response, blocked)
	}
	if body, _ := io.ReadAll(response.Body); len(body) != 0 {
		t.Errorf("the script reads %q", body)
	}
	if sent := b.Log()[0].Header; sent.Get("X-A") != "" || sent.Get("Accept") != "text/html" {
		t.Errorf("sent %v", sent)
	}
}

// TestResourcePolicy: in mode no-cors a script gets no response whose
// Cross-Origin-Resource-Policy does not allow its page
// (https://fetch.spec.whatwg.org/#concept-cross-origin-resource-policy-check).
func TestResourcePolicy(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		page, url, policy string
		want              Check
	}{
		{page, server, "", ""}, {page, server, "same-origin", CheckResourcePolicy}, {page, server, "same-site", ""}, {page, server, "cross-origin", ""},
		{page, other, "", ""}, {page, other, "same-origin", CheckResourcePolicy}, {page, other, "same-site", CheckResourcePolicy}, {page, other, "cross-origin", ""},
		{"http://app.example.com", server, "same-site", CheckResourcePolicy}, {"null", server, "same-site", CheckResourcePolicy},
	} {
		for _, engine := range Engines() {
			b := newBrowser(t, test.page, WithEngine(engine), WithHandler(respondWith("Cross-Origin-Resource-Policy", test.policy)))
			var got Check
			if _, blocked := send(t, b, "GET", test.url, Init{Mode: NoCORS}); blocked != nil {
				got = blocked.Check
			}
			if got != test.want {
				t.Errorf("%s: %s on %s, %q: blocked at %q, want %q", engine, test.url, test.page, test.policy, got, test.want)
			}
		}
	}
}

// TestGunzip: the script reads the decoded body of a gzip response.
func TestGunzip(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, page, WithHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Content-Encoding", "gzip")
		if r.Method == http.MethodHead {
			return
		}
		z := gzip.NewWriter(w)
		io.WriteString(z, "body")
		z.Close()
	})))
	for method, want := range map[string]string{"GET": "body", "HEAD": ""} {
		response, blocked := send(t, b, method, server, Init{})
		if blocked != nil {
			t.Fatal(blocked)
		}
		if body, err := io.ReadAll(response.Body); string(body) != want || method == "GET" && err != nil {
			t.Errorf("%s: %q %v", method, body, err)
		}
	}
}

// TestTrailers: scripts cannot read trailers, over HTTP/1.1 and HTTP/2.
func TestTrailers(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "http://localhost:3000")
		w.Header().Set("Access-Control-Expose-Headers", "x-a, trailer")
		w.Header().Set("Trailer", "X-A")
		io.WriteString(w, "body")
		w.Header().Set("X-A", "1")
		w.Header().Set(http.TrailerPrefix+"X-B", "1")
	})
	for _, http2 := range []bool{false, true} {
		s := httptest.NewUnstartedServer(handler)
		s.EnableHTTP2 = http2
		s.StartTLS()
		defer s.Close()
		response, blocked := send(t, newBrowser(t, "http://localhost:3000", WithTransport(s.Client().Transport)), "GET", s.URL, Init{})
		if blocked != nil || response.ProtoMajor == 2 != http2 {
			t.Fatalf("%v %+v", blocked, response)
		}
		if body, err := io.ReadAll(response.Body); string(body) != "body" || err != nil {
			t.Fatalf("%q %v", body, err)
		}
		if len(response.Trailer) != 0 || response.Header.Get("X-A") != "" {
			t.Errorf("HTTP/2 %v: %v %v", http2, response.Trailer, response.Header)
		}
	}
}

// TestBodyIsClosed: RoundTrip closes the request body also if it returns an error.
func TestBodyIsClosed(t *testing.T) {
	t.Parallel()
	for _, url := range []string{server, "http://api.example.com", "ftp://api.example.com"} {
		body := &closing{Reader: bytes.NewReader([]byte("{}"))}
		r, err := http.NewRequestWithContext(t.Context(), "PUT", url, body)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := newBrowser(t, page, WithHandler(respondWith())).RoundTrip(r); err == nil || !body.closed {
			t.Errorf("%s: %v, closed %v", url, err, body.closed)
		}
	}
}

// closing is a body that records its Close.
type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}
