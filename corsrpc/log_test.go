package corsrpc_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// refuse sends calls from an origin that is not allowed.
func refuse(h http.Handler, path, origin string) {
	h.ServeHTTP(httptest.NewRecorder(), newRequest(http.MethodPost, path, http.Header{"Origin": {origin}}))
}

// emptyHandler writes nothing.
var emptyHandler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})

// TestRefusalIsLogged checks that the log has the request, the reason and the remedy of a refusal.
func TestRefusalIsLogged(t *testing.T) {
	t.Parallel()
	layer, log := newLayer(t, allowPage)
	h := layer.Wrap(emptyHandler)
	refuse(h, listRPC, "https://evil.example")
	for _, want := range []string{
		"level=WARN", "refused a cross-origin call", "reason=ORIGIN_NOT_ALLOWED", "origin=https://evil.example",
		"target=acme.catalog.v1.CatalogService.List", `rule="defaults.allow_origins at cors.yaml:3:18"`, "allow_origins",
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %q: %s", want, log)
		}
	}
}

// TestUnmetPreflightIsLogged checks that the log names the header that a preflight was not granted.
func TestUnmetPreflightIsLogged(t *testing.T) {
	t.Parallel()
	layer, log := newLayer(t, allowPage)
	header := http.Header{"Origin": {page}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"x-tenant"}}
	layer.Wrap(emptyHandler).ServeHTTP(httptest.NewRecorder(), newRequest(http.MethodOptions, listRPC, header))
	if got := log.String(); !strings.Contains(got, "missing=x-tenant") || !strings.Contains(got, "add the missing headers to allow_headers") {
		t.Errorf("%s", got)
	}
}

// rawHandler collects log records without escaping anything.
type rawHandler struct {
	slog.Handler
	values *[]string
}

func (rawHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h rawHandler) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		*h.values = append(*h.values, a.Value.String())
		return true
	})
	return nil
}

// TestLogIsEscaped checks that input from the network cannot add lines or terminal sequences to the log,
// or long texts, even if the log's handler does not escape.
func TestLogIsEscaped(t *testing.T) {
	t.Parallel()
	var values []string
	layer, err := corsrpc.New(compilePolicy(t, allowPage),
		corsrpc.WithLogger(slog.New(rawHandler{slog.DiscardHandler, &values})))
	if err != nil {
		t.Fatal(err)
	}
	h := layer.Wrap(emptyHandler)
	refuse(h, listRPC, "https://a\nlevel=ERROR msg=forged \x1b[31m\"é"+strings.Repeat("x", 1000))
	r := newRequest(http.MethodPost, "/", http.Header{"Origin": {page}})
	r.URL.Path = "/other.v1.S/M\nforged/\x00"
	r.URL.RawPath = "/other.v1.S/M%0Aforged/%00"
	h.ServeHTTP(httptest.NewRecorder(), r)
	r.URL.Path, r.URL.RawPath = "/other.v1.S/\u202eM/\n/../../../other.v1.S/M", ""
	h.ServeHTTP(httptest.NewRecorder(), r)
	if len(values) < 8 {
		t.Fatalf("logged %q", values)
	}
	for _, v := range values {
		if len(v) > 300 || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("logged %q", v)
		}
	}
}

// TestMissingPrefixIsLogged checks that a layer outside of http.StripPrefix without WithPathPrefix logs
// that no rule applies.
func TestMissingPrefixIsLogged(t *testing.T) {
	t.Parallel()
	layer, log := newLayer(t, allowPage)
	h := layer.Wrap(http.StripPrefix("/api", emptyHandler))
	header := http.Header{"Origin": {page}, "Access-Control-Request-Method": {"POST"}}
	for range 3 {
		h.ServeHTTP(httptest.NewRecorder(), newRequest(http.MethodOptions, "/api"+listRPC, header))
	}
	h.ServeHTTP(httptest.NewRecorder(), newRequest(http.MethodOptions, "/api"+getRPC, header))
	if lines := log.lines(); len(lines) != 1 || !strings.Contains(lines[0], `WithPathPrefix(\"/api\")`) {
		t.Errorf("%s", log)
	}
}

