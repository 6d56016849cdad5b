package e2e

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// handAnswer is a server that answers preflights and calls with fields of its own. PAGE in a value is the page's origin, and
// OTHER the URL of another server, which grants everything.
type handAnswer struct {
	name            string
	init            fetchInit
	preflight, call http.Header
	preflightStatus int // 0 for 204
	callStatus      int // 0 for 200
	closes          bool
}

// fieldsOf returns a header of names and values.
func fieldsOf(fields ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(fields); i += 2 {
		h.Add(fields[i], fields[i+1])
	}
	return h
}

const (
	acao = "Access-Control-Allow-Origin"
	acac = "Access-Control-Allow-Credentials"
	acam = "Access-Control-Allow-Methods"
	acah = "Access-Control-Allow-Headers"
)

// plus returns the fields of a header and others.
func plus(h http.Header, fields ...string) http.Header {
	all := maps.Clone(h)
	for name, values := range fieldsOf(fields...) {
		all[name] = append(all[name][:len(all[name]):len(all[name])], values...)
	}
	return all
}

var (
	passes   = fieldsOf(acao, "PAGE", acah, "content-type")
	included = fetchInit{Method: "POST", Headers: jsonBody, Body: ada, Credentials: "include"}
	putCall  = fetchInit{Method: "PUT", Headers: jsonBody, Body: ada}
)

