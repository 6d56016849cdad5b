package e2e

import (
	"cmp"
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

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
	"github.com/corsrpc/corsrpc-go/internal/figures"
)

// simulated are the engines of corsbrowser that simulate the browsers.
var simulated = map[browser.Engine]corsbrowser.Engine{
	browser.Chromium: corsbrowser.Chromium, browser.Firefox: corsbrowser.Firefox, browser.WebKit: corsbrowser.WebKit,
}

// TestOracle: corsbrowser sends the same requests as each browser, and its scripts read the same responses.
func TestOracle(t *testing.T) {
	figures.Check(t, "oracle.fetches", figures.Count(len(oracleCases())))
	forEachEngine(t, func(t *testing.T, engine browser.Engine) {
		measureVersion(t, engine)
		s := &oracleServer{cases: oracleCases(), seen: map[int][]string{}}
		page := pool.PageBeside(t, engine, s)
		warmUp(t, page)
		setCookie(t, page)
		here, other := serveAPI(t, s).URL, strings.Replace(serveAPI(t, s).URL, "localhost", "127.0.0.1", 1)
		s.place(page.Origin, here, other)

		theirs := s.inBrowser(t, page)
		theirSeen := s.take()
		ours := s.inCorsbrowser(t, simulated[engine])
		ourSeen := s.take()
		names := map[string]bool{}
		differences := 0
		for i, c := range s.cases {
			if names[c.name] {
				t.Errorf("two cases have the name %q", c.name)
			}
			names[c.name] = true
			if got, want := ours[i].describe(ourSeen[i]), theirs[i].describe(theirSeen[i]); got != want {
				differences++
				t.Errorf("%s\n%-11s %s\n%-11s %s", c.name, "corsbrowser", got, engine, want)
			}
		}
		t.Logf("%d cases, %d differ", len(s.cases), differences)
	})
}

// measureVersion reports the engine's version as the documents name it: 156, 153, 2.50.
func measureVersion(t *testing.T, engine browser.Engine) {
	t.Helper()
	version, err := engine.Version()
	if err != nil {
		t.Log(err)
		return
	}
	parts := strings.Split(version, ".")
	named := 1
	if engine == browser.WebKit {
		named = 2
	}
	figures.Measure(t, "browser."+strings.ToLower(string(engine)), strings.Join(parts[:min(named, len(parts))], "."))
}

// oracleServer serves the cases on the page's own origin and on two others, and records the requests.
type oracleServer struct {
	cases             []oracleCase
	self, here, other string // its origins
	root              string // a prefix of the paths; different for each run, since browsers keep cookies
	mu                sync.Mutex
	seen              map[int][]string
}

// place sets the server's origins. A browser may have requested an icon before.
func (s *oracleServer) place(self, here, other string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.self, s.here, s.other = self, here, other
	s.root = "/case" + self[strings.LastIndexByte(self, ':')+1:] + "/"
}

func (s *oracleServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	rest, isCase := strings.CutPrefix(r.URL.Path, s.root)
	s.mu.Unlock()
	number, next := strings.CutSuffix(rest, "/next")
	n, err := strconv.Atoi(number)
	if err != nil || n >= len(s.cases) || !isCase {
		http.NotFound(w, r)
		return
	}
	c := s.cases[n]
	if next {
		c.preflight, c.answer = c.nextPreflight, c.next
	}
	server := map[string]string{s.self: "SELF", s.here: "HERE", s.other: "OTHER"}["http://"+r.Host]
	what, answer, status := server+" "+r.Method, c.answer, http.StatusOK
	if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
		what += fmt.Sprintf(" for %s %q", r.Header.Get("Access-Control-Request-Method"), r.Header["Access-Control-Request-Headers"])
		answer, status = c.preflight, http.StatusNoContent
	}
	for _, name := range []string{
		"Origin", "Referer", "Cookie", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "Content-Type", "Content-Encoding", "Content-Language", "Content-Location", "Authorization", "X-A", "Range", "Last-Event-Id",
	} {
		if values := r.Header.Values(name); len(values) > 0 {
			what += fmt.Sprintf(" %s=%q", name, strings.ReplaceAll(strings.Replace(strings.Join(values, " | "), "/.e2e/", "/", 1), s.self, "ORIGIN"))
		}
	}
	s.mu.Lock()
	s.seen[n] = append(s.seen[n], what)
	s.mu.Unlock()
	asker := s.self
	if c.sandboxed {
		asker = "null"
	}
	for _, line := range answer.headers {
		name, value, _ := strings.Cut(line, ": ")
		if target, user, ok := strings.Cut(value, " with "); ok {
			value = strings.NewReplacer("HERE", s.here, "OTHER", s.other, "SELF", s.self).Replace(target)
			value = strings.Replace(value, "://", "://"+user, 1)
		}
		value = strings.NewReplacer("ASKED", r.Header.Get("Access-Control-Request-Headers"), "ORIGINCASE", strings.ToUpper(asker), "ORIGIN", asker, "HERE", s.here, "OTHER", s.other, "SELF", s.self,
			"CASE", strconv.Itoa(n), "PLACE", s.root+strconv.Itoa(n), "NEXT", s.root+strconv.Itoa(n)+"/next").Replace(value)
		w.Header()[name] = append(w.Header()[name], value)
	}
	status = cmp.Or(answer.status, status)
	w.WriteHeader(status)
	if status != http.StatusNoContent && status != http.StatusNotModified && r.Method != http.MethodHead {
		_, _ = io.WriteString(w, "body")
	}
}

