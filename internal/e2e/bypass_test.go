package e2e

import (
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// A bypass is a way for a page to send a request to another origin without a preflight.
type bypass struct {
	name   string
	mode   string // the Sec-Fetch-Mode of the request; empty if the browser sends no request
	script string // sends one request to args.url plus a path
	opaque bool   // the sender has an opaque origin
	led    bool   // the page's own server redirects the request from args.away to the other origin
}

// bypasses lists requests whose response no script can read: the layer must not run a handler for them. The requests in mode
// cors are like calls of a script.
var bypasses = []bypass{
	{
		name: "no-cors POST", mode: "no-cors",
		script: `await fetch(args.url + args.post, {method: "POST", mode: "no-cors", credentials: "include", body: args.body});
			return null`,
	},
	{
		name: "no-cors GET", mode: "no-cors",
		script: `await fetch(args.url + args.get, {mode: "no-cors", credentials: "include"}); return null`,
	},
	{
		name: "image", mode: "no-cors",
		script: `await new Promise((done) => {
				const image = new Image();
				image.onload = image.onerror = done;
				image.src = args.url + args.get;
			});
			return null`,
	},
	{name: "form of text", mode: "navigate", script: sendForm + `await sendForm("POST", "text/plain", args.url + args.post); return null`},
	{name: "form", mode: "navigate", script: sendForm + `await sendForm("POST", "application/x-www-form-urlencoded", args.url + args.post); return null`},
	{name: "form with parts", mode: "navigate", script: sendForm + `await sendForm("POST", "multipart/form-data", args.url + args.post); return null`},
	{name: "form, GET", mode: "navigate", script: sendForm + `await sendForm("GET", "", args.url + args.path); return null`},
	{
		name: "form in a sandbox", mode: "navigate", opaque: true,
		script: `const frame = document.createElement("iframe");
			frame.sandbox = "allow-scripts allow-forms";
			const action = (args.url + args.post).replaceAll('"', "");
			frame.srcdoc = '<form method="POST" enctype="text/plain" action="' + action + '"><input name="a" value="b"></form>' +
				"<script>onload = () => document.forms[0].submit()</" + "script>";
			let loads = 0;
			const answered = new Promise((done) => { frame.onload = () => { if (++loads === 2) done(); }; });
			document.body.append(frame);
			await answered;
			frame.remove();
			return null`,
	},
	{
		name: "link", mode: "navigate",
		script: `const frame = document.createElement("iframe");
			frame.name = "answer" + Math.random();
			document.body.append(frame);
			const link = document.createElement("a");
			Object.assign(link, {href: args.url + args.get, target: frame.name});
			document.body.append(link);
			await new Promise((done) => { frame.onload = () => frame.contentDocument || done(); link.click(); });
			frame.remove();
			link.remove();
			return null`,
	},
	{
		name: "frame", mode: "navigate",
		script: `const frame = document.createElement("iframe");
			frame.src = args.url + args.get;
			await new Promise((done) => { frame.onload = done; document.body.append(frame); });
			frame.remove();
			return null`,
	},
	{
		name: "script", mode: "no-cors",
		script: `await new Promise((done) => {
				const script = document.createElement("script");
				script.onload = script.onerror = done;
				script.src = args.url + args.get;
				document.head.append(script);
			});
			return null`,
	},
	{
		name: "style sheet", mode: "no-cors",
		script: `await new Promise((done) => {
				const link = document.createElement("link");
				Object.assign(link, {rel: "stylesheet", href: args.url + args.get, onload: done, onerror: done});
				document.head.append(link);
			});
			return null`,
	},
	{
		name: "video", mode: "no-cors",
		script: `await new Promise((done) => {
				const video = document.createElement("video");
				video.onerror = done;
				video.src = args.url + args.get;
				document.body.append(video);
			});
			return null`,
	},
	{
		name: "beacon", mode: "no-cors",
		script: `navigator.sendBeacon(args.url + args.post, args.body); return null`,
	},
	{
		name: "event source", mode: "cors",
		script: `await new Promise((done) => {
				const source = new EventSource(args.url + args.get);
				source.onerror = () => { source.close(); done(); };
			});
			return null`,
	},
	{
		name: "image with crossorigin", mode: "cors",
		script: `await new Promise((done) => {
				const image = new Image();
				image.crossOrigin = "anonymous";
				image.onload = image.onerror = done;
				image.src = args.url + args.get;
			});
			return null`,
	},
	{
		name: "module script", mode: "cors",
		script: `await import(args.url + args.get).catch(() => {}); return null`,
	},
	{
		name: "XMLHttpRequest of text", mode: "cors",
		script: `await new Promise((done) => {
				const request = new XMLHttpRequest();
				request.onloadend = done;
				request.open("POST", args.url + args.post);
				request.send(args.body);
			});
			return null`,
	},
	{
		name: "sandboxed frame, without a preflight", mode: "cors", opaque: true,
		script: `const frame = document.createElement("iframe");
			frame.sandbox = "allow-scripts";
			const url = JSON.stringify(args.url + args.get);
			frame.srcdoc = "<script>fetch(" + url + ").then(() => 'read', () => 'refused').then((m) => parent.postMessage(m, '*'))</" + "script>";
			const answer = new Promise((done) => addEventListener("message", (e) => done(e.data), {once: true}));
			document.body.append(frame);
			const got = await answer;
			frame.remove();
			if (got !== "refused") throw new Error("the frame could read the answer");
			return null`,
	},
	{
		name: "GET by a script", mode: "cors",
		script: `await fetch(args.url + args.get).catch(() => {}); return null`,
	},
	{
		name: "POST of text by a script", mode: "cors",
		script: `await fetch(args.url + args.post, {method: "POST", body: args.body}).catch(() => {}); return null`,
	},
	{
		name: "no-cors GET of a worker", mode: "no-cors",
		script: inWorker + `await inWorker("fetch(args.url + args.get, {mode: 'no-cors', credentials: 'include'})", args); return null`,
	},
	{
		name: "no-cors POST of a worker", mode: "no-cors",
		script: inWorker + `await inWorker("fetch(args.url + args.post, {method: 'POST', mode: 'no-cors', credentials: 'include', body: args.body})", args);
			return null`,
	},
	{
		name: "GET of a worker", mode: "cors",
		script: inWorker + `await inWorker("fetch(args.url + args.get)", args); return null`,
	},
	{
		name: "script of a worker", mode: "no-cors",
		script: inWorker + `await inWorker("importScripts(args.url + args.get)", args); return null`,
	},
	{
		name: "frame that the page's own server leads away", mode: "navigate", led: true,
		script: `const frame = document.createElement("iframe");
			frame.src = args.away + encodeURIComponent(args.url + args.get);
			await new Promise((done) => { frame.onload = done; document.body.append(frame); });
			frame.remove();
			return null`,
	},
	{
		name: "form that the page's own server leads away", mode: "navigate", led: true,
		script: sendForm + `await sendForm("POST", "text/plain", args.away + encodeURIComponent(args.url + args.post)); return null`,
	},
	{
		name: "image that the page's own server leads away", mode: "no-cors", led: true,
		script: `await new Promise((done) => {
				const image = new Image();
				image.onload = image.onerror = done;
				image.src = args.away + encodeURIComponent(args.url + args.get);
			});
			return null`,
	},
	// The browser refuses to send these.
	{name: "same-origin GET", script: notSent + `await notSent(args.url + args.get, {mode: "same-origin"}); return null`},
	{
		name:   "same-origin POST",
		script: notSent + `await notSent(args.url + args.post, {method: "POST", mode: "same-origin", body: args.body}); return null`,
	},
	{
		name:   "same-origin GET that the page's own server leads away",
		script: notSent + `await notSent(args.away + encodeURIComponent(args.url + args.get), {mode: "same-origin"}); return null`,
	},
	{name: "navigate", script: notSent + `await notSent(args.url + args.get, {mode: "navigate"}); return null`},
	{
		name: "worker of another origin",
		script: `await new Promise((done) => {
				try {
					new Worker(args.url + args.get).onerror = done;
				} catch {
					done();
				}
			});
			return null`,
	},
}

// sendForm submits a form into a frame.
const sendForm = `const sendForm = async (method, enctype, action) => {
		const frame = document.createElement("iframe");
		frame.name = "answer" + Math.random();
		const form = document.createElement("form");
		Object.assign(form, {method, enctype, target: frame.name, action});
		const field = document.createElement("input");
		Object.assign(field, {name: '{"name":"', value: 'Ada"}'});
		form.append(field);
		document.body.append(frame, form);
		await new Promise((done) => { frame.onload = () => frame.contentDocument || done(); form.submit(); });
		frame.remove();
		form.remove();
	};
`

// inWorker evaluates an expression of args in a worker of the page's origin, and ignores errors.
const inWorker = `const inWorker = async (expression, args) => {
		const script = "onmessage = async ({data: args}) => { try { await " + expression + " } catch { } postMessage(null); }";
		const worker = new Worker(URL.createObjectURL(new Blob([script], {type: "text/javascript"})));
		await new Promise((done) => { worker.onmessage = done; worker.postMessage(args); });
		worker.terminate();
	};
`

// notSent asserts that fetch fails.
const notSent = `const notSent = async (url, init) => {
		const type = await fetch(url, init).then((response) => response.type, () => "failed");
		if (type !== "failed") throw new Error("the answer is " + type);
	};
`

// TestNothingRunsThatWasNotAskedFor: no bypass runs a handler, from an allowed page and from another page, to a same-site and to
// a cross-site server. The exceptions are requests in mode cors of an allowed page.
func TestNothingRunsThatWasNotAskedFor(t *testing.T) {
	forEachEngine(t, func(t *testing.T, engine browser.Engine) {
		page := pool.PageBeside(t, engine, http.HandlerFunc(leadAway))
		warmUp(t, page)
		setCookie(t, page)
		for _, origin := range []struct {
			name, policy string
			granted      bool
		}{
			{"from a granted page", checklistPolicy, true},
			{"from another page", strangersPolicy, false},
		} {
			for _, site := range sites {
				for _, b := range bypasses {
					t.Run(origin.name+"/"+string(site)+"/"+b.name, func(t *testing.T) { b.test(t, page, site, origin.policy, origin.granted) })
				}
			}
		}
	})
}

func (b bypass) test(t *testing.T, page *browser.Page, site site, policy string, granted bool) {
	t.Helper()
	var handled atomic.Int32
	layer := newLayer(t, page.Origin, policy).Wrap(http.HandlerFunc(
		func(http.ResponseWriter, *http.Request) { handled.Add(1) }))
	answered := make(chan struct{}, 16)
	server := serveAPI(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		layer.ServeHTTP(w, r)
		answered <- struct{}{}
	}))
	page.Run(t, b.script, map[string]string{
		"url": server.on(site), "away": page.Origin + awayPath + "?to=", "get": lookupGet, "path": lookupPath, "post": greetPath, "body": ada,
	}, nil)
	arrive := 0
	if b.mode != "" {
		arrive = 1
		select {
		case <-answered: // a script cannot wait for the end of a beacon
		case <-time.After(30 * time.Second):
			t.Fatal("nothing was sent")
		}
	}
	preflights, sent := server.take()
	if len(preflights) != 0 || len(sent) != arrive {
		t.Errorf("the server saw %s, want %d requests without a preflight", describe(slices.Concat(preflights, sent)), arrive)
	}
	switch {
	case b.opaque:
		site = crossSite
	case b.led:
		site = site.afterRedirect(page.Engine)
	}
	assertSite(t, sent, site)
	for _, r := range sent {
		if got := r.Header.Get("Sec-Fetch-Mode"); got != b.mode {
			t.Errorf("it arrived with Sec-Fetch-Mode %q, want %q", got, b.mode)
		}
	}
	// A request of an allowed page in mode cors is an ordinary call.
	if got, want := handled.Load() == 1, b.mode == "cors" && !b.opaque && granted; got != want {
		t.Errorf("the handler ran: %t, want %t", got, want)
	}
}

// awayPath is a path of the page's own server, which redirects to the URL in the query, with the same method.
const awayPath = "/away"

// leadAway is the handler of awayPath.
func leadAway(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != awayPath {
		http.NotFound(w, r)
		return
	}
	http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusTemporaryRedirect)
}