func handAnswers() (all []handAnswer) {
	for name, header := range map[string]http.Header{
		"missing":              fieldsOf(),
		"another origin":       fieldsOf(acao, "https://proxy.example"),
		"two lines":            fieldsOf(acao, "PAGE", acao, "PAGE"),
		"two lines, other":     fieldsOf(acao, "https://proxy.example", acao, "*"),
		"a list":               fieldsOf(acao, "PAGE,https://proxy.example"),
		"a list with star":     fieldsOf(acao, "PAGE, *"),
		"empty":                fieldsOf(acao, ""),
		"no scheme":            fieldsOf(acao, "app.example.com"),
		"a slash":              fieldsOf(acao, "PAGE/"),
		"a path":               fieldsOf(acao, "https://proxy.example/x"),
		"a pattern":            fieldsOf(acao, "https://*.example.com"),
		"a quoted origin":      fieldsOf(acao, `"PAGE"`),
		"null":                 fieldsOf(acao, "null"),
		"upper case":           fieldsOf(acao, "HTTP://LOCALHOST"),
		"spaces":               fieldsOf(acao, "PAGE https://proxy.example"),
		"twice the star":       fieldsOf(acao, "*", acao, "*"),
		"empty and the origin": fieldsOf(acao, "", acao, "PAGE"),
	} {
		for _, status := range []int{0, 403, 302} {
			header := header
			if status == 302 {
				header = plus(header, "Location", "/elsewhere")
			}
			suffix := map[int]string{403: ", 403", 302: ", 302"}[status]
			all = append(all,
				handAnswer{name: "call: " + name + suffix, init: fetchInit{}, call: header, callStatus: status},
				handAnswer{name: "preflight: " + name + suffix, init: jsonCall, preflight: plus(header, acah, "content-type"), call: passes, preflightStatus: status},
				handAnswer{name: "call after preflight: " + name + suffix, init: jsonCall, preflight: passes, call: header, callStatus: status})
		}
	}
	for name, header := range map[string]http.Header{
		"wildcard":            fieldsOf(acao, "*", acac, "true"),
		"wildcard alone":      fieldsOf(acao, "*"),
		"missing credentials": fieldsOf(acao, "PAGE"),
		"True":                fieldsOf(acao, "PAGE", acac, "True"),
		"empty credentials":   fieldsOf(acao, "PAGE", acac, ""),
		"false":               fieldsOf(acao, "PAGE", acac, "false"),
		"two true":            fieldsOf(acao, "PAGE", acac, "true", acac, "true"),
		"quoted true":         fieldsOf(acao, "PAGE", acac, `"true"`),
	} {
		all = append(all,
			handAnswer{name: "call: " + name, init: fetchInit{Credentials: "include"}, call: header},
			handAnswer{name: "preflight: " + name, init: included, preflight: plus(header, acah, "content-type"), call: header},
			handAnswer{name: "preflight 403: " + name, init: included, preflightStatus: 403, preflight: plus(header, acah, "content-type"), call: header})
	}
	for _, status := range []int{199 + 101, 301, 304, 307, 308, 400, 401, 403, 404, 405, 500, 502, 503} {
		all = append(all,
			handAnswer{name: "preflight status: " + http.StatusText(status), init: jsonCall, preflight: passes, preflightStatus: status},
			handAnswer{name: "preflight status and location: " + http.StatusText(status), init: jsonCall, preflight: plus(passes, "Location", "https://proxy.example/"), preflightStatus: status})
	}
	for name, header := range map[string]http.Header{
		"methods empty":           plus(passes, acam, ""),
		"methods other":           plus(passes, acam, "GET, POST"),
		"methods lower":           plus(passes, acam, "put"),
		"methods malformed":       plus(passes, acam, "GET POST"),
		"methods malformed comma": plus(passes, acam, "GET; PUT"),
		"methods malformed, two":  plus(passes, acam, "PUT", acam, "(GET)"),
		"methods malformed utf":   plus(passes, acam, "PUT, GÜT"),
		"methods quoted":          plus(passes, acam, `"PUT"`),
	} {
		all = append(all, handAnswer{name: name, init: putCall, preflight: header, call: passes})
	}
	for name, header := range map[string]http.Header{
		"headers missing":           fieldsOf(acao, "PAGE"),
		"headers empty":             fieldsOf(acao, "PAGE", acah, ""),
		"headers other":             fieldsOf(acao, "PAGE", acah, "x-a"),
		"headers one of two":        fieldsOf(acao, "PAGE", acah, "content-type"),
		"headers malformed":         fieldsOf(acao, "PAGE", acah, "content-type x-tenant-id"),
		"headers malformed quote":   fieldsOf(acao, "PAGE", acah, `"content-type", x-tenant-id`),
		"headers malformed two":     fieldsOf(acao, "PAGE", acah, "content-type, x-tenant-id", acah, "a b"),
		"headers malformed colon":   fieldsOf(acao, "PAGE", acah, "content-type: x-tenant-id"),
		"headers and methods wrong": fieldsOf(acao, "PAGE", acah, "a b", acam, "a b"),
	} {
		all = append(all, handAnswer{name: name, init: fetchInit{Method: "POST", Headers: jsonAnd("x-tenant-id", "7"), Body: ada}, preflight: header, call: passes})
	}
	for _, names := range [][]string{
		{"Connect-Protocol-Version", "Content-Type"}, {"X-Grpc-Web", "Content-Type", "X-User-Agent"}, {"X-Tenant-Id"}, {"Content-Type"}, {"Authorization"}, {"Authorization", "X-A"}, {"Authorization", "Content-Type"},
		{"Cache-Control"}, {"Pragma"}, {"Range"}, {"If-None-Match"}, {"If-Modified-Since"}, {"Last-Event-Id"}, {"X-Requested-With"}, {"Content-Encoding"}, {"Content-Language", "X-B"},
		{"Traceparent"}, {"User-Agent"}, {"Idempotency-Key"}, {"If-Match"}, {"If-Range"}, {"If-Unmodified-Since"}, {"Content-Language"}, {"X-Zeta", "X-Alpha"}, {"Grpc-Timeout"}, {"Connect-Timeout-Ms", "Connect-Protocol-Version", "Content-Type", "Authorization"},
	} {
		headers := map[string]string{}
		for _, name := range names {
			headers[name] = "7"
		}
		if _, ok := headers["Content-Type"]; ok {
			headers["Content-Type"] = "application/json"
		}
		if len(names) == 1 {
			lower := maps.Clone(headers)
			delete(lower, names[0])
			lower[strings.ToLower(names[0])] = "7"
			all = append(all, handAnswer{name: "lower " + names[0], init: fetchInit{Method: "POST", Headers: lower, Body: ada}, preflight: fieldsOf(acao, "PAGE")})
		}
		all = append(all, handAnswer{name: fmt.Sprint("names ", names), init: fetchInit{Method: "POST", Headers: headers, Body: ada}, preflight: fieldsOf(acao, "PAGE")})
	}
	all = append(all,
		handAnswer{name: "wildcard headers with credentials", init: included, preflight: fieldsOf(acao, "PAGE", acac, "true", acah, "*")},
		handAnswer{name: "wildcard methods with credentials", init: fetchInit{Method: "PUT", Credentials: "include"}, preflight: fieldsOf(acao, "PAGE", acac, "true", acam, "*")},
		handAnswer{name: "closed", init: fetchInit{}, closes: true},
		handAnswer{name: "closed after preflight", init: jsonCall, preflight: passes, closes: true},
		handAnswer{name: "redirect, user name", init: fetchInit{}, call: fieldsOf(acao, "*", "Location", "http://a:b@localhost:1/"), callStatus: 302},
		handAnswer{name: "redirect, other", init: fetchInit{}, call: fieldsOf(acao, "*", "Location", "OTHER/y"), callStatus: 302},
		handAnswer{name: "redirect, other after preflight", init: jsonCall, preflight: fieldsOf(acao, "*", acah, "*"), call: fieldsOf(acao, "*", "Location", "OTHER/y"), callStatus: 307},
		handAnswer{name: "redirect, loop", init: fetchInit{}, call: fieldsOf(acao, "*", "Location", "/"), callStatus: 302},
	)
	return all
}

