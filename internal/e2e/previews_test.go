package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// callAsPreview opens a page of args.host, whose origin is args.origin, in a frame, calls args.url from there, and returns the status, or 0 if the call is
// blocked.
const callAsPreview = `
	const frame = document.createElement("iframe");
	frame.src = "http://" + args.host + "/preview?call=" + encodeURIComponent(args.url);
	const answer = new Promise((done) => addEventListener("message", (event) => event.origin === args.origin && done(event.data)));
	document.body.append(frame);
	const status = await answer;
	frame.remove();
	return status;
`

// previewPage calls the URL in its query, and sends the status to the page around it.
const previewPage = `<!doctype html><script>
	fetch(new URLSearchParams(location.search).get("call"), {method: "POST", headers: {"Content-Type": "application/json"}, body: "{}"})
		.then((response) => response.status, () => 0)
		.then((status) => parent.postMessage(status, "*"));
</script>`

// TestPreviews: a star within the first label matches the pages of previews, and no page of another host. All three browsers
// resolve hosts below localhost to the loopback address.
func TestPreviews(t *testing.T) {
	site := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(previewPage))
	})
	forEachEngine(t, func(t *testing.T, engine browser.Engine) {
		page := pool.PageBeside(t, engine, site)
		warmUp(t, page)
		at, err := url.Parse(page.Origin)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			pattern, host string
			status        int
		}{
			{"http://pr-*.localhost:*", "pr-1.localhost", 200},
			{"http://pr-*.localhost:*", "PR-1.localhost", 200}, // browsers send it in lower case
			{"http://pr-*.localhost:*", "pr-.localhost", 0},
			{"http://pr-*.localhost:*", "my-pr-1.localhost", 0},
			{"http://pr-*.localhost:*", "pr-1.evil.localhost", 0},
			{"http://pr-*.localhost:*", "evil.pr-1.localhost", 0},
			{"http://pr-*.localhost:*", "localhost", 0},
			{"http://*--shop.localhost:PORT", "pr-1--shop.localhost", 200},
			{"http://*--shop.localhost:PORT", "pr-1--shop.evil.localhost", 0},
			{"http://*--shop.localhost:1", "pr-1--shop.localhost", 0},
		} {
			t.Run(c.pattern+"/"+c.host, func(t *testing.T) {
				pattern := strings.ReplaceAll(c.pattern, "PORT", at.Port())
				server := serveAPI(t, newLayer(t, pattern, `defaults: {allow_origins: ["ORIGIN"]}`).Wrap(showcaseV1()))
				var status int
				page.Run(t, callAsPreview, map[string]string{"origin": "http://" + strings.ToLower(c.host) + ":" + at.Port(), "host": c.host + ":" + at.Port(), "url": server.URL + greetPath}, &status)
				if status != c.status {
					t.Errorf("a page of %s reads the status %d, want %d", c.host, status, c.status)
				}
			})
		}
	})
}
