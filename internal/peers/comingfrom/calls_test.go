package comingfrom

import (
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
)

// api is the address of the server in all calls.
const api = "https://api.example.com"

// pages are the origins of the pages that call. The first one is the page that the configurations are for.
var pages = []string{"https://app.example.com", "https://other.example.com", "http://app.example.com", "null", "https://evil.example"}

// A kind is a call that a page makes.
type kind struct {
	name        string
	method      string
	path        string
	header      http.Header
	credentials bool
}

// The paths of the calls: a procedure, and a resource of a REST API.
const (
	procedure = "/acme.shop.v1.CatalogService/List"
	resource  = "/v1/orders/7"
)

// kinds are the calls that each page makes.
var kinds = []kind{
	{name: "procedure", method: http.MethodPost, path: procedure, header: connect()},
	{name: "procedure with Authorization", method: http.MethodPost, path: procedure, header: connect("Authorization", "Bearer x")},
	{name: "procedure with X-Tenant-Id", method: http.MethodPost, path: procedure, header: connect("X-Tenant-Id", "7")},
	{name: "procedure with cookies", method: http.MethodPost, path: procedure, header: connect(), credentials: true},
	{name: "GET", method: http.MethodGet, path: resource},
	{name: "GET with cookies", method: http.MethodGet, path: resource, credentials: true},
	{name: "PUT", method: http.MethodPut, path: resource, header: http.Header{"Content-Type": {"application/json"}}},
	{name: "DELETE", method: http.MethodDelete, path: resource},
}

// connect returns the header of a call by the Connect protocol, with another field.
func connect(more ...string) http.Header {
	h := http.Header{"Content-Type": {"application/json"}, "Connect-Protocol-Version": {"1"}}
	for i := 0; i < len(more); i += 2 {
		h.Set(more[i], more[i+1])
	}
	return h
}

// ran is a field of each response that the server behind a CORS implementation makes.
const ran = "X-Ran"

// application is the server behind every implementation in Go.
func application(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set(ran, "1")
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Request-Id", "1")
	io.WriteString(w, "{}")
}

// An outcome is what a script and a server see of a call.
type outcome struct {
	readable bool
	exposed  []string // the fields that the script can read, beyond those that every script can; sorted
	ran      bool     // the server behind executed the call
	keeps    int      // how many seconds the browser may keep the answer to the preflight; -1 without a granted preflight
}

// safelisted are the fields that every script can read, and ran.
var safelisted = []string{"Cache-Control", "Content-Language", "Content-Length", "Content-Type", "Expires", "Last-Modified", "Pragma", ran}

// aboutCORS reports whether a field is of the CORS protocol itself, which is of no use to a script.
func aboutCORS(name string) bool {
	return name == "Vary" || strings.HasPrefix(name, "Access-Control-")
}

// callFrom makes a call from a page of the origin, in a new browser.
func callFrom(t *testing.T, server http.Handler, origin string, k kind) (o outcome) {
	t.Helper()
	base, err := url.Parse(api)
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	jar.SetCookies(base, []*http.Cookie{{Name: "session", Value: "x", Secure: true, SameSite: http.SameSiteNoneMode}})
	page, err := corsbrowser.New(origin, corsbrowser.WithHandler(server), corsbrowser.WithCookieJar(jar))
	if err != nil {
		t.Fatal(err)
	}
	credentials := corsbrowser.Omit
	if k.credentials {
		credentials = corsbrowser.Include
	}
	var body io.Reader
	if k.header["Content-Type"] != nil {
		body = strings.NewReader("{}")
	}
	r, err := http.NewRequestWithContext(corsbrowser.WithInit(t.Context(), corsbrowser.Init{Credentials: credentials}), k.method, api+k.path, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range k.header {
		r.Header[name] = values
	}
	response, err := page.Client().Do(r)
	var blocked *corsbrowser.BlockedError
	switch {
	case err == nil:
		o.readable = response.StatusCode == http.StatusOK
		response.Body.Close()
		for name := range response.Header {
			if !slices.Contains(safelisted, name) && !aboutCORS(name) {
				o.exposed = append(o.exposed, strings.ToLower(name))
			}
		}
		slices.Sort(o.exposed)
	case !errors.As(err, &blocked):
		t.Fatal(err)
	}
	o.keeps = -1
	for _, e := range page.Log() {
		switch {
		case e.Preflight && len(e.Answer["Access-Control-Allow-Origin"]) > 0:
			o.keeps = maxAge(e.Answer.Get("Access-Control-Max-Age"))
		case !e.Preflight && e.Answer.Get(ran) != "":
			o.ran = true
		}
	}
	return o
}

// maxAge returns how many seconds a browser keeps an answer with this value of Access-Control-Max-Age
// (https://fetch.spec.whatwg.org/#http-access-control-max-age).
func maxAge(value string) int {
	if n, err := strconv.Atoi(value); err == nil {
		return n
	}
	return 5
}
