package e2e

import (
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// The ways of a page to make a browser send something to another origin
// without asking. None of them lets a script read the answer; the layer has
// to see to it that nothing runs either.
var bypasses = []struct {
	name   string
	script string // sends one request to args.url, in which the procedure is still to be put
	cors   bool   // whether a granted page gets through: it is a call like any other
}{
	{
		name: "no-cors POST",
		script: `await fetch(args.url + args.post, {method: "POST", mode: "no-cors", credentials: "include", body: args.body});
			return null`,
	},
	{
		name:   "no-cors GET",
		script: `await fetch(args.url + args.get, {mode: "no-cors", credentials: "include"}); return null`,
	},
	{
		name: "image",
		script: `await new Promise((done) => {
				const image = new Image();
				image.onload = image.onerror = done;
				image.src = args.url + args.get;
			});
			return null`,
	},
	{name: "form of text", script: sendForm + `await sendForm("POST", "text/plain", args.url + args.post); return null`},
	{name: "form", script: sendForm + `await sendForm("POST", "application/x-www-form-urlencoded", args.url + args.post); return null`},
	{name: "form with parts", script: sendForm + `await sendForm("POST", "multipart/form-data", args.url + args.post); return null`},
	{name: "form, GET", script: sendForm + `await sendForm("GET", "", args.url + args.path); return null`},
	{
		name: "form in a sandbox",
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
		name: "link",
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
		name: "frame",
		script: `const frame = document.createElement("iframe");
			frame.src = args.url + args.get;
			await new Promise((done) => { frame.onload = done; document.body.append(frame); });
			frame.remove();
			return null`,
	},
	{
		name: "script",
		script: `await new Promise((done) => {
				const script = document.createElement("script");
				script.onload = script.onerror = done;
				script.src = args.url + args.get;
				document.head.append(script);
			});
			return null`,
	},
	{
		name: "style sheet",
		script: `await new Promise((done) => {
				const link = document.createElement("link");
				Object.assign(link, {rel: "stylesheet", href: args.url + args.get, onload: done, onerror: done});
				document.head.append(link);
			});
			return null`,
	},
	{
		name: "video",
		script: `await new Promise((done) => {
				const video = document.createElement("video");
				video.onerror = done;
				video.src = args.url + args.get;
				document.body.append(video);
			});
			return null`,
	},
	{
		name:   "beacon",
		script: `navigator.sendBeacon(args.url + args.post, args.body); return null`,
	},
	{
		name: "event source",
		cors: true,
		script: `await new Promise((done) => {
				const source = new EventSource(args.url + args.get);
				source.onerror = () => { source.close(); done(); };
			});
			return null`,
	},
	{
		name: "image with crossorigin",
		cors: true,
		script: `await new Promise((done) => {
				const image = new Image();
				image.crossOrigin = "anonymous";
				image.onload = image.onerror = done;
				image.src = args.url + args.get;
			});
			return null`,
	},
	{
		name:   "module script",
		cors:   true,
		script: `await import(args.url + args.get).catch(() => {}); return null`,
	},
	{
		name: "XMLHttpRequest of text",
		cors: true,
		script: `await new Promise((done) => {
				const request = new XMLHttpRequest();
				request.onloadend = done;
				request.open("POST", args.url + args.post);
				request.send(args.body);
			});
			return null`,
	},
	{
		name: "sandboxed frame, without a preflight",
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
		name:   "GET by a script",
		cors:   true,
		script: `await fetch(args.url + args.get).catch(() => {}); return null`,
	},
	{
		name:   "POST of text by a script",
		cors:   true,
		script: `await fetch(args.url + args.post, {method: "POST", body: args.body}).catch(() => {}); return null`,
	},
}

// sendForm submits a form, whose answer a frame shows.
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

// TestNothingRunsThatWasNotAskedFor sends such requests from a page that is granted and from one that is not.
func TestNothingRunsThatWasNotAskedFor(t *testing.T) {
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		setCookie(t, page)
		for _, origin := range []struct {
			name, policy string
			granted      bool
		}{
			{"from a granted page", checklistPolicy, true},
			{"from another page", strangersPolicy, false},
		} {
			for _, b := range bypasses {
				t.Run(origin.name+"/"+b.name, func(t *testing.T) {
					var handled atomic.Int32
					layer := newLayer(t, page.Origin, origin.policy).Wrap(http.HandlerFunc(
						func(http.ResponseWriter, *http.Request) { handled.Add(1) }))
					answered := make(chan struct{}, 16)
					server := serveAPI(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						layer.ServeHTTP(w, r)
						answered <- struct{}{}
					}))
					page.Run(t, b.script, map[string]string{"url": server.URL, "get": lookupGet, "path": lookupPath, "post": greetPath, "body": ada}, nil)
					select {
					case <-answered: // a beacon has no end that a script sees
					case <-time.After(30 * time.Second):
						t.Fatal("nothing was sent")
					}
					preflights, sent := server.take()
					if len(preflights) != 0 || len(sent) != 1 {
						t.Errorf("the server saw %s, want one request without a preflight", describe(slices.Concat(preflights, sent)))
					}
					if got, want := handled.Load() == 1, b.cors && origin.granted; got != want {
						t.Errorf("the handler ran: %t, want %t", got, want)
					}
				})
			}
		}
	})
}