// TestLogIsBounded checks that the lines about origins that anyone can invent are few: one for each
// reason, rule and known procedure, and one more a second. At most ten lines a second are logged, and
// the number of suppressed lines once a minute, by reason and with a sample.
func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		layer, log := newLayer(t, allowPage)
		h := layer.Wrap(emptyHandler)
		second := func() {
			time.Sleep(time.Second)
			synctest.Wait()
		}
		for i := range 50 { // the same group, with other origins
			refuse(h, listRPC, fmt.Sprintf("https://evil%d.example", i))
		}
		if n := len(log.lines()); n != 2 {
			t.Fatalf("%d lines for one reason, rule and procedure, want that of one more origin:\n%s", n, log)
		}
		second()
		for i := range 50 { // unknown procedures are one group, also those of a known service
			refuse(h, fmt.Sprintf("/unknown%d.v1.S/M", i), "https://evil.example")
			refuse(h, fmt.Sprintf("/acme.catalog.v1.CatalogService/Unknown%d", i), "https://evil.example")
		}
		if n := len(log.lines()); n != 3 {
			t.Fatalf("%d lines, unknown procedures have to share one:\n%s", n, log)
		}
		second()
		for _, path := range []string{ // more groups than may be logged in a second
			"/acme.catalog.v1.CatalogService/Get", "/acme.catalog.v1.CatalogService/Watch", "/acme.catalog.v1.StockService/Get",
			"/acme.account.v1.AccountService/Get", "/acme.account.v1.AccountService/Update", "/acme.account.v1.AccountService/Close",
			"/acme.internal.v1.AdminService/Reset", "/Greeter/Hello", "/files/a",
			"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "/grpc.health.v1.Health/Check",
		} {
			for i := range 20 {
				origin := fmt.Sprintf("http://localhost:%d", 5000+i)
				refuse(h, path, origin)
				ask(h, path, origin, fmt.Sprintf("x-header-%d", i))
				ask(h, path, page, fmt.Sprintf("x-header-%d", i))
			}
			refuse(h, path, "https://evil.example")
			refuse(h, path, "not an origin")
		}
		if n := len(log.lines()); n > 3+10 || n < 3+8 {
			t.Fatalf("%d lines in one second, want about 10:\n%s", n-3, log)
		}
		written := len(log.lines())
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		counted := 0
		for _, line := range log.lines()[written:] {
			var n int
			_, count, _ := strings.Cut(line, "count=")
			if _, err := fmt.Sscan(count, &n); err != nil {
				t.Fatal(err, line)
			}
			counted += n
		}
		if all := 50 + 100 + 11*62; counted != all-written {
			t.Errorf("%d refusals are logged and %d counted, of %d:\n%s", written, counted, all, log)
		}
		for _, want := range []string{
			`reason=ORIGIN_MALFORMED origins=others sample_origin="not an origin" sample_target=`,
			`reason=ORIGIN_NOT_ALLOWED origins=others sample_origin=https://evil2.example sample_target=acme.catalog.v1.CatalogService.List`,
			`reason=ORIGIN_NOT_ALLOWED origins="named by the policy, or loopback" sample_origin=http://localhost:50`,
			`reason=HEADERS_NOT_GRANTED origins="named by the policy, or loopback" sample_origin=https://app.example.com`,
		} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("no count with %s:\n%s", want, log)
			}
		}
		before := len(log.lines())
		refuse(h, listRPC, "https://evil.example")
		if n := len(log.lines()); n != before+1 {
			t.Errorf("a minute later the refusal is not logged again:\n%s", log)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if n := len(log.lines()); n != before+1 {
			t.Errorf("nothing was suppressed, and yet a count was logged:\n%s", log)
		}
	})
}

// ask sends a preflight that asks for a header.
func ask(h http.Handler, path, origin, header string) {
	h.ServeHTTP(httptest.NewRecorder(), newRequest(http.MethodOptions, path, http.Header{
		"Origin": {origin}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {header},
	}))
}

