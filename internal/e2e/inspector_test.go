package e2e

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

const inspectedPolicy = `
defaults:
  allow_origins: [ORIGIN]
rules:
  - selector: showcase.v1.ShowcaseService
    allow_credentials: true
  - path: /files/
    expose_headers: [x-meta]
`

// newInspected returns a layer with the policy, and its inspector.
func newInspected(t *testing.T, origin string) (*corsrpc.Layer, *corsinspect.Inspector) {
	t.Helper()
	inspector, err := corsinspect.New()
	if err != nil {
		t.Fatal(err)
	}
	return newLayer(t, origin, inspectedPolicy, corsrpc.WithObserver(inspector)), inspector
}

// tryInInspector opens the inspector in a frame of a small phone's width, submits its form, and reads the page.
const tryInInspector = `
	const frame = document.createElement("iframe");
	frame.width = 360;
	frame.height = 740;
	frame.style.border = "0";
	frame.src = "/inspector/";
	document.body.append(frame);
	const loaded = () => new Promise((done) => { frame.onload = done; });
	await loaded();
	const form = frame.contentDocument.querySelector("form");
	for (const [name, value] of Object.entries(args.fields)) form.elements[name].value = value;
	form.elements.credentials.checked = args.credentials;
	const next = loaded();
	form.querySelector("button").click();
	await next;
	const page = frame.contentDocument;
	for (const details of page.querySelectorAll("details")) details.open = true;
	const text = (id) => page.getElementById(id)?.textContent ?? "";
	const style = frame.contentWindow.getComputedStyle(page.body);
	const shown = {
		Verdict: text("verdict"),
		Problem: text("problem"),
		Readable: text("readable"),
		Exchanges: [...page.querySelectorAll("h3")].map((e) => e.textContent),
		Refusals: [...page.querySelectorAll("#refusals ~ .wide tbody tr")].slice(0, 3).map((row) => [...row.cells].slice(0, 4).map((c) => c.innerText.trim().replace(/\s+/g, " ")).join(" | ")),
		Remedies: [...page.querySelectorAll("#refusals ~ .wide tr.remedy")].slice(0, 3).map((row) => row.innerText.trim().replace(/\s+/g, " ")),
		Cut: [...page.querySelectorAll(".wide")].filter((e) => e.scrollWidth > e.clientWidth).length,
		Overflow: page.documentElement.scrollWidth - frame.contentWindow.innerWidth,
		Styled: style.maxWidth !== "none" && style.backgroundColor !== "rgba(0, 0, 0, 0)",
		Background: style.backgroundColor,
		Scripts: page.scripts.length,
	};
	frame.remove();
	return shown;
`

// fetchSame makes the same call with fetch.
const fetchSame = `
	try {
		const response = await fetch(args.url, {
			method: args.fields.method, credentials: args.credentials ? "include" : "omit",
			headers: args.fields.headers ? args.fields.headers.split("\n").map((line) => line.split(": ")) : [],
		});
		return {Readable: true, Names: [...response.headers.keys()].sort()};
	} catch (e) {
		return {Readable: false, Names: []};
	}
`