// take returns the requests since its last call, by case.
func (s *oracleServer) take() map[int][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.seen
	s.seen = map[int][]string{}
	return seen
}

// calls returns the calls of a case, with their URLs.
func (s *oracleServer) calls(i int) oracleCall {
	at := func(call oracleCall) oracleCall {
		base := s.here
		for name, server := range map[string]string{"SELF": s.self, "HERE": s.here, "OTHER": s.other} {
			if rest, ok := strings.CutPrefix(call.URL, name); ok {
				base, call.URL = server, rest
			}
		}
		call.URL = base + s.root + strconv.Itoa(i) + call.URL
		if address, length, ok := strings.Cut(call.URL, "?LENGTH="); ok {
			n, _ := strconv.Atoi(length)
			call.URL = address + "?" + strings.Repeat("a", n-len(address)-1)
		}
		return call
	}
	call := at(s.cases[i].call)
	for _, next := range s.cases[i].then {
		call.Then = append(call.Then, at(next))
	}
	return call
}

// oracleReading holds everything that the script read.
type oracleReading struct {
	Threw   bool        `json:"threw"`
	Status  int         `json:"status"`
	Headers [][2]string `json:"headers"`
	Body    string      `json:"body"`
}

// describe formats what the script read and the server's requests for comparison, without the Date header.
func (r oracleReading) describe(seen []string) string {
	headers := [][2]string{}
	for _, h := range r.Headers {
		if h[0] != "date" {
			headers = append(headers, h)
		}
	}
	r.Headers = headers
	text, _ := json.Marshal(r)
	return fmt.Sprintf("%s\n          %s", text, strings.Join(seen, "\n          "))
}

// inBrowser makes the calls of all cases in the page.
func (s *oracleServer) inBrowser(t *testing.T, page *browser.Page) []oracleReading {
	t.Helper()
	readings := make([]oracleReading, len(s.cases))
	for script, sandboxed := range map[string]bool{"return e2e.callOracle(args)": false, "return e2e.callOracleSandboxed(args)": true} {
		var calls []oracleCall
		var at []int
		for i, c := range s.cases {
			if c.sandboxed == sandboxed {
				calls, at = append(calls, s.calls(i)), append(at, i)
			}
		}
		var got []oracleReading
		page.Run(t, script, calls, &got)
		if len(got) != len(at) {
			t.Fatalf("%d readings of %d cases", len(got), len(at))
		}
		for j, r := range got {
			readings[at[j]] = r
		}
	}
	return readings
}

// inCorsbrowser makes the calls of all cases with corsbrowser.
func (s *oracleServer) inCorsbrowser(t *testing.T, engine corsbrowser.Engine) []oracleReading {
	t.Helper()
	open := func(origin string) *corsbrowser.Browser {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(s.self)
		if err != nil {
			t.Fatal(err)
		}
		jar.SetCookies(u, []*http.Cookie{{Name: "session", Value: "e2e"}})
		b, err := corsbrowser.New(origin, corsbrowser.WithEmbedder(s.self), corsbrowser.WithEngine(engine), corsbrowser.WithCookieJar(jar))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	page, frame := open(s.self), open("null")
	readings := make([]oracleReading, len(s.cases))
	for i, c := range s.cases {
		b := page
		if c.sandboxed {
			b = frame
		}
		first := s.calls(i)
		for _, call := range append([]oracleCall{first}, first.Then...) {
			readings[i] = fetchInCorsbrowser(t, b, call)
		}
	}
	return readings
}

func fetchInCorsbrowser(t *testing.T, b *corsbrowser.Browser, c oracleCall) oracleReading {
	t.Helper()
	failed := oracleReading{Threw: true}
	ctx := corsbrowser.WithInit(t.Context(), corsbrowser.Init{
		Mode: corsbrowser.Mode(c.Mode), Credentials: corsbrowser.Credentials(c.Credentials), Redirect: corsbrowser.Redirect(c.Redirect),
		ForcePreflight: c.Upload, ScriptSets: []string{"user-agent"},
	})
	var body io.Reader
	if c.Body != "" {
		body = strings.NewReader(c.Body)
	}
	r, err := http.NewRequestWithContext(ctx, c.Method, c.URL, body)
	if err != nil {
		return failed
	}
	for _, h := range c.Headers {
		name := http.CanonicalHeaderKey(h[0])
		r.Header[name] = append(r.Header[name], h[1])
	}
	if body != nil && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "text/plain;charset=UTF-8") // as fetch does for a string
	}
	response, err := b.RoundTrip(r)
	if err != nil {
		return failed
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	reading := oracleReading{Status: response.StatusCode, Body: string(text)}
	for name, values := range response.Header {
		reading.Headers = append(reading.Headers, [2]string{strings.ToLower(name), strings.Join(values, ", ")})
	}
	slices.SortFunc(reading.Headers, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return reading
}