// TestEachPageIsLogged checks that refusals of one procedure for one reason are logged for each origin
// and for each missing header, and for each unknown procedure of a page that the policy names.
func TestEachPageIsLogged(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		sent  func(h http.Handler)
		wants []string // each in one line
	}{
		{"a stranger, then a loopback page", func(h http.Handler) {
			refuse(h, listRPC, "https://evil.example")
			refuse(h, listRPC, "http://localhost:5173")
		}, []string{"origin=https://evil.example", "origin=http://localhost:5173"}},
		{"two loopback pages", func(h http.Handler) {
			refuse(h, listRPC, "http://localhost:3000")
			refuse(h, listRPC, "http://localhost:5173")
		}, []string{"origin=http://localhost:3000", "origin=http://localhost:5173"}},
		{"two headers of a page", func(h http.Handler) {
			ask(h, listRPC, page, "x-a")
			ask(h, listRPC, page, "x-b")
		}, []string{"missing=x-a", "missing=x-b"}},
		{"two origins that the policy does not name", func(h http.Handler) {
			refuse(h, listRPC, "https://a.example")
			refuse(h, listRPC, "https://b.example")
		}, []string{"origin=https://a.example", "origin=https://b.example"}},
		{"two unknown procedures", func(h http.Handler) {
			refuse(h, "/other.v1.S/A", "http://localhost:5173")
			refuse(h, "/other.v1.S/B", "http://localhost:5173")
		}, []string{"path=/other.v1.S/A", "path=/other.v1.S/B"}},
	} {
		layer, log := newLayer(t, allowPage)
		h := layer.Wrap(emptyHandler)
		for range 3 {
			test.sent(h)
		}
		if n := len(log.lines()); n != len(test.wants) {
			t.Errorf("%s: %d lines:\n%s", test.name, n, log)
		}
		for _, want := range test.wants {
			if !strings.Contains(log.String(), want) {
				t.Errorf("%s: no line with %s:\n%s", test.name, want, log)
			}
		}
	}
}

// TestFloodHidesNoPage checks that 100,000 refusals with invented origins, reasons and headers do not
// keep the line of another page out of the log, and that they are counted by reason with a sample. Some
// of them have the origin of a page that the policy names.
func TestFloodHidesNoPage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		layer, log := newLayer(t, allowPage)
		h := layer.Wrap(emptyHandler)
		paths := []string{listRPC, getRPC, "/acme.account.v1.AccountService/Get", "/Greeter/Hello", "/files/a", "/other.v1.S/M"}
		const flood = 100_000
		start := time.Now()
		for i := range flood {
			path, invented := paths[i%len(paths)], fmt.Sprintf("https://evil-%d.example", i)
			switch i % 5 {
			case 0:
				refuse(h, path, invented)
			case 1:
				refuse(h, path, fmt.Sprintf("not an origin %d", i))
			case 2:
				ask(h, path, invented, fmt.Sprintf("x-%d", i))
			case 3:
				ask(h, path, page, fmt.Sprintf("x-%d", i))
			case 4:
				refuse(h, fmt.Sprintf("/invented%d.v1.S/M", i), invented)
			}
			if i%1000 == 999 {
				time.Sleep(10 * time.Millisecond)
				synctest.Wait()
			}
			if i == flood/2 {
				refuse(h, listRPC, "http://localhost:5173")
			}
		}
		written := len(log.lines())
		if seconds := int(time.Since(start)/time.Second) + 1; written > 10*seconds+1 {
			t.Errorf("%d lines in %d seconds", written, seconds)
		}
		if n := strings.Count(log.String(), "origin=http://localhost:5173"); n != 1 {
			t.Errorf("%d lines of the page that matters:\n%s", n, log)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		for _, want := range []string{
			"reason=ORIGIN_NOT_ALLOWED origins=others sample_origin=https://evil-", "reason=ORIGIN_MALFORMED origins=others sample_origin=\"not an origin ",
			`reason=HEADERS_NOT_GRANTED origins="named by the policy, or loopback" sample_origin=https://app.example.com sample_`,
		} {
			if n := strings.Count(log.String(), want); n != 1 {
				t.Errorf("%d counts with %s", n, want)
			}
		}
		if n := len(log.lines()); n > written+5 {
			t.Errorf("%d lines of counts", n-written)
		}
	})
}