// TestInspector: the inspector's form predicts what the same browser does with a call. The page shows the refusals, is
// styled under its own Content-Security-Policy, has no script, and fits on a small phone.
func TestInspector(t *testing.T) {
	forEachEngine(t, func(t *testing.T, engine browser.Engine) {
		var inspector http.Handler
		site := http.NewServeMux()
		site.HandleFunc("/inspector/", func(w http.ResponseWriter, r *http.Request) {
			recorded := httptest.NewRecorder()
			inspector.ServeHTTP(recorded, r)
			for name, values := range recorded.Header() {
				w.Header()[name] = values
			}
			// The test reads the page in a frame, which the inspector's policy refuses.
			w.Header().Set("Content-Security-Policy", strings.Replace(recorded.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'", "frame-ancestors 'self'", 1))
			w.WriteHeader(recorded.Code)
			_, _ = recorded.Body.WriteTo(w)
		})
		page := pool.PageBeside(t, engine, site)
		layer, inspected := newInspected(t, page.Origin)
		inspector = inspected
		server := serveAPI(t, layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("X-Meta", "m")
			w.Header().Set("Trailer-X-Cost", "7")
		})))
		setCookie(t, page)

		const connect = "Content-Type: application/json\nConnect-Protocol-Version: 1"
		for _, c := range []struct {
			name, target, path, method, headers string
			credentials                         bool
			verdict                             string // a prefix of the verdict
			exchanges                           []string
		}{
			{"a granted call", "showcase.v1.ShowcaseService.Greet", greetPath, "POST", connect, true, "the script can read", []string{"The preflight: 204", "The call"}},
			{"a header that is not granted", "showcase.v1.ShowcaseService.Greet", greetPath, "POST", connect + "\nX-Tenant: 7", false,
				"the browser does not send the call, and the script gets a network error: x-tenant is not granted; the server needs to send Access-Control-Allow-Headers: ", []string{"The preflight: 204"}},
			{"a path", "/files/a", "/files/a", "GET", "", false, "the script can read", []string{"The call"}},
			{"a path, with cookies", "/files/a", "/files/a", "GET", "", true, "the script gets a network error: the call carries credentials", []string{"The call"}},
			{"a path that no rule names", "/elsewhere", "/elsewhere", "GET", "", false, "the script gets a network error: the response has no Access-Control-Allow-Origin", []string{"The call"}},
		} {
			fields := map[string]string{
				"origin": page.Origin, "server": server.URL, "target": c.target, "method": c.method, "headers": c.headers,
				"response": "Content-Type: application/json\nX-Meta: m\nTrailer-X-Cost: 7\nContent-Length: 0",
			}
			args := map[string]any{"fields": fields, "credentials": c.credentials, "url": server.URL + c.path}
			var shown struct {
				Verdict, Problem, Readable, Background string
				Exchanges, Refusals, Remedies          []string
				Overflow, Cut, Scripts                 int
				Styled                                 bool
			}
			page.Run(t, tryInInspector, args, &shown)
			var fetched struct {
				Readable bool
				Names    []string
			}
			page.Run(t, fetchSame, args, &fetched)
			if shown.Problem != "" || !strings.HasPrefix(shown.Verdict, c.verdict) || !slices.Equal(shown.Exchanges, c.exchanges) {
				t.Errorf("%s: %s%q %q", c.name, shown.Problem, shown.Verdict, shown.Exchanges)
			}
			if names := strings.Join(fetched.Names, ", "); fetched.Readable != strings.HasPrefix(shown.Verdict, "the script can read") || shown.Readable != names {
				t.Errorf("%s: the inspector lists %q as readable, and the script reads %q", c.name, shown.Readable, names)
			}
			if shown.Overflow > 0 || shown.Cut > 0 || !shown.Styled || shown.Scripts != 0 {
				t.Errorf("%s: %d px too wide; %d tables cut off; styled %t (%s); %d scripts", c.name, shown.Overflow, shown.Cut, shown.Styled, shown.Background, shown.Scripts)
			}
			if c.exchanges[0] == "The call" || c.name == "a granted call" {
				continue
			}
			// The page shows the refusal of the call that fetchSame made.
			page.Run(t, tryInInspector, args, &shown)
			if want := "1 | HEADERS_NOT_GRANTED preflight the origin is allowed, but not every header that the preflight asks for is granted: x-tenant | showcase.v1.ShowcaseService.Greet | " + page.Origin; len(shown.Refusals) == 0 || shown.Refusals[0] != want {
				t.Errorf("refusals: %q, want %q", shown.Refusals, want)
			}
			if len(shown.Remedies) == 0 || !strings.HasPrefix(shown.Remedies[0], "Remedy: write allow_headers: [x-tenant] in ") || !strings.HasSuffix(shown.Remedies[0], "Try this request") {
				t.Errorf("remedies: %q", shown.Remedies)
			}
		}
	})
}

// readElsewhere tries to read the inspector from a page of another origin.
const readElsewhere = `
	const outcomes = {};
	const attempt = async (name, f) => { try { outcomes[name] = String(await f()); } catch { outcomes[name] = "failed"; } };
	await attempt("fetch", async () => (await (await fetch(args.url)).text()).length);
	await attempt("fetch with credentials", async () => (await (await fetch(args.url, {credentials: "include"})).text()).length);
	await attempt("fetch without CORS", async () => (await (await fetch(args.url, {mode: "no-cors"})).text()).length);
	await attempt("image", () => new Promise((done) => { const i = new Image(); i.onload = () => done("loaded"); i.onerror = () => done("failed"); i.src = args.url; }));
	await attempt("script", () => new Promise((done) => { const s = document.createElement("script"); s.onload = () => done("loaded"); s.onerror = () => done("failed"); s.src = args.url; document.head.append(s); }));
	await attempt("frame", () => new Promise((done) => {
		const f = document.createElement("iframe");
		f.onload = () => { let read = "opaque"; try { read = f.contentWindow.document.title || "empty"; } catch { } f.remove(); done(read); };
		f.src = args.url;
		document.body.append(f);
	}));
	return outcomes;
`

// TestInspectorFromElsewhere: a page of another origin, same-site or cross-site, cannot read the inspector with fetch, an
// image, a script or a frame. The inspector refuses each of the requests.
func TestInspectorFromElsewhere(t *testing.T) {
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		for _, site := range sites {
			t.Run(string(site), func(t *testing.T) {
				_, inspector := newInspected(t, page.Origin)
				var answered, refused atomic.Int32
				server := serveAPI(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					recorded := httptest.NewRecorder()
					inspector.ServeHTTP(recorded, r)
					if recorded.Code == http.StatusForbidden && !strings.Contains(recorded.Body.String(), page.Origin) {
						refused.Add(1)
					} else {
						answered.Add(1)
					}
					inspector.ServeHTTP(w, r)
				}))
				var outcomes map[string]string
				page.Run(t, readElsewhere, map[string]string{"url": server.on(site)}, &outcomes)
				want := map[string][]string{
					"fetch": {"failed"}, "fetch with credentials": {"failed"}, "fetch without CORS": {"0", "failed"},
					"image": {"failed"}, "script": {"failed"}, "frame": {"opaque"},
				}
				for name, allowed := range want {
					if !slices.Contains(allowed, outcomes[name]) {
						t.Errorf("%s: %s", name, outcomes[name])
					}
				}
				if answered.Load() != 0 || refused.Load() < int32(len(want)) {
					t.Errorf("%d answered, %d refused", answered.Load(), refused.Load())
				}
				_, sent := server.take()
				assertSite(t, sent, site)
			})
		}
	})
}
