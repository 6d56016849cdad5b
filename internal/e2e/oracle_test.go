package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corstest"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// oracleCase is a fetch, and the literal answers of a server. ORIGIN stands for
// the page's origin.
type oracleCase struct {
	name string
	call oracleCall

	preflight oracleAnswer
	answer    oracleAnswer

	// Where the answer is a redirect to /case/N/next.
	nextPreflight, next oracleAnswer

	sandboxed bool // the page is of an opaque origin
	// What is done next, after the first fetch has ended: for preflights that are remembered.
	then []oracleCall
}

type oracleCall struct {
	URL         string      `json:"url"`
	Method      string      `json:"method"`
	Headers     [][2]string `json:"headers"`
	Mode        string      `json:"mode,omitempty"`
	Credentials string      `json:"credentials,omitempty"`
	Redirect    string      `json:"redirect,omitempty"`
	Body        string      `json:"body,omitempty"`
	// Then is done after it.
	Then []oracleCall `json:"then,omitempty"`
}

// oracleAnswer is what the server answers literally; status 0 is 204 for a
// preflight, 200 for a call.
type oracleAnswer struct {
	status  int
	headers []string // "Name: value"
}

// oracleReading is what the script got.
type oracleReading struct {
	Threw   bool        `json:"threw"`
	Type    string      `json:"type"`
	Status  int         `json:"status"`
	Headers [][2]string `json:"headers"`
	Body    string      `json:"body"`
}

// oracleServer answers cases and notes what came.
type oracleServer struct {
	cases  []oracleCase
	origin string // the page's
	here   string // the server's
	other  string // another origin of the server's
	mu     sync.Mutex
	seen   map[int][]string
}

func (s *oracleServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	number, next := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/case/"), "/next")
	n, err := strconv.Atoi(number)
	if err != nil || n >= len(s.cases) {
		http.NotFound(w, r)
		return
	}
	c := s.cases[n]
	if next {
		c.preflight, c.answer = c.nextPreflight, c.next
	}
	what := r.Host[:strings.IndexByte(r.Host, ':')] + " " + r.Method
	answer, status := c.answer, http.StatusOK
	if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
		what += " preflight " + r.Header.Get("Access-Control-Request-Method") + " [" + strings.Join(r.Header["Access-Control-Request-Headers"], "|") + "]"
		answer, status = c.preflight, http.StatusNoContent
	}
	what += " origin " + strings.ReplaceAll(r.Header.Get("Origin"), s.origin, "ORIGIN") + " cookie " + r.Header.Get("Cookie") +
		" site " + r.Header.Get("Sec-Fetch-Site") + " mode " + r.Header.Get("Sec-Fetch-Mode") + " type " + r.Header.Get("Content-Type") +
		" authorization " + r.Header.Get("Authorization") + " x " + r.Header.Get("X-A")
	s.mu.Lock()
	s.seen[n] = append(s.seen[n], what)
	s.mu.Unlock()
	if answer.status != 0 {
		status = answer.status
	}
	if c.sandboxed {
		answer.headers = slices.Clone(answer.headers)
		for i := range answer.headers {
			answer.headers[i] = strings.ReplaceAll(answer.headers[i], "ORIGIN", "null")
		}
	}
	for _, line := range answer.headers {
		name, value, _ := strings.Cut(line, ": ")
		value = strings.NewReplacer("ORIGIN", s.origin, "HERE", s.here, "OTHER", s.other, "CASE", strconv.Itoa(n), "NEXT", "/case/"+strconv.Itoa(n)+"/next").Replace(value)
		w.Header()[name] = append(w.Header()[name], value)
	}
	w.WriteHeader(status)
	if status != http.StatusNoContent && status != http.StatusNotModified && r.Method != http.MethodHead {
		_, _ = io.WriteString(w, "body")
	}
}

func (s *oracleServer) take() map[int][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.seen
	s.seen = map[int][]string{}
	return seen
}

