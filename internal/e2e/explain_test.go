package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

const explainedPolicy = `
defaults:
  allow_origins: [https://app.example.com]
rules:
  - selector: showcase.v1.ShowcaseService
    allow_origins: [ORIGIN]
`

// explained lists calls of a script, and the explanation in the last response that its browser gets. PAGE is the page's
// origin.
var explained = []struct {
	name, path string
	init       fetchInit
	preflight  bool // the last response is to a preflight
	status     int
	remedy     string
	silent     bool // the response has no body
}{
	{
		name: "an origin, preflight", path: "/other.v1.Service/Method", init: fetchInit{Method: "POST", Headers: jsonBody, Body: ada},
		preflight: true, status: http.StatusForbidden,
		remedy: `ORIGIN_NOT_ALLOWED; add "PAGE" to defaults.allow_origins (cors.yaml:3); if it is this server's own origin, make the proxy in front keep the Host header`,
	},
	{
		name: "a header, preflight", path: greetPath, init: fetchInit{Method: "POST", Headers: jsonAnd("X-Tenant-Id", "7"), Body: ada},
		preflight: true, status: http.StatusNoContent, silent: true,
		remedy: "HEADERS_NOT_GRANTED; write allow_headers: [x-tenant-id] in a rule with selector showcase.v1.ShowcaseService.Greet",
	},
	{
		name: "a method, preflight", path: greetPath, init: fetchInit{Method: "PUT", Body: ada},
		preflight: true, status: http.StatusNoContent, silent: true,
		remedy: "METHOD_NOT_GRANTED; call procedures by POST, or by GET if they are declared NO_SIDE_EFFECTS: no policy can grant another method",
	},
	{
		name: "an origin, call", path: "/other.v1.Service/Method?connect=v1&encoding=json&message=%7B%7D", init: fetchInit{Method: "GET"},
		status: http.StatusForbidden,
		remedy: `ORIGIN_NOT_ALLOWED; add "PAGE" to defaults.allow_origins (cors.yaml:3); if it is this server's own origin, make the proxy in front keep the Host header`,
	},
	{
		name: "cookies, call", path: lookupGet, init: fetchInit{Method: "GET", Credentials: "include"},
		status: http.StatusForbidden,
		remedy: "CREDENTIALS_NOT_ALLOWED; write allow_credentials: true in a rule with selector showcase.v1.ShowcaseService.Lookup, or call without credentials",
	},
}

// TestExplainedToTheBrowser: with WithExplain, the response to a refused preflight or call contains the remedy. The script cannot read it. Without WithExplain, the response does not contain it.
func TestExplainedToTheBrowser(t *testing.T) {
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		setCookie(t, page)
		for _, c := range explained {
			for name, opts := range map[string][]corsrpc.LayerOption{"with WithExplain": {corsrpc.WithExplain()}, "without": nil} {
				t.Run(c.name+"/"+name, func(t *testing.T) {
					layer := newLayer(t, page.Origin, explainedPolicy, opts...).Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
						t.Error("the handler ran")
					}))
					answers := make(chan *httptest.ResponseRecorder, 16)
					server := serveAPI(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						answer := httptest.NewRecorder()
						layer.ServeHTTP(answer, r)
						for name, lines := range answer.Result().Header {
							w.Header()[name] = lines
						}
						w.WriteHeader(answer.Code)
						_, _ = w.Write(answer.Body.Bytes())
						answers <- answer
					}))
					if got := fetchRaw(t, page, server.URL+c.path, c.init); got.Threw != refused.Threw || got.Status != 0 || len(got.Headers) != 0 || got.Body != "" {
						t.Errorf("the script read %+v, want %+v", got, refused)
					}
					preflights, sent := server.take()
					if len(preflights)+len(sent) != 1 || (len(preflights) == 1) != c.preflight {
						t.Fatalf("the server saw %s after %s", describe(sent), describe(preflights))
					}
					answer := <-answers
					said, body := answer.Result().Header["Corsrpc-Reason"], answer.Body.String()
					if answer.Code != c.status || (body == "") != c.silent {
						t.Errorf("the response is %d, %q", answer.Code, body)
					}
					if opts == nil {
						if said != nil || strings.Contains(body, page.Origin) || strings.Contains(body, "cors.yaml") || strings.Contains(body, "write ") {
							t.Errorf("without WithExplain, the response explains itself: %q, %s", said, body)
						}
						return
					}
					remedy := strings.ReplaceAll(c.remedy, "PAGE", page.Origin)
					if len(said) != 1 || said[0] != remedy {
						t.Errorf("Corsrpc-Reason: %q, want %q", said, remedy)
					}
					_, advice, _ := strings.Cut(remedy, "; ")
					if plain := strings.ReplaceAll(body, `\"`, `"`); !c.silent && !strings.Contains(plain, advice) {
						t.Errorf("the body %q does not contain %q", body, advice)
					}
				})
			}
		}
	})
}
