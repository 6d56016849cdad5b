package e2e

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// A visit is a request to a path from a page on another origin, made in one of the ways in bypasses or otherWays.
type visit struct {
	way     string // the name of the bypass or other way
	path    string
	through string // a path of the identity provider, which redirects to the path; or empty
	runs    bool   // the handler gets the request, since it cannot be a call
}

// otherWays lists requests that are not among the bypasses.
var otherWays = []bypass{
	{
		name: "no-cors POST of a form", mode: "no-cors",
		script: `await fetch(args.url + args.post, {method: "POST", mode: "no-cors", credentials: "include", body: new URLSearchParams({code: "1"})});
			return null`,
	},
	{
		name: "no-cors POST of a form with parts", mode: "no-cors",
		script: `const body = new FormData();
			body.append("code", "1");
			await fetch(args.url + args.post, {method: "POST", mode: "no-cors", credentials: "include", body});
			return null`,
	},
	{
		name: "beacon of a form", mode: "no-cors",
		script: `navigator.sendBeacon(args.url + args.post, new URLSearchParams({code: "1"})); return null`,
	},
	{name: "WebSocket", script: `args.url += args.get;` + openSocket},
	{
		name: "form of the identity provider's page", mode: "navigate",
		script: `const frame = document.createElement("iframe");
			frame.src = args.url + args.get;
			let loads = 0;
			const answered = new Promise((done) => { frame.onload = () => { if (++loads === 2) done(); }; });
			document.body.append(frame);
			await answered;
			frame.remove();
			return null`,
	},
}

// visits lists requests to unknown paths with the form of a procedure.
var visits = []visit{
	{way: "link", path: "/john.doe/posts", runs: true},
	{way: "link", path: "/index.php/login", runs: true},
	{way: "link", path: "/github.com/owner?tab=repositories", runs: true},
	{way: "frame", path: "/john.doe/posts", runs: true},
	{way: "form, GET", path: "/index.php/login", runs: true},
	{way: "image", path: "/john.doe/photo", runs: true},
	{way: "script", path: "/john.doe/widget", runs: true},
	{way: "style sheet", path: "/john.doe/theme", runs: true},
	{way: "no-cors GET", path: "/john.doe/posts?page=2", runs: true},
	{way: "form", path: "/auth.v1/callback", runs: true},
	{way: "form with parts", path: "/auth.v1/callback", runs: true},
	{way: "frame", through: "/authorize", path: "/auth.v1/callback?code=1", runs: true},
	{way: "form of the identity provider's page", through: "/application/x-www-form-urlencoded", path: "/auth.v1/callback", runs: true},
	{way: "form of the identity provider's page", through: "/multipart/form-data", path: "/auth.v1/callback", runs: true},

	{way: "form of the identity provider's page", through: "/text/plain", path: "/auth.v1/callback"},
	{way: "form of text", path: "/auth.v1/callback"},
	{way: "form in a sandbox", path: "/auth.v1/callback"},
	{way: "no-cors POST", path: "/auth.v1/callback"},
	{way: "no-cors POST of a form", path: "/auth.v1/callback"},
	{way: "no-cors POST of a form with parts", path: "/auth.v1/callback"},
	{way: "beacon", path: "/auth.v1/callback"},
	{way: "beacon of a form", path: "/auth.v1/callback"},
	{way: "WebSocket", path: "/john.doe/posts"},
	{way: "WebSocket", path: "/auth.v1/callback?code=1"},
	{way: "no-cors GET", path: "/john.doe/posts?encoding=json"},
	{way: "no-cors GET", path: "/john.doe/posts?page=2&encoding=proto&message="},
	{way: "link", path: "/john.doe/posts?encoding=json"},
	{way: "image", path: "/john.doe/photo?encoding=json"},
	{way: "frame", through: "/authorize", path: "/john.doe/posts?encoding=json"},
}

// visitsOfProcedures lists requests to a known procedure, and to one that a selector matches.
var visitsOfProcedures = []visit{
	{way: "link", path: lookupPath},
	{way: "frame", path: lookupPath},
	{way: "image", path: lookupPath},
	{way: "form", path: greetPath},
	{way: "form with parts", path: greetPath},
	{way: "form of the identity provider's page", through: "/multipart/form-data", path: greetPath},
	{way: "link", path: "/auth.v1/callback?code=1"},
	{way: "image", path: "/auth.v1/callback"},
	{way: "form", path: "/auth.v1/callback"},
	{way: "form with parts", path: "/auth.v1/callback"},
	{way: "frame", through: "/authorize", path: "/auth.v1/callback?code=1"},
	{way: "form of the identity provider's page", through: "/application/x-www-form-urlencoded", path: "/auth.v1/callback"},
}

