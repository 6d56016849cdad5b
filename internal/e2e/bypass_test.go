package e2e

import (
	"net/http"
	"slices"
	"sync/atomic"
	"testing"

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
	{
		name: "form",
		script: `const frame = document.createElement("iframe");
			frame.name = "answer" + Math.random();
			const form = document.createElement("form");
			Object.assign(form, {method: "POST", enctype: "text/plain", target: frame.name, action: args.url + args.post});
			const field = document.createElement("input");
			Object.assign(field, {name: '{"name":"', value: 'Ada"}'});
			form.append(field);
			document.body.append(frame, form);
			await new Promise((done) => { frame.onload = () => frame.contentDocument || done(); form.submit(); });
			frame.remove();
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
					server := serveAPI(t, newLayer(t, page.Origin, origin.policy).Wrap(http.HandlerFunc(
						func(http.ResponseWriter, *http.Request) { handled.Add(1) })))
					page.Run(t, b.script, map[string]string{"url": server.URL, "get": lookupGet, "post": greetPath, "body": ada}, nil)
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
