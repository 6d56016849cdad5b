package e2e

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// worker is a service worker that repeats the page's calls to other origins and its navigations, and makes calls on request.
const worker = `
	let navigated = "never";
	addEventListener("install", () => skipWaiting());
	addEventListener("activate", (event) => event.waitUntil(clients.claim()));
	addEventListener("fetch", (event) => {
		if (event.request.mode === "navigate")
			event.respondWith(fetch(event.request).then((response) => { navigated = response.type; return response; }));
		else if (!event.request.url.startsWith(location.origin))
			event.respondWith(fetch(event.request));
	});
	addEventListener("message", async (event) => {
		const answer = event.data === "navigated" ? navigated : await fetch(event.data.url, event.data.init).then((r) => r.type, () => "failed");
		event.ports[0].postMessage(answer);
	});
`

// callByWorker makes a call through the worker, makes the worker send its own calls, and opens a frame through it.
const callByWorker = `
	await navigator.serviceWorker.register("/worker.js");
	const worker = (await navigator.serviceWorker.ready).active;
	if (!navigator.serviceWorker.controller)
		await new Promise((done) => navigator.serviceWorker.addEventListener("controllerchange", done, {once: true}));
	const tell = (what) => {
		const channel = new MessageChannel();
		const answer = new Promise((done) => { channel.port1.onmessage = (event) => done(event.data); });
		worker.postMessage(what, [channel.port2]);
		return answer;
	};
	const shown = {Own: []};
	try {
		const response = await fetch(args.url + args.post, {method: "POST", headers: {"Content-Type": "application/json", "Connect-Protocol-Version": "1"}, body: args.body});
		shown.Through = response.status + " " + response.headers.get("X-Meta");
	} catch { shown.Through = "failed"; }
	for (const init of args.own)
		shown.Own.push(await tell({url: args.url + (init.method === "POST" ? args.post : args.get), init}));
	const frame = document.createElement("iframe");
	frame.src = args.away + encodeURIComponent(args.url + args.get);
	await new Promise((done) => { frame.onload = done; document.body.append(frame); });
	frame.remove();
	shown.Navigated = await tell("navigated");
	return shown;
`

// ownCalls lists calls that the worker makes itself, and their results.
var ownCalls = []struct {
	init  map[string]string
	shown string
}{
	{map[string]string{"method": "POST", "mode": "no-cors", "credentials": "include", "body": ada}, "opaque"},
	{map[string]string{"method": "GET", "mode": "no-cors", "credentials": "include"}, "opaque"},
	{map[string]string{"method": "GET", "mode": "same-origin"}, "failed"}, // the browser does not send it
	{map[string]string{"method": "GET", "mode": "navigate"}, "failed"},    // scripts cannot set this mode
}