// TestConsoleSentencesOfAnswers: the console of each browser has the sentence of corsbrowser for each answer by hand.
func TestConsoleSentencesOfAnswers(t *testing.T) {
	consoles := browser.NewConsolePool(bundle)
	defer consoles.Close()
	forEachEngine(t, func(t *testing.T, engine browser.Engine) {
		page := consoles.Page(t, engine)
		setCookie(t, page)
		other := serveAPI(t, http.NotFoundHandler()).URL
		for _, c := range handAnswers() {
			t.Run(c.name, func(t *testing.T) {
				url := serveAPI(t, c.handler(page.Origin, other)).URL + "/x"
				lines := page.ConsoleUntil(t, 0, func() { fetchRaw(t, page, url, c.init) })
				compareSentence(t, engine, lines, simulate(t, engine, page.Origin, url, c.init))
			})
		}
	})
}

// handler returns the server's handler, for a page.
func (c handAnswer) handler(page, other string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header, status := c.call, cmp.Or(c.callStatus, http.StatusOK)
		if r.Method == http.MethodOptions {
			header, status = c.preflight, cmp.Or(c.preflightStatus, http.StatusNoContent)
		} else if c.closes {
			panic(http.ErrAbortHandler)
		}
		for name, values := range header {
			for _, value := range values {
				w.Header().Add(name, strings.ReplaceAll(strings.ReplaceAll(value, "PAGE", page), "OTHER", other))
			}
		}
		w.WriteHeader(status)
	})
}

// simulate makes a call of fetch in corsbrowser, and returns why it is blocked; nil if the script can read the response.
func simulate(t *testing.T, engine browser.Engine, page, to string, init fetchInit) *corsbrowser.BlockedError {
	t.Helper()
	jar, _ := cookiejar.New(nil) // never fails
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	jar.SetCookies(u, []*http.Cookie{{Name: "session", Value: "e2e", Path: "/"}})
	transport := &http.Transport{DisableKeepAlives: true}
	b, err := corsbrowser.New(page, corsbrowser.WithEngine(simulated[engine]), corsbrowser.WithCookieJar(jar), corsbrowser.WithTransport(transport),
		corsbrowser.WithDefaults(corsbrowser.Init{Credentials: corsbrowser.Credentials(init.Credentials), Mode: corsbrowser.Mode(init.Mode), ScriptSets: []string{"User-Agent"}}))
	if err != nil {
		t.Fatal(err)
	}
	var body io.Reader
	if init.Body != "" {
		body = strings.NewReader(init.Body)
	}
	r, err := http.NewRequestWithContext(t.Context(), cmp.Or(init.Method, http.MethodGet), to, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range init.Headers {
		r.Header[name] = []string{value}
	}
	response, err := b.RoundTrip(r)
	if err == nil {
		_ = response.Body.Close()
		return nil
	}
	var blocked *corsbrowser.BlockedError
	if !errors.As(err, &blocked) {
		t.Fatal(err)
	}
	return blocked
}

// compareSentence compares the first line of a console with the sentence of corsbrowser.
func compareSentence(t *testing.T, engine browser.Engine, lines []string, blocked *corsbrowser.BlockedError) {
	t.Helper()
	want := ""
	if blocked != nil {
		want = blocked.ConsoleText
	}
	said := ""
	if len(lines) > 0 {
		said = lines[0]
	}
	switch engine {
	case browser.Chromium:
		_, said, _ = strings.Cut(said, ` "`)
		if end := strings.LastIndex(said, `", source: `); end >= 0 {
			said = said[:end]
		}
	default:
		said = strings.TrimPrefix(strings.TrimPrefix(said, "CONSOLE "), "SECURITY ERROR ")
	}
	if said == want {
		return
	}
	if engine == browser.Chromium && blocked != nil && blocked.Check == corsbrowser.CheckHeaders { // it blames any of the fields that are not granted
		_, requested, _ := strings.Cut(blocked.Fix, ": ")
		granted := strings.Split(blocked.Value, ",")
		for name := range strings.SplitSeq(requested, ", ") {
			if !slices.Contains(granted, name) && strings.Replace(want, strings.TrimSuffix(blocked.Reason, " is not granted"), name, 1) == said {
				return
			}
		}
	}
	t.Errorf("the console has %q; corsbrowser has %q (%v)", said, want, blocked)
}
