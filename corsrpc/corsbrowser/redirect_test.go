package corsbrowser

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// redirecting answers /from with a redirect, and other paths with a description of
// the request. It allows calls from the listed origins.
func redirecting(status int, location string, origins ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, o := range origins {
			if r.Header.Get("Origin") == o {
				w.Header().Set("Access-Control-Allow-Origin", o)
			}
		}
		w.Header().Set("Access-Control-Allow-Credentials", "true")
		w.Header().Set("Access-Control-Allow-Methods", "PUT")
		w.Header().Set("Access-Control-Allow-Headers", "authorization, content-type, x-a")
		if r.Method == http.MethodOptions {
			return
		}
		if r.URL.Path == "/from" {
			w.Header().Set("Location", location)
			w.WriteHeader(status)
			return
		}
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s origin=%s type=%s authorization=%s x-a=%s", r.Method, body, r.Header.Get("Origin"), r.Header.Get("Content-Type"), r.Header.Get("Authorization"), r.Header.Get("X-A"))
	})
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		status   int
		method   string
		location string
		origins  []string
		want     string
		check    Check
	}{
		{name: "to the same server", status: 307, method: "PUT", location: "/to", origins: []string{page}, want: "PUT {} origin=" + page + " type=application/json authorization=a x-a=1"},
		{name: "a PUT stays one after 301", status: 301, method: "PUT", location: "/to", origins: []string{page}, want: "PUT {} origin=" + page + " type=application/json authorization=a x-a=1"},
		{name: "a POST becomes a GET after 301", status: 301, method: "POST", location: "/to", origins: []string{page}, want: "GET  origin=" + page + " type= authorization=a x-a=1"},
		{name: "a PUT becomes a GET after 303", status: 303, method: "PUT", location: "/to", origins: []string{page}, want: "GET  origin=" + page + " type= authorization=a x-a=1"},
		{name: "to another server: with Origin null, without Authorization", status: 308, method: "POST", location: other + "/to", origins: []string{page, "null"}, want: "POST {} origin=null type=application/json authorization= x-a=1"},
		{name: "to another server that does not allow null", status: 308, method: "POST", location: other + "/to", origins: []string{page}, check: CheckOriginMissing},
		{name: "without Access-Control-Allow-Origin on the redirect", status: 307, method: "POST", location: "/to", check: CheckOriginMissing},
		{name: "to a data URL", status: 302, method: "GET", location: "data:text/plain,x", origins: []string{page}, check: CheckRedirectURL},
		{name: "with a user name", status: 302, method: "GET", location: "https://u@other.example/", origins: []string{page, "null"}, check: CheckRedirectURL},
		{name: "without end", status: 302, method: "GET", location: "/from", origins: []string{page}, check: CheckRedirectLimit},
		{name: "to plain HTTP", status: 302, method: "GET", location: "http://api.example.com/", origins: []string{page, "null"}, check: CheckMixedContent},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, engine := range []Engine{Standard, Chromium} {
				b := newBrowser(t, page, WithEngine(engine), WithHandler(redirecting(test.status, test.location, test.origins...)))
				header := []string{"Authorization", "a", "X-A", "1"}
				if test.method != http.MethodGet {
					header = append(header, "Content-Type", "application/json")
				}
				response, blocked := send(t, b, test.method, server+"/from", Init{}, header...)
				if blocked != nil {
					if blocked.Check != test.check {
						t.Errorf("%s: %v", engine, blocked)
					}
					continue
				}
				if body, err := io.ReadAll(response.Body); string(body) != test.want || err != nil {
					t.Errorf("%s: %s\nwant %s", engine, body, test.want)
				}
			}
		})
	}
}

