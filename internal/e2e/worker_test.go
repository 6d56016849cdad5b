package e2e

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// worker is a service worker that makes the page's calls to other origins anew, and those that it is told to.
const worker = `
	addEventListener("install", () => skipWaiting());
	addEventListener("activate", (event) => event.waitUntil(clients.claim()));
	addEventListener("fetch", (event) => {
		if (!event.request.url.startsWith(location.origin)) event.respondWith(fetch(event.request));
	});
	addEventListener("message", async (event) => {
		const answer = await fetch(event.data.url, event.data.init).then((r) => r.type, () => "failed");
		event.ports[0].postMessage(answer);
	});
`

// callByWorker makes a call through the worker, and one that the worker makes by itself.
const callByWorker = `
	await navigator.serviceWorker.register("/worker.js");
	const worker = (await navigator.serviceWorker.ready).active;
	if (!navigator.serviceWorker.controller)
		await new Promise((done) => navigator.serviceWorker.addEventListener("controllerchange", done, {once: true}));
	const shown = {};
	try {
		const response = await fetch(args.url + args.post, {method: "POST", headers: {"Content-Type": "application/json", "Connect-Protocol-Version": "1"}, body: args.body});
		shown.Through = response.status + " " + response.headers.get("X-Meta");
	} catch { shown.Through = "failed"; }
	const channel = new MessageChannel();
	const answer = new Promise((done) => { channel.port1.onmessage = (event) => done(event.data); });
	worker.postMessage({url: args.url + args.post, init: {method: "POST", mode: "no-cors", credentials: "include", body: args.body}}, [channel.port2]);
	shown.Own = await answer;
	return shown;
`

// TestServiceWorker: a call that a page's service worker passes on is a call like any other, and what a worker sends
// without CORS runs nothing. The three engines have service workers.
func TestServiceWorker(t *testing.T) {
	forEachEngine(t, func(t *testing.T, engine browser.Engine) {
		site := http.NewServeMux()
		site.HandleFunc("/worker.js", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = io.WriteString(w, worker)
		})
		page := pool.PageBeside(t, engine, site)
		for _, c := range []struct {
			name, policy, through string
			handled               int32
		}{
			{"from a granted page", checklistPolicy, "200 m", 1},
			{"from another page", strangersPolicy, "failed", 0},
		} {
			t.Run(c.name, func(t *testing.T) {
				var handled atomic.Int32
				server := serveAPI(t, newLayer(t, page.Origin, c.policy).Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					handled.Add(1)
					w.Header().Set("X-Meta", "m")
				})))
				var shown struct{ Through, Own string }
				page.Run(t, callByWorker, map[string]string{"url": server.URL, "post": greetPath, "body": ada}, &shown)
				if shown.Through != c.through || handled.Load() != c.handled {
					t.Errorf("through the worker: %s, want %s; the handler ran %d times, want %d", shown.Through, c.through, handled.Load(), c.handled)
				}
				if shown.Own != "opaque" {
					t.Errorf("the worker's own request: %s", shown.Own)
				}
				_, sent := server.take()
				if n := len(sent); n == 0 || sent[n-1].Header.Get("Sec-Fetch-Mode") != "no-cors" {
					t.Errorf("the server saw %s", describe(sent))
				}
			})
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

// TestWebSocket: an upgrader with layer.CheckOrigin serves the server's own pages, and those of origins granted with
// credentials.
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
					_, _, _ = conn.ReadMessage() // until the page closes it
					_ = conn.Close()
				}
			}))
		}
		own = serve(strings.ReplaceAll(policy, "ORIGIN", "https://app.example.com"))
		granted := serveAPI(t, serve(policy))
		strangers := serveAPI(t, own)
		for _, c := range []struct{ name, url, want string }{
			{"an origin granted with credentials", granted.URL + "/live", "open"},
			{"an origin granted without", granted.URL + "/plain", "failed"},
			{"a path that no rule names", granted.URL + "/elsewhere", "failed"},
			{"another origin", strangers.URL + "/live", "failed"},
			{"the server's own page", page.Origin + "/live", "open"},
			{"the server's own page, a path that no rule names", page.Origin + "/elsewhere", "open"},
		} {
			var got string
			page.Run(t, openSocket, map[string]string{"url": c.url}, &got)
			if got != c.want {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
		}
	})
}