// TestServiceWorker: a call that a service worker repeats is like any other call. A call of the worker without CORS, or a
// navigation that it repeats and that the page's own server redirects to another origin, runs no handler.
func TestServiceWorker(t *testing.T) {
	forEachEngine(t, func(t *testing.T, engine browser.Engine) {
		own := http.NewServeMux()
		own.HandleFunc(awayPath, leadAway)
		own.HandleFunc("/worker.js", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = io.WriteString(w, worker)
		})
		page := pool.PageBeside(t, engine, own)
		var inits []map[string]string
		var answers []string
		for _, c := range ownCalls {
			inits, answers = append(inits, c.init), append(answers, c.shown)
		}
		for _, c := range []struct {
			name, policy, through string
			handled               int32
			arrived               []string
		}{
			{"from a granted page", checklistPolicy, "200 m", 1, []string{"POST cors", "POST no-cors", "GET no-cors", "GET navigate"}},
			{"from another page", strangersPolicy, "failed", 0, []string{"POST no-cors", "GET no-cors", "GET navigate"}},
		} {
			for _, site := range sites {
				t.Run(c.name+"/"+string(site), func(t *testing.T) {
					var handled atomic.Int32
					server := serveAPI(t, newLayer(t, page.Origin, c.policy).Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
						handled.Add(1)
						w.Header().Set("X-Meta", "m")
					})))
					var shown struct {
						Through, Navigated string
						Own                []string
					}
					page.Run(t, callByWorker, map[string]any{
						"url": server.on(site), "away": page.Origin + awayPath + "?to=", "post": greetPath, "get": lookupGet, "body": ada, "own": inits,
					}, &shown)
					if shown.Through != c.through || handled.Load() != c.handled {
						t.Errorf("through the worker: %s, want %s; the handler ran %d times, want %d", shown.Through, c.through, handled.Load(), c.handled)
					}
					if !slices.Equal(shown.Own, answers) || shown.Navigated != "opaqueredirect" {
						t.Errorf("the worker's own calls: %s, want %s; its navigation: %s", shown.Own, answers, shown.Navigated)
					}
					preflights, sent := server.take()
					var arrived []string
					for _, r := range sent {
						arrived = append(arrived, r.Method+" "+r.Header.Get("Sec-Fetch-Mode"))
					}
					if !slices.Equal(arrived, c.arrived) || len(preflights) != 1 {
						t.Fatalf("the server saw %s after %d preflights, want %s after one", arrived, len(preflights), c.arrived)
					}
					last := len(sent) - 1
					assertSite(t, slices.Concat(preflights, sent[:last]), site)
					assertSite(t, sent[last:], site.afterRedirect(engine))
				})
			}
		}
	})
}

// openSocket opens a WebSocket.
const openSocket = `
	return await new Promise((done) => {
		const socket = new WebSocket(args.url.replace("http", "ws"));
		socket.onopen = () => { socket.close(); done("open"); };
		socket.onerror = () => done("failed");
	});
`

// TestWebSocket: an upgrader with layer.CheckOrigin accepts the server's own pages, and pages of origins that are allowed with
// credentials, same-site and cross-site.
func TestWebSocket(t *testing.T) {
	const policy = `
defaults:
  allow_origins: [ORIGIN]
rules:
  - path: /live
    allow_credentials: true
  - path: /plain
`
	forEachEngine(t, func(t *testing.T, engine browser.Engine) {
		var own http.Handler
		page := pool.PageBeside(t, engine, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { own.ServeHTTP(w, r) }))
		serve := func(policy string) http.Handler {
			layer := newLayer(t, page.Origin, policy)
			upgrader := websocket.Upgrader{CheckOrigin: layer.CheckOrigin}
			return layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if conn, err := upgrader.Upgrade(w, r, nil); err == nil {
					_, _, _ = conn.ReadMessage() // returns when the page closes the socket
					_ = conn.Close()
				}
			}))
		}
		own = serve(strings.ReplaceAll(policy, "ORIGIN", "https://app.example.com"))
		granted := serveAPI(t, serve(policy))
		strangers := serveAPI(t, own)
		open := func(what, url, want string) {
			t.Helper()
			var got string
			page.Run(t, openSocket, map[string]string{"url": url}, &got)
			if got != want {
				t.Errorf("%s: %s, want %s", what, got, want)
			}
		}
		for _, site := range sites {
			for _, c := range []struct {
				what   string
				server *api
				path   string
				want   string
			}{
				{"an origin granted with credentials", granted, "/live", "open"},
				{"an origin granted without", granted, "/plain", "failed"},
				{"a path that no rule names", granted, "/elsewhere", "failed"},
				{"another origin", strangers, "/live", "failed"},
			} {
				open(string(site)+", "+c.what, c.server.on(site)+c.path, c.want)
				_, sent := c.server.take()
				if len(sent) != 1 {
					t.Errorf("%s, %s: the server saw %s, want one handshake", site, c.what, describe(sent))
				}
				if engine != browser.Chromium { // Chromium does not send it for handshakes
					assertSite(t, sent, site)
				}
			}
		}
		open("the server's own page", page.Origin+"/live", "open")
		open("the server's own page, a path that no rule names", page.Origin+"/elsewhere", "open")
		open("the server's own page, under another name of the server", strings.Replace(page.Origin, "localhost", "127.0.0.1", 1)+"/live", "failed")
	})
}