// TestFloodOfInventedPagesHidesNoPage checks that a program which invents loopback origins, and origins
// that a pattern matches, does not keep the line of a page that the policy names out of the log.
func TestFloodOfInventedPagesHidesNoPage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		layer, log := newLayer(t, `defaults: {allow_origins: [https://app.example.com, "https://*.shop.example"], disabled: true}`)
		h := layer.Wrap(emptyHandler)
		for i := range 20_000 {
			refuse(h, listRPC, fmt.Sprintf("http://localhost:%d", 1000+i))
			refuse(h, listRPC, fmt.Sprintf("https://invented-%d.shop.example", i))
			if i%100 == 99 {
				time.Sleep(100 * time.Millisecond)
				synctest.Wait()
			}
			if i == 15_050 {
				refuse(h, listRPC, page)
			}
		}
		if n := strings.Count(log.String(), "origin="+page); n != 1 {
			t.Errorf("%d lines of the page that matters", n)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
	})
}

// TestLogGroupsByRuleAndReason checks that requests with different rules, or with different decisions of
// the shadow policy, have separate log lines.
func TestLogGroupsByRuleAndReason(t *testing.T) {
	t.Parallel()
	layer, log := newLayer(t, smallest+`
rules: [{selector: acme.catalog.v1.*, max_age: 1s}, {selector: acme.account.v1.*, max_age: 2s}]
`)
	for range 2 {
		refuse(layer.Wrap(emptyHandler), "/acme.catalog.v1.New/A", "https://evil.example")
		refuse(layer.Wrap(emptyHandler), "/acme.account.v1.New/A", "https://evil.example")
	}
	if n := len(log.lines()); n != 2 {
		t.Errorf("%d lines of two rules:\n%s", n, log)
	}

	layer, log = newLayer(t, allowPage+"shadow: {defaults: {allow_origins: [https://new.example.com]}}")
	for range 2 {
		for _, cookie := range [][]string{nil, {"a=b"}} {
			header := http.Header{"Origin": {"https://new.example.com"}, "Cookie": cookie}
			layer.Wrap(emptyHandler).ServeHTTP(httptest.NewRecorder(), newRequest(http.MethodPost, listRPC, header))
		}
	}
	for _, reason := range []string{"shadow_reason=ORIGIN_ALLOWED", "shadow_reason=CREDENTIALS_NOT_ALLOWED"} {
		if n := strings.Count(log.String(), reason); n != 1 {
			t.Errorf("%d lines with %s:\n%s", n, reason, log)
		}
	}
}

// stuckHandler blocks until it is released.
type stuckHandler struct {
	slog.Handler
	goOn chan struct{}
}

func (stuckHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h stuckHandler) Handle(context.Context, slog.Record) error {
	<-h.goOn
	return nil
}

// TestBlockedLogDoesNotBlockRequests checks that a caller waits only a moment for a blocked log: requests
// are still refused and policies still change.
func TestBlockedLogDoesNotBlockRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := stuckHandler{slog.DiscardHandler, make(chan struct{})}
		layer, err := corsrpc.New(compilePolicy(t, allowPage), corsrpc.WithLogger(slog.New(log)))
		if err != nil {
			t.Fatal(err)
		}
		h := layer.Wrap(emptyHandler)
		start := time.Now()
		for _, path := range []string{listRPC, getRPC, "/files/a", "/other.v1.S/M"} {
			refuse(h, path, "https://evil.example")
		}
		for range 100 {
			if err := layer.Reload(t.Context(), compilePolicy(t, allowPage)); err != nil {
				t.Fatal(err)
			}
		}
		if waited := time.Since(start); waited > time.Second {
			t.Errorf("they waited for %v", waited)
		}
		close(log.goOn)
		<-time.After(time.Hour) // the counts of suppressed lines are due
	})
}

// panickingHandler is a log handler that panics.
type panickingHandler struct{ slog.Handler }

func (panickingHandler) Enabled(context.Context, slog.Level) bool { return true }

func (panickingHandler) Handle(context.Context, slog.Record) error { panic("the log is broken") }

// TestPanickingLogDoesNotAffectRequests checks that decisions are the same if the log panics.
func TestPanickingLogDoesNotAffectRequests(t *testing.T) {
	t.Parallel()
	layer, err := corsrpc.New(compilePolicy(t, allowPage), corsrpc.WithLogger(slog.New(panickingHandler{slog.DiscardHandler})))
	if err != nil {
		t.Fatal(err)
	}
	h := layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*") // the layer replaces and logs this
	}))
	for origin, want := range map[string]int{page: http.StatusOK, "https://evil.example": http.StatusForbidden} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, newRequest(http.MethodPost, listRPC, http.Header{"Origin": {origin}}))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", origin, w.Code, want)
		}
	}
}

