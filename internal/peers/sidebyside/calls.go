package sidebyside

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// Call is a call of a script in a page.
type Call struct {
	// Name describes the call, without the origin.
	Name string
	// Origin is the page's.
	Origin string
	// Method and Path are those of the request, and Header is what the script sets.
	Method, Path string
	Header       http.Header
	// Credentials is true if the script sends cookies (credentials: "include").
	Credentials bool

	usual bool // from every origin
}

// Origins are the origins of the pages: App and Admin are those that configurations allow, and the others look like
// them or are of somebody else.
var Origins = []string{
	App, Admin, "https://example.com", "https://pr-1.example.com", "https://a.b.example.com", "https://app.example.com:8443", "http://app.example.com",
	"https://evil.example", "https://evilexample.com", "https://app.example.com.evil.example", "http://localhost:5173", "null",
}

// The origins that configurations allow.
const (
	App   = "https://app.example.com"
	Admin = "https://admin.example.com"
)

// Calls returns the calls from pages of all Origins and of further ones: all calls from App, and the usual ones from
// the others.
func Calls(further ...string) (all []Call) {
	for _, origin := range slices.Concat(Origins, further) {
		if origin == App {
			all = append(all, From(origin)...)
		} else {
			all = append(all, Usual(origin)...)
		}
	}
	return all
}

// Usual returns the calls that differ by who may call, with and without credentials.
func Usual(origin string) []Call {
	return slices.DeleteFunc(From(origin), func(c Call) bool { return !c.usual })
}

// From returns all calls of a page of an origin. Each kind of call is with and without each header that matters.
func From(origin string) (all []Call) {
	add := func(name, method, path string, header ...string) *Call {
		h := http.Header{}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		all = append(all, Call{name, origin, method, path, h, false, false})
		return &all[len(all)-1]
	}
	usual := func(c *Call) { c.usual = true }
	json := []string{"content-type", "application/json"}
	for _, credentials := range []bool{false, true} {
		with := ""
		if credentials {
			with = " with credentials"
		}
		for _, c := range []Call{
			{Name: "GET", Method: "GET", Path: Me}, {Name: "POST of JSON", Method: "POST", Path: Buy, Header: http.Header{"Content-Type": {"application/json"}}},
			{Name: "POST of text", Method: "POST", Path: Buy, Header: http.Header{"Content-Type": {"text/plain"}}}, {Name: "GET of a file", Method: "GET", Path: File},
		} {
			c.usual = !credentials || c.Name == "GET" || c.Name == "POST of text"
			c.Name, c.Origin, c.Credentials = c.Name+with, origin, credentials
			all = append(all, c)
		}
	}
	usual(add("Connect", "POST", Buy, append(json, "connect-protocol-version", "1", "connect-timeout-ms", "5000")...))
	usual(add("gRPC-Web", "POST", Buy, "content-type", "application/grpc-web+proto", "x-grpc-web", "1", "x-user-agent", "connect-es/2"))
	add("gRPC-Web without its own headers", "POST", Buy, "content-type", "application/grpc-web+proto")
	add("Connect, compressed", "POST", Buy, append(json, "connect-protocol-version", "1", "content-encoding", "gzip")...)
	add("GET of a procedure with side effects", "GET", Buy)
	add("GET of a procedure with side effects, with a content type", "GET", Buy, json...)
	add("HEAD", "HEAD", Me)
	add("HEAD with a content type", "HEAD", Me, json...)
	for _, method := range []string{"PUT", "PATCH", "DELETE"} {
		add(method, method, Buy)
		add(method+" of a file", method, File)
	}
	add("POST of JSON to a file", "POST", File, json...)
	add("POST of text to a file", "POST", File, "content-type", "text/plain")
	add("health check", "POST", Health, json...)
	add("health check by gRPC-Web", "POST", Health, "content-type", "application/grpc-web+proto", "x-grpc-web", "1")
	for _, name := range []string{"authorization", "x-tenant-id", "x-requested-with", "x-http-method-override"} {
		add("GET with "+name, "GET", Me, name, "1")
		add("POST of text with "+name, "POST", Buy, "content-type", "text/plain", name, "1")
		add("GET of a file with "+name, "GET", File, name, "1")
		c := add("gRPC-Web with "+name, "POST", Buy, "content-type", "application/grpc-web+proto", "x-grpc-web", "1", name, "1")
		c.Credentials = true
	}
	return all
}

// Outcome is what becomes of a call.
type Outcome struct {
	// Ran is true if the handler ran, and Readable if the script reads the answer.
	Ran, Readable bool
	// Status is that of a readable answer.
	Status int
	// Exposed are the response headers that the script reads, in lower case and sorted, without those that it always
	// reads.
	Exposed []string
	// MaxAge is for how long the browser keeps the preflight; -1 without a preflight that passed.
	MaxAge time.Duration
	// Blocked is the step at which the browser blocked the call, or "".
	Blocked corsbrowser.Check
	// Preflight is the status of the answer to the preflight; 0 without one.
	Preflight int
}

