package peers

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
)

// server is the address of the server, and procedure the path that pages call.
const (
	server    = "https://api.example.com"
	procedure = "/acme.v1.AccountService/Me"
)

// The server answers secret if the request has the visitor's cookie, and notSignedIn if not.
const (
	secret      = `{"account":"of the visitor"}`
	notSignedIn = `{"account":null}`
	session     = "4f1c"
)

// account is the handler behind every library.
func account(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if cookie, err := r.Cookie("session"); err != nil || cookie.Value != session {
		io.WriteString(w, notSignedIn)
		return
	}
	io.WriteString(w, secret)
}

// A visit is the result of the calls from one page.
type visit struct {
	// get and post are true if the page reads the visitor's secret: by a GET without a preflight, and by a POST with one.
	get, post bool
	// anonymous is true if the page reads the answer to a GET without cookies.
	anonymous bool
}

// visitFrom opens a page of the origin and calls the server.
func visitFrom(t *testing.T, handler http.Handler, origin string) (v visit) {
	t.Helper()
	api, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	jar.SetCookies(api, []*http.Cookie{{Name: "session", Value: session, Secure: true, HttpOnly: true}})
	page, err := corsbrowser.New(origin, corsbrowser.WithHandler(handler), corsbrowser.WithCookieJar(jar))
	if err != nil {
		t.Fatal(err)
	}
	read := func(method, query, body string, credentials corsbrowser.Credentials, want string) bool {
		ctx := corsbrowser.WithInit(t.Context(), corsbrowser.Init{Credentials: credentials})
		request, err := http.NewRequestWithContext(ctx, method, server+procedure+query, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if body != "" {
			request.Header.Set("Content-Type", "application/json")
		}
		response, err := page.Client().Do(request)
		var blocked *corsbrowser.BlockedError
		if errors.As(err, &blocked) {
			return false
		}
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text) == want
	}
	const query = "?connect=v1&encoding=json&message=%7B%7D"
	v.get = read(http.MethodGet, query, "", corsbrowser.Include, secret)
	v.anonymous = read(http.MethodGet, query, "", corsbrowser.Omit, notSignedIn)
	if n := page.Preflights(); n != 0 {
		t.Errorf("%d preflights of GETs from %s", n, origin)
	}
	v.post = read(http.MethodPost, "", "{}", corsbrowser.Include, secret)
	if n := page.Preflights(); n != 1 {
		t.Errorf("%d preflights of the POST from %s", n, origin)
	}
	return v
}

// printed returns the text that f writes to the standard output, the standard error and the standard logger.
func printed(t *testing.T, f func()) string {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	stdout, stderr, logger := os.Stdout, os.Stderr, log.Writer()
	os.Stdout, os.Stderr = file, file
	log.SetOutput(file)
	defer func() {
		os.Stdout, os.Stderr = stdout, stderr
		log.SetOutput(logger)
	}()
	f()
	text, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