// TestLogNamesUnknownProcedures checks that each line about a procedure that the schema does not have
// names it, or the path.
func TestLogNamesUnknownProcedures(t *testing.T) {
	t.Parallel()
	layer, log := newLayer(t, smallest+`
rules: [{selector: other.v1.Other, accept_risks: [UNKNOWN_SELECTORS]}]
shadow: {defaults: {allow_origins: [https://new.example.com]}}`)
	h := layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Access-Control-Allow-Origin", "*") }))
	for _, origin := range []string{page, "https://evil.example"} {
		refuse(h, "/other.v1.Other/Do", origin)
	}
	for message, want := range map[string]string{
		"the shadow policy decides differently": "path=/other.v1.Other/Do",
		"refused a cross-origin call":           "path=/other.v1.Other/Do",
		"replaced CORS headers":                 "target=other.v1.Other.Do",
	} {
		lines := strings.Split(log.String(), "\n")
		i := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, message) })
		if i < 0 || !strings.Contains(lines[i], want) {
			t.Errorf("the line %q has no %q:\n%s", message, want, log)
		}
	}
}

// TestSuppressedLinesAreCountedByKind checks that the counts of suppressed lines are kept by kind.
func TestSuppressedLinesAreCountedByKind(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text, origin, want, not string }{
		{"refused", smallest, "https://evil.example", `"corsrpc: suppressed similar refusals in the last minute" count=9`, "shadow"},
		{"would be refused", smallest + "\nenforcement: OBSERVE", "https://evil.example", `"corsrpc: suppressed similar would-be refusals in the last minute" count=9`, "similar refusals"},
		{"granted, and the shadow refuses", smallest + "\nshadow: {defaults: {allow_origins: [https://new.example.com]}}", page,
			`"corsrpc: suppressed similar shadow differences in the last minute" count=9 shadow_reason=ORIGIN_NOT_ALLOWED`, "refusals"},
	} {
		synctest.Test(t, func(t *testing.T) {
			layer, log := newLayer(t, test.text)
			for range 10 {
				refuse(layer.Wrap(emptyHandler), listRPC, test.origin)
			}
			<-time.After(time.Hour)
			synctest.Wait()
			if got := log.String(); !strings.Contains(got, test.want) || strings.Contains(got, test.not) {
				t.Errorf("%s: %s", test.name, got)
			}
		})
	}
}

// TestLogHasTheRemedyOfARequest: under WithExplain, the line about a page that the policy names has
// the text to write for its request. Other lines, and those of production, advise nothing about a
// request.
func TestLogHasTheRemedyOfARequest(t *testing.T) {
	t.Parallel()
	const remedy = `write allow_headers: [x-tenant-id] in a rule with selector acme.catalog.v1.CatalogService.List`
	for _, c := range []struct {
		from, mode string
		opts       []corsrpc.LayerOption
		want       string
	}{
		{page, "cors", []corsrpc.LayerOption{corsrpc.WithExplain()}, remedy},
		{page, "cors", nil, ""},
		{page, "no-cors", []corsrpc.LayerOption{corsrpc.WithExplain()}, "call with fetch in mode cors"},
		{"https://evil.example", "cors", []corsrpc.LayerOption{corsrpc.WithExplain()}, ""},
	} {
		layer, log := newLayer(t, allowPage, c.opts...)
		r := newRequest("OPTIONS", listRPC, http.Header{"Origin": {c.from}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"x-tenant-id"}})
		if c.mode != "cors" {
			r = newRequest("POST", listRPC, http.Header{"Origin": {c.from}, "Sec-Fetch-Mode": {c.mode}, "Sec-Fetch-Site": {"cross-site"}})
		}
		layer.Wrap(emptyHandler).ServeHTTP(httptest.NewRecorder(), r)
		if got := log.String(); !strings.Contains(got, "reason=") || !strings.Contains(got, c.want) || c.want == "" && (strings.Contains(got, "write allow_headers") || strings.Contains(got, `add \"https://evil`)) {
			t.Errorf("%s, mode %s: %s", c.from, c.mode, got)
		}
	}
}