func TestRedirectModes(t *testing.T) {
	t.Parallel()
	handler := redirecting(302, "/to", page)
	if _, blocked := send(t, newBrowser(t, page, WithHandler(handler)), "GET", server+"/from", Init{Redirect: RedirectError}); blocked == nil || blocked.Check != CheckRedirectMode || !blocked.Sent {
		t.Errorf("error: %v", blocked)
	}
	response, blocked := send(t, newBrowser(t, page, WithHandler(handler)), "GET", server+"/from", Init{Redirect: RedirectManual})
	if blocked != nil || response.StatusCode != 0 || len(response.Header) != 0 {
		t.Errorf("manual: %v %v", response, blocked)
	}
	// The http.Client leaves redirects to the browser.
	followed, err := newBrowser(t, page, WithHandler(handler)).Client().Get(server + "/from")
	if err != nil {
		t.Fatal(err)
	}
	defer followed.Body.Close()
	if body, _ := io.ReadAll(followed.Body); !strings.HasPrefix(string(body), "GET") {
		t.Errorf("%s", body)
	}
}

// TestSentBeforeRedirect: Sent is true if the call was sent to the first server and
// the preflight to the second server failed.
func TestSentBeforeRedirect(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, page, WithHandler(redirecting(307, other+"/to", page)))
	_, blocked := send(t, b, "PUT", server+"/from", Init{}, "Content-Type", "application/json")
	if blocked == nil || !blocked.Preflight || !blocked.Sent || !strings.Contains(blocked.Error(), "the call was sent") {
		t.Errorf("%v", blocked)
	}
	if got := strings.Join(sentLines(b), "; "); got != "preflight PUT [content-type]; PUT; preflight PUT [content-type]" {
		t.Errorf("sent %s", got)
	}
}

// TestStreamedBody: a redirect blocks a call whose body can be read only once.
func TestStreamedBody(t *testing.T) {
	t.Parallel()
	r, err := http.NewRequestWithContext(t.Context(), "POST", server+"/from", io.MultiReader(strings.NewReader("{}")))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "text/plain")
	_, err = newBrowser(t, page, WithHandler(redirecting(307, "/to", page))).RoundTrip(r)
	var blocked *BlockedError
	if !errors.As(err, &blocked) || blocked.Check != CheckStreamedBody {
		t.Error(err)
	}
}

// TestTimingAllowed: a page sees the timing details of a call if the response and those that redirected
// to it pass the TAO check, and none of a preflight or a blocked call.
func TestTimingAllowed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		from, to    string // Timing-Allow-Origin of the redirect and of the last response
		page, start string
		mode        Mode
		want        string // TimingAllowed of each exchange
	}{
		{"a call", "", page, page, "/to", CORS, "false true"},
		{"a call without the header", "", "", page, "/to", CORS, "false false"},
		{"an opaque response", "", page, page, "/to", NoCORS, "true"},
		{"the same origin", "", "", server, "/to", CORS, "true"},
		{"after a redirect", page, page, page, "/from", CORS, "false true false true"},
		{"after a redirect without the header", "", page, page, "/from", CORS, "false false false false"},
		{"after a redirect, without the header", page, "", page, "/from", CORS, "false true false false"},
		{"a blocked call", "", "*", other, "/to", CORS, "false false"},
	}
	for _, test := range tests {
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			value := test.to
			if r.URL.Path == "/from" {
				value = test.from
			}
			if r.Method == http.MethodOptions {
				value = "*"
			}
			w.Header().Set("Timing-Allow-Origin", value)
			redirecting(http.StatusTemporaryRedirect, "/to", page, preflightOnly(r, other)).ServeHTTP(w, r)
		})
		b := newBrowser(t, test.page, WithHandler(handler))
		_, _ = send(t, b, "POST", server+test.start, Init{Mode: test.mode, ForcePreflight: test.mode == CORS && test.page != server}, "X-A", "1")
		var got []string
		for _, e := range b.Log() {
			got = append(got, fmt.Sprint(e.TimingAllowed))
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// preflightOnly returns an origin for preflights, and "" for other requests.
func preflightOnly(r *http.Request, origin string) string {
	if r.Method == http.MethodOptions {
		return origin
	}
	return ""
}
