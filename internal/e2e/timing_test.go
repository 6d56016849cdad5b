package e2e

import (
	"net/http"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// observeTiming calls fetch, waits for args.entries Resource Timing entries of its URL, and returns what they show. A later request
// to the page's own server has an entry too. When the browser has added that entry, the script sees entries that it does not expect.
const observeTiming = `
	const entries = [];
	let added = () => {};
	const observer = new PerformanceObserver((list) => { entries.push(...list.getEntries()); added(); });
	observer.observe({entryTypes: ["resource"]});
	const of = (url) => entries.filter((entry) => entry.name === url);
	const reading = await e2e.fetchRaw(args.url, args.init);
	const after = location.origin + "/.e2e/scripts.js?after=" + encodeURIComponent(args.url);
	await (await fetch(after)).text();
	while (of(args.url).length < args.entries || of(after).length === 0) {
		await new Promise((done) => { added = done; });
	}
	observer.disconnect();
	return {
		Readable: reading.threw === "",
		Entries: of(args.url).length,
		Requested: of(args.url).some((entry) => entry.requestStart > 0),
		ServerTiming: of(args.url).flatMap((entry) => entry.serverTiming).map((t) => t.name + ";dur=" + t.duration).join(", "),
	};
`

// seenTiming is what a page's script sees of a call in the Resource Timing API.
type seenTiming struct {
	Readable     bool // fetch returned a response
	Entries      int
	Requested    bool   // the time of the request (requestStart) is not 0
	ServerTiming string // the entries of the Server-Timing header
}

// timed adds a Server-Timing header to the responses of a handler.
func timed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server-Timing", "db;dur=53")
		next.ServeHTTP(w, r)
	})
}

// timings lists calls, and whether the page sees their timing details.
var timings = []struct {
	name     string
	policy   string
	path     string
	init     fetchInit
	readable bool // fetch returns a response
	visible  bool
}{
	{"timing", "defaults: {allow_origins: [ORIGIN], timing: true}", greetPath, fetchInit{Method: "POST", Headers: jsonBody, Body: ada}, true, true},
	{"timing, GET", "defaults: {allow_origins: [ORIGIN], timing: true}", lookupGet, fetchInit{Method: "GET"}, true, true},
	{"timing, credentials", "defaults: {allow_origins: [ORIGIN], timing: true, allow_credentials: true}", greetPath, fetchInit{Method: "POST", Headers: jsonBody, Body: ada, Credentials: "include"}, true, true},
	{"timing, an error", "defaults: {allow_origins: [ORIGIN], timing: true}", greetPath, fetchInit{Method: "POST", Headers: jsonBody, Body: "{"}, true, true},
	{"timing for everyone", `defaults: {allow_origins: ["*"], timing: true}`, greetPath, fetchInit{Method: "POST", Headers: jsonBody, Body: ada}, true, true},
	{"timing for everyone, on a path", `rules: [{path: /status, allow_origins: ["*"], timing: true}]`, "/status", fetchInit{Method: "GET"}, true, true},
	{"no timing", "defaults: {allow_origins: [ORIGIN]}", greetPath, fetchInit{Method: "POST", Headers: jsonBody, Body: ada}, true, false},
	{"no timing, for everyone", `defaults: {allow_origins: ["*"]}`, lookupGet, fetchInit{Method: "GET"}, true, false},
	{"timing turned off by a rule", "defaults: {allow_origins: [ORIGIN], timing: true}\nrules: [{selector: showcase.v1.ShowcaseService, timing: false}]", greetPath, fetchInit{Method: "POST", Headers: jsonBody, Body: ada}, true, false},
	{"timing, refused preflight", "defaults: {allow_origins: [https://app.example.com], timing: true}", greetPath, fetchInit{Method: "POST", Headers: jsonBody, Body: ada}, false, false},
	{"timing, refused call", "defaults: {allow_origins: [https://app.example.com], timing: true}", lookupGet, fetchInit{Method: "GET"}, false, false},
	{"timing, header not granted", "defaults: {allow_origins: [ORIGIN], timing: true}", greetPath, fetchInit{Method: "POST", Headers: jsonAnd("X-Other", "1"), Body: ada}, false, false},
	{"timing, mode no-cors of another page", "rules: [{path: /status, allow_origins: [https://app.example.com], timing: true}]", "/status", fetchInit{Method: "GET", Mode: "no-cors"}, true, false},
}

// TestTiming: under timing, pages see the timing details of the calls that they may make and read, and no others.
func TestTiming(t *testing.T) {
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		for _, c := range timings {
			t.Run(c.name, func(t *testing.T) {
				server := serveAPI(t, newLayer(t, page.Origin, c.policy).Wrap(timed(plainPaths(showcaseV1()))))
				want := seenTiming{Readable: c.readable, Entries: 1, Requested: c.visible}
				if c.visible && page.Engine != browser.WebKit {
					want.ServerTiming = "db;dur=53" // WebKit shows the server timings of the page's own origin only, whatever is allowed
				}
				if !c.readable && page.Engine == browser.WebKit {
					want.Entries = 0 // the others add an entry for a blocked call, with the time of its start and end
				}
				var got seenTiming
				page.Run(t, observeTiming, map[string]any{"url": server.URL + c.path, "init": c.init, "entries": want.Entries}, &got)
				if got != want {
					t.Errorf("the script sees %+v, want %+v", got, want)
				}
			})
		}
	})
}