// The policies of a server with pages at such paths. They have no path rules.
const (
	pagesPolicy   = "defaults: {allow_origins: [ORIGIN]}\n"
	othersPolicy  = "defaults: {allow_origins: [https://app.example.com]}\n"
	coveredPolicy = `rules: [{selector: auth.v1, accept_risks: [UNKNOWN_SELECTORS]}]`
)

// TestPagesAreNotCalls: links, images and forms of other sites reach a page whose path has the form of a procedure, whether or not
// the policy allows those sites. Requests that could be calls do not reach it, and no request reaches a known procedure.
func TestPagesAreNotCalls(t *testing.T) {
	forEachEngine(t, func(t *testing.T, engine browser.Engine) {
		page := pool.Page(t, engine)
		warmUp(t, page)
		for _, server := range []struct {
			name, policy string
			visits       []visit
		}{
			{"pages, from a granted page", pagesPolicy, visits},
			{"pages, from another page", othersPolicy, visits},
			{"procedures, from a granted page", pagesPolicy + coveredPolicy, visitsOfProcedures},
			{"procedures, from another page", othersPolicy + coveredPolicy, visitsOfProcedures},
		} {
			for _, site := range sites {
				for _, v := range server.visits {
					t.Run(fmt.Sprintf("%s/%s/%s%s to %s", server.name, site, v.way, v.through, v.path), func(t *testing.T) {
						v.test(t, page, site, server.policy)
					})
				}
			}
		}
	})
}

func (v visit) test(t *testing.T, page *browser.Page, site site, policy string) {
	t.Helper()
	all := slices.Concat(bypasses, otherWays)
	i := slices.IndexFunc(all, func(b bypass) bool { return b.name == v.way })
	if i < 0 {
		t.Fatalf("unknown way %q", v.way)
	}
	way := all[i]

	var handled atomic.Int32
	layer := newLayer(t, page.Origin, policy).Wrap(http.HandlerFunc(
		func(http.ResponseWriter, *http.Request) { handled.Add(1) }))
	answered := make(chan struct{}, 16)
	server := serveAPI(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		layer.ServeHTTP(w, r)
		answered <- struct{}{}
	}))
	args := map[string]string{"url": server.on(site), "get": v.path, "path": v.path, "post": v.path, "body": ada}
	if v.through != "" {
		args["get"] = v.through + "?to=" + url.QueryEscape(args["url"]+v.path)
		args["url"] = serveAPI(t, http.HandlerFunc(identityProvider)).URL
	}
	page.Run(t, way.script, args, nil)
	select {
	case <-answered: // a script cannot wait for the end of a beacon
	case <-time.After(30 * time.Second):
		t.Fatal("nothing was sent")
	}

	preflights, sent := server.take()
	if len(preflights) != 0 || len(sent) != 1 {
		t.Fatalf("the server saw %s, want one request without a preflight", describe(slices.Concat(preflights, sent)))
	}
	if way.mode != "" { // Chromium sends no Sec-Fetch headers for a WebSocket over http
		if got := sent[0].Header.Get("Sec-Fetch-Mode"); got != way.mode {
			t.Errorf("it arrived with Sec-Fetch-Mode %q, want %q", got, way.mode)
		}
		if got := sent[0].Header.Get("Sec-Fetch-Site"); got != string(sameSite) && got != string(crossSite) {
			t.Errorf("it arrived with Sec-Fetch-Site %q, want one of another origin", got)
		}
	}
	if ran := handled.Load() == 1; ran != v.runs {
		t.Errorf("the handler ran: %t, want %t: %s with %q", ran, v.runs, describe(sent), sent[0].Header)
	}
}

// identityProvider sends a browser to the URL in the query. /authorize redirects, as OAuth does by default. Any other path answers
// with a form that submits itself, in the encoding that the path names, as with response_mode=form_post.
func identityProvider(w http.ResponseWriter, r *http.Request) {
	to := r.URL.Query().Get("to")
	if r.URL.Path == "/authorize" {
		http.Redirect(w, r, to, http.StatusFound)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, `<!doctype html><form method="POST" enctype="%s" action="%s"><input name="code" value="1"></form>
<script>onload = () => document.forms[0].submit()</script>`, html.EscapeString(r.URL.Path[1:]), html.EscapeString(to))
}
