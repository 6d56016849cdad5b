package e2e

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// staticScript is a file of the server, and staticIntegrity its hash.
const staticScript = "window.loaded = true"

var staticIntegrity = func() string {
	sum := sha256.Sum256([]byte(staticScript))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}()

// otherMechanismsPolicy allows the page to call the procedures and to load the files below /static/.
const otherMechanismsPolicy = `
defaults: {allow_origins: [ORIGIN]}
rules: [{path: /static/}]
`

// The scripts that a frame of the page runs. Each returns whether it got what it asked for.
const (
	callInFrame = `return (await fetch(args.url + args.rpc, {method: "POST", headers: {"content-type": "application/json"}, body: "{}"})).ok`
	// loadInFrame adds a script with the attributes args.attributes.
	loadInFrame = `await new Promise((done, fail) => {
			const script = document.createElement("script");
			Object.assign(script, {src: args.url + args.path, onload: done, onerror: () => fail(new Error("not loaded"))}, args.attributes);
			document.head.append(script);
		});
		return window.loaded === true`
	// inFrame runs args.script in a frame whose response has the header fields of the case.
	inFrame = `const frame = document.createElement("iframe");
		frame.src = args.frame;
		await new Promise((done) => { frame.onload = done; document.body.append(frame); });
		const Run = frame.contentWindow.eval("(async () => {}).constructor");
		try { return await new Run("args", args.script)(args); } catch (e) { return false; } finally { frame.remove(); }`
)

// TestOtherMechanisms: what a page's own header fields and attributes do to its calls, as docs/other-mechanisms.md says.
func TestOtherMechanisms(t *testing.T) {
	forEachEngine(t, func(t *testing.T, engine browser.Engine) {
		var field atomic.Pointer[[2]string] // of the frame; set before each visit
		page := pool.PageBeside(t, engine, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Cache-Control", "no-store")
			if f := field.Load(); f[0] != "" {
				w.Header().Set(f[0], f[1])
			}
			_, _ = io.WriteString(w, "<!doctype html>")
		}))
		warmUp(t, page)
		integrity := map[string]string{"integrity": staticIntegrity}
		withCORS := map[string]string{"integrity": staticIntegrity, "crossOrigin": "anonymous"}
		changed := map[string]string{"integrity": "sha256-" + base64.StdEncoding.EncodeToString(make([]byte, 32)), "crossOrigin": "anonymous"}
		for _, c := range []struct {
			name, script, path string
			attributes         map[string]string
			field              [2]string
			works              bool
			sent               bool // anything, a preflight too
		}{
			{name: "a call", script: callInFrame, works: true, sent: true},
			{name: "connect-src without the server", script: callInFrame, field: [2]string{"Content-Security-Policy", "connect-src 'self'"}},
			{name: "default-src without the server", script: callInFrame, field: [2]string{"Content-Security-Policy", "default-src 'self' 'unsafe-eval'"}},
			{name: "COEP", script: callInFrame, field: [2]string{"Cross-Origin-Embedder-Policy", "require-corp"}, works: true, sent: true},
			{name: "no referrer", script: callInFrame, field: [2]string{"Referrer-Policy", "no-referrer"}, works: true, sent: true},
			{name: "a script", script: loadInFrame, path: "/static/a.js", works: true, sent: true},
			{name: "a script, COEP", script: loadInFrame, path: "/static/a.js", field: [2]string{"Cross-Origin-Embedder-Policy", "require-corp"}, sent: true},
			{name: "a script with crossorigin, COEP", script: loadInFrame, path: "/static/a.js", attributes: withCORS, field: [2]string{"Cross-Origin-Embedder-Policy", "require-corp"}, works: true, sent: true},
			{name: "integrity and crossorigin", script: loadInFrame, path: "/static/a.js", attributes: withCORS, works: true, sent: true},
			{name: "integrity of another file", script: loadInFrame, path: "/static/a.js", attributes: changed, sent: true},
			{name: "integrity without crossorigin", script: loadInFrame, path: "/static/a.js", attributes: integrity, sent: true},
			{name: "crossorigin, on a path without a rule", script: loadInFrame, path: "/elsewhere/a.js", attributes: withCORS, sent: true},
		} {
			t.Run(c.name, func(t *testing.T) {
				server := serveAPI(t, newLayer(t, page.Origin, otherMechanismsPolicy).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodPost {
						w.Header().Set("Content-Type", "application/json")
						_, _ = io.WriteString(w, "{}")
						return
					}
					w.Header().Set("Content-Type", "text/javascript")
					_, _ = io.WriteString(w, staticScript)
				})))
				field.Store(&c.field)
				var works bool
				page.Run(t, inFrame, map[string]any{
					"frame": page.Origin + "/frame", "script": c.script, "url": server.URL, "rpc": greetPath, "path": c.path, "attributes": c.attributes,
				}, &works)
				preflights, sent := server.take()
				if works != c.works || (len(preflights)+len(sent) > 0) != c.sent {
					t.Errorf("it works: %t, want %t; the server saw %s and %s", works, c.works, describe(preflights), describe(sent))
				}
			})
		}
	})
}