// TestOracle: corstest does what the browsers do.
func TestOracle(t *testing.T) {
	engines := map[browser.Engine]corstest.Engine{
		browser.Chromium: corstest.Chromium, browser.Firefox: corstest.Firefox, browser.WebKit: corstest.WebKit,
	}
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		setCookie(t, page)
		cases := oracleCases()
		handler := &oracleServer{cases: cases, origin: page.Origin, seen: map[int][]string{}}
		server, other := serveAPI(t, handler), serveAPI(t, handler)
		handler.here, handler.other = server.URL, strings.Replace(other.URL, "localhost", "127.0.0.1", 1)
		var readings []oracleReading
		var calls, sandboxed []oracleCall
		var order []int
		for i := range cases {
			c := &cases[i].call
			at := func(url string) string {
				rest, elsewhere := strings.CutPrefix(url, "OTHER")
				base := server.URL
				if elsewhere {
					base = handler.other
				}
				return base + "/case/" + strconv.Itoa(i) + rest
			}
			c.URL = at(c.URL)
			cases[i].then = slices.Clone(cases[i].then)
			for j := range cases[i].then {
				cases[i].then[j].URL = at(cases[i].then[j].URL)
			}
			c.Then = cases[i].then
			if cases[i].sandboxed {
				sandboxed = append(sandboxed, *c)
				continue
			}
			calls = append(calls, *c)
			order = append(order, i)
		}
		for i := range cases {
			if cases[i].sandboxed {
				order = append(order, i)
			}
		}
		page.Run(t, `return e2e.callOracle(args)`, calls, &readings)
		var inFrame []oracleReading
		page.Run(t, `return e2e.callOracleSandboxed(args)`, sandboxed, &inFrame)
		byCase := map[int]oracleReading{}
		for at, r := range append(readings, inFrame...) {
			byCase[order[at]] = r
		}
		bySeen := handler.take()
		newJar := func() http.CookieJar {
			jar, _ := cookiejar.New(nil)
			u, _ := url.Parse(server.URL)
			jar.SetCookies(u, []*http.Cookie{{Name: "session", Value: "e2e"}})
			return jar
		}
		b := corstest.NewBrowser(page.Origin, corstest.WithEngine(engines[page.Engine]), corstest.WithCookieJar(newJar()))
		null := corstest.NewBrowser("null", corstest.WithEmbedder(page.Origin), corstest.WithEngine(engines[page.Engine]), corstest.WithCookieJar(newJar()))
		differ := 0
		for i, c := range cases {
			in := b
			if c.sandboxed {
				in = null
			}
			ours := tryOracle(t, in, c.call)
			for _, next := range c.then {
				ours = tryOracle(t, in, next)
			}
			ourSeen := handler.take()[i]
			theirs := byCase[i]
			if theirs.Headers == nil {
				theirs.Headers = [][2]string{}
			}
			if got, want := describeOracle(ours, ourSeen), describeOracle(theirs, bySeen[i]); got != want {
				differ++
				if differ < 200 {
					t.Errorf("%s\ncorstest %s\n%s %s", c.name, got, page.Engine, want)
				}
			}
		}
		t.Logf("%d cases, %d differ", len(cases), differ)
	})
}

func tryOracle(t *testing.T, b *corstest.Browser, c oracleCall) oracleReading {
	t.Helper()
	ctx := corstest.WithInit(t.Context(), corstest.Init{
		Mode: corstest.Mode(c.Mode), Credentials: corstest.Credentials(c.Credentials), Redirect: corstest.Redirect(c.Redirect), ScriptSets: []string{"user-agent"},
	})
	var body io.Reader
	if c.Body != "" {
		body = strings.NewReader(c.Body)
	}
	r, err := http.NewRequestWithContext(ctx, c.Method, c.URL, body)
	if err != nil {
		return oracleReading{Threw: true, Headers: [][2]string{}}
	}
	for _, h := range c.Headers {
		r.Header[http.CanonicalHeaderKey(h[0])] = append(r.Header[http.CanonicalHeaderKey(h[0])], h[1])
	}
	if body != nil && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "text/plain;charset=UTF-8")
	}
	res, err := b.RoundTrip(r)
	if err != nil {
		return oracleReading{Threw: true, Headers: [][2]string{}}
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
	}
	reading := oracleReading{Status: res.StatusCode, Body: string(text), Headers: [][2]string{}}
	for name, values := range res.Header {
		reading.Headers = append(reading.Headers, [2]string{strings.ToLower(name), strings.Join(values, ", ")})
	}
	slices.SortFunc(reading.Headers, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return reading
}

func describeOracle(r oracleReading, seen []string) string {
	r.Type = ""
	kept := [][2]string{}
	for _, h := range r.Headers {
		if h[0] != "date" {
			kept = append(kept, h)
		}
	}
	r.Headers = kept
	text, _ := json.Marshal(r)
	return fmt.Sprintf("%s %q", text, seen)
}