// Visit makes calls to a server, each in a page of its own.
func Visit(t testing.TB, server Server, calls []Call) (outcomes []Outcome) {
	t.Helper()
	for _, c := range calls {
		page, err := corsbrowser.New(c.Origin, server.option, corsbrowser.WithCookieJar(session(t)))
		if err != nil {
			t.Fatal(err)
		}
		outcomes = append(outcomes, visit(t, page, c))
	}
	return outcomes
}

// session returns a jar with the cookie of a visitor of the server.
func session(t testing.TB) http.CookieJar {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	jar.SetCookies(&url.URL{Scheme: "https", Host: "api.example.dev", Path: "/"}, []*http.Cookie{{Name: "session", Value: "1", Secure: true}})
	return jar
}

func visit(t testing.TB, page *corsbrowser.Browser, c Call) Outcome {
	t.Helper()
	init := corsbrowser.Init{Credentials: corsbrowser.Omit}
	if c.Credentials {
		init.Credentials = corsbrowser.Include
	}
	request, err := http.NewRequestWithContext(corsbrowser.WithInit(t.Context(), init), c.Method, Host+c.Path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if request.Header = c.Header.Clone(); request.Header == nil {
		request.Header = http.Header{}
	}
	o := Outcome{MaxAge: -1}
	response, err := page.Client().Do(request)
	var blocked *corsbrowser.BlockedError
	switch {
	case err == nil:
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		o.Readable, o.Status = true, response.StatusCode
		for name := range response.Header {
			if lower := strings.ToLower(name); !fetch.SafelistedResponseHeader(lower) && name != Ran {
				o.Exposed = append(o.Exposed, lower)
			}
		}
		slices.Sort(o.Exposed)
	case !errors.As(err, &blocked) || blocked.Check == corsbrowser.CheckNetwork:
		t.Fatalf("%s from %s: %v", c.Name, c.Origin, err)
	default:
		o.Blocked = blocked.Check
	}
	log := page.Log()
	for i, e := range log {
		switch {
		case !e.Preflight:
			o.Ran = o.Ran || e.Answer.Get(Ran) != ""
		default:
			o.Preflight = e.Status
			if i+1 < len(log) { // the preflight passed
				o.MaxAge = corsbrowser.Standard.MaxAge(e.Answer)
			}
		}
	}
	return o
}

// Difference is a difference between what becomes of a call before and after.
type Difference struct {
	Call          Call
	Before, After Outcome
	// The difference is in What: "ran", "readable", "status", "exposed" or "max_age". Header is the exposed field.
	What, Header string
	// Wider is true if the call gets more after than before: it runs, is readable, or reads a header; or the browser
	// keeps the preflight for longer.
	Wider bool
}

// String returns the difference in a line.
func (d Difference) String() string {
	effect := "stricter"
	if d.Wider {
		effect = "wider"
	}
	text := fmt.Sprintf("%s from %s: %s %s", d.Call.Name, d.Call.Origin, effect, d.What)
	switch d.What {
	case "exposed":
		text += " " + d.Header
	case "status":
		text += fmt.Sprintf(" %d, then %d", d.Before.Status, d.After.Status)
	case "max_age":
		text += fmt.Sprintf(" %v, then %v", d.Before.MaxAge, d.After.MaxAge)
	}
	return text
}

// Compare makes calls to two servers, and returns all differences.
func Compare(t testing.TB, before, after Server, calls []Call) (all []Difference) {
	t.Helper()
	b, a := Visit(t, before, calls), Visit(t, after, calls)
	for i, c := range calls {
		all = append(all, differences(c, b[i], a[i])...)
	}
	return all
}

func differences(c Call, b, a Outcome) (all []Difference) {
	add := func(what, header string, wider bool) {
		all = append(all, Difference{c, b, a, what, header, wider})
	}
	if b.Ran != a.Ran {
		add("ran", "", a.Ran)
	}
	if b.Readable != a.Readable {
		add("readable", "", a.Readable)
	}
	if b.MaxAge >= 0 && a.MaxAge >= 0 && b.MaxAge != a.MaxAge {
		add("max_age", "", a.MaxAge > b.MaxAge)
	}
	if !b.Readable || !a.Readable {
		return all
	}
	if b.Status != a.Status {
		add("status", "", a.Status < b.Status)
	}
	for _, name := range a.Exposed {
		if !slices.Contains(b.Exposed, name) {
			add("exposed", name, true)
		}
	}
	for _, name := range b.Exposed {
		if !slices.Contains(a.Exposed, name) {
			add("exposed", name, false)
		}
	}
	return all
}
