package alternatives

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"

	"google.golang.org/protobuf/types/known/wrapperspb"
)

// api is the address of the server.
const api = "https://api.example.com"

// A row is a contestant's row of all tables: a cell for each column.
type row map[string]string

// rowOf makes all calls to a contestant.
func rowOf(t *testing.T, c contestant) row {
	t.Helper()
	r := row{}
	for _, probe := range []func(*testing.T, contestant, row){
		reads, preflights, newHeaders, refusals, variants, paths, changes, varies, others,
	} {
		probe(t, c, r)
	}
	return r
}

// served returns the service behind the contestant, with the usual configuration.
func (c contestant) served(t *testing.T) http.Handler {
	t.Helper()
	if c.service != nil {
		return c.wrap(t, usual, c.service())
	}
	return c.wrap(t, usual, newConnect())
}

// open opens a page.
func open(t *testing.T, origin string, h http.Handler, engine corsbrowser.Engine) *corsbrowser.Browser {
	t.Helper()
	page, err := corsbrowser.New(origin, corsbrowser.WithHandler(h), corsbrowser.WithEngine(engine))
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// The kinds of calls in the table of what scripts read.
var kinds = []struct {
	name      string
	procedure string
	options   []connect.ClientOption
}{
	{"Connect", buy, nil},
	{"GET", get, []connect.ClientOption{connect.WithHTTPGet(), connect.WithIdempotency(connect.IdempotencyNoSideEffects)}},
	{"Connect streams", watch, nil},
	{"gRPC-Web", buy, []connect.ClientOption{connect.WithGRPCWeb()}},
	{"gRPC-Web streams", watch, []connect.ClientOption{connect.WithGRPCWeb()}},
}

// webClient returns a client for connect-go that sends the headers of connect-web.
func webClient(page *corsbrowser.Browser) *http.Client {
	return &http.Client{Transport: connectWeb{page}}
}

type connectWeb struct{ next http.RoundTripper }

// RoundTrip removes the headers that connect-go sends and connect-web does not, and adds those of gRPC-Web.
func (w connectWeb) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for _, name := range []string{"User-Agent", "Accept-Encoding", "Connect-Accept-Encoding", "Grpc-Accept-Encoding", "Te"} {
		r.Header.Del(name)
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc-web") {
		r.Header.Set("X-Grpc-Web", "1")
		r.Header.Set("X-User-Agent", "connect-es/2.1.2")
	}
	return w.next.RoundTrip(r)
}

// parts are the columns of that table.
var parts = []string{"message and error", "response metadata", "trailers", "metadata of an error"}

// reads notes which parts a page reads of which kinds of calls.
func reads(t *testing.T, c contestant, r row) {
	t.Helper()
	page := open(t, app, c.served(t), corsbrowser.Chromium)
	readable := map[string][]string{}
	for _, kind := range kinds {
		client := connect.NewClient[text, text](webClient(page), api+kind.procedure, kind.options...)
		succeeded, failed := call(t, client, kind.procedure, ""), call(t, client, kind.procedure, fail)
		var failure *connect.Error
		if errors.As(failed.err, &failure) && failure.Code() == connect.CodeFailedPrecondition && failure.Message() == "on purpose" && succeeded.message == "yes" {
			readable[parts[0]] = append(readable[parts[0]], kind.name)
		}
		if succeeded.header.Get(inHeader) != "" {
			readable[parts[1]] = append(readable[parts[1]], kind.name)
		}
		if succeeded.trailer.Get(inTrailer) != "" {
			readable[parts[2]] = append(readable[parts[2]], kind.name)
		}
		if failure != nil && failure.Meta().Get(inError) != "" {
			readable[parts[3]] = append(readable[parts[3]], kind.name)
		}
	}
	for _, part := range parts {
		switch got := readable[part]; len(got) {
		case 0:
			r[part] = "none"
		case len(kinds):
			r[part] = "all"
		default:
			r[part] = strings.Join(got, ", ")
		}
	}
}

// A called is what a client gets from a call.
type called struct {
	message         string
	header, trailer http.Header
	err             error
}

// call makes a call, unary or of a stream.
func call(t *testing.T, client *connect.Client[text, text], procedure, message string) (got called) {
	t.Helper()
	if procedure != watch {
		response, err := client.CallUnary(t.Context(), connect.NewRequest(wrapperspb.String(message)))
		if err != nil {
			return called{err: err}
		}
		return called{response.Msg.GetValue(), response.Header(), response.Trailer(), nil}
	}
	stream, err := client.CallServerStream(t.Context(), connect.NewRequest(wrapperspb.String(message)))
	if err != nil {
		return called{err: err}
	}
	defer stream.Close()
	for stream.Receive() {
		got.message = stream.Msg().GetValue()
	}
	got.header, got.trailer, got.err = stream.ResponseHeader(), stream.ResponseTrailer(), stream.Err()
	return got
}

// preflights notes how many preflights ten calls of one procedure take.
func preflights(t *testing.T, c contestant, r row) {
	t.Helper()
	count := func(kinds ...func(*corsbrowser.Browser) error) string {
		counts := map[string]int{}
		engines := []corsbrowser.Engine{corsbrowser.Chromium, corsbrowser.WebKit, corsbrowser.Firefox}
		for _, engine := range engines {
			page := open(t, app, c.served(t), engine)
			for i := range 10 {
				if err := kinds[i%len(kinds)](page); err != nil {
					return "no Connect"
				}
			}
			counts[engine.String()] = page.Preflights()
		}
		chromium, webkit, firefox := counts[engines[0].String()], counts[engines[1].String()], counts[engines[2].String()]
		if chromium != webkit {
			t.Errorf("%s: %d preflights in Chromium, %d in WebKit", c.name, chromium, webkit)
		}
		if chromium == firefox {
			return fmt.Sprint(chromium)
		}
		return fmt.Sprintf("%d; %d in Firefox", chromium, firefox)
	}
	by := func(timeout time.Duration, options ...connect.ClientOption) func(*corsbrowser.Browser) error {
		return func(page *corsbrowser.Browser) error {
			ctx := t.Context()
			if timeout > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, timeout)
				defer cancel()
			}
			_, err := connect.NewClient[text, text](webClient(page), api+buy, options...).CallUnary(ctx, connect.NewRequest(wrapperspb.String("")))
			return err
		}
	}
	mixed := []func(*corsbrowser.Browser) error{by(0), by(0, connect.WithGRPCWeb())}
	timed := []func(*corsbrowser.Browser) error{by(0, connect.WithGRPCWeb()), by(time.Minute, connect.WithGRPCWeb())}
	r["two protocols"], r["timeouts"] = count(mixed...), count(timed...)
}

// newHeaders notes whether calls with headers that no list has work.
func newHeaders(t *testing.T, c contestant, r row) {
	t.Helper()
	works := func(v variant, names ...string) bool {
		h := c.wrap(t, v, &backend{})
		if h == nil {
			return false
		}
		for _, name := range names {
			page := open(t, app, h, corsbrowser.Chromium)
			request := newRequest(t, http.MethodPost, api+buy, "Content-Type", "application/grpc-web+proto", "X-Grpc-Web", "1", name, "1")
			response, err := page.Client().Do(request)
			if err != nil {
				return false
			}
			response.Body.Close()
		}
		return true
	}
	r["protocol header"] = yesNo(works(usual, "Grpc-New", "Connect-New"))
	if works(usual, "X-New") {
		t.Errorf("%s grants a header that nothing names", c.name)
	}
	switch {
	case works(anyHeader, "X-New", "Authorization"):
		r["star"] = "yes"
	case works(anyHeader, "X-New"):
		r["star"] = "except `authorization`"
	default:
		r["star"] = "no"
	}
}

// refusals notes what becomes of calls from an origin that is not allowed.
func refusals(t *testing.T, c contestant, r row) {
	t.Helper()
	output := printed(t, func() {
		server := &backend{}
		h := c.wrap(t, usual, server)
		response := send(t, h, newRequest(t, http.MethodPost, api+buy, "Content-Type", "text/plain", "Origin", evil))
		if response.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s lets the page read a call of %s", c.name, evil)
		}
		r["simple call"] = fmt.Sprintf("%s, `%d`", yesNo(server.ran.Swap(0) > 0), response.StatusCode)
		response = send(t, h, preflight(t, evil))
		r["preflight"] = fmt.Sprintf("`%d`", response.StatusCode)
		if server.asked.Swap(0) > 0 {
			r["preflight"] += ", from the server"
		}
		if response.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s grants the preflight of %s", c.name, evil)
		}
	})
	switch {
	case strings.Contains(output, "ORIGIN_NOT_ALLOWED") && strings.Contains(output, "cors.yaml:2"):
		r["log"] = "reason, and line of the policy"
	case output != "":
		t.Errorf("%s prints %q", c.name, output)
	default:
		r["log"] = "nothing"
	}
	output = printed(t, func() {
		if h := c.wrap(t, debugging, &backend{}); h != nil {
			send(t, h, newRequest(t, http.MethodPost, api+buy, "Content-Type", "text/plain", "Origin", evil))
		}
	})
	if output != "" {
		if !strings.Contains(output, evil) {
			t.Errorf("%s, debugging, prints %q", c.name, output)
		}
		r["log"] += "; a line with `Debug`"
	}
}

// variants notes what only some have: a page that is told the reason, and Private Network Access.
func variants(t *testing.T, c contestant, r row) {
	t.Helper()
	r["told"] = "no"
	if h := c.wrap(t, explaining, &backend{}); h != nil {
		printed(t, func() {
			page := open(t, "http://localhost:3000", h, corsbrowser.Chromium)
			response, err := page.Client().Do(newRequest(t, http.MethodPost, "http://localhost:8080"+buy, "Content-Type", "application/json"))
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				return
			}
			defer response.Body.Close()
			if response.Header.Get("Corsrpc-Reason") == "" {
				t.Errorf("%s: %v", c.name, response.Header)
			}
			r["told"] = "in development, with `WithExplain`"
		})
	}
	r["private"] = "no"
	if h := c.wrap(t, private, &backend{}); h != nil {
		request := preflight(t, app)
		request.Header.Set("Access-Control-Request-Private-Network", "true")
		if response := send(t, h, request); response.Header.Get("Access-Control-Allow-Private-Network") != "true" {
			t.Errorf("%s: %v", c.name, response.Header)
		}
		r["private"] = "by an option"
	}
}

// paths notes whether one configuration has grants of their own for paths.
func paths(t *testing.T, c contestant, r row) {
	t.Helper()
	if c.perPath == nil {
		r["paths"] = "an instance for each"
		return
	}
	h := c.perPath(t, &backend{})
	for _, path := range []string{buy, get} {
		for _, origin := range []string{app, other} {
			got := allows(t, h, origin, path)
			if want := origin == allowedFor(path); got != want {
				t.Errorf("%s: %s may call %s: %t", c.name, origin, path, got)
			}
		}
	}
	r["paths"] = map[bool]string{true: "by a function", false: "yes"}[c.byFunction]
}

// allows reports whether a page of an origin may read the answer to a call.
func allows(t *testing.T, h http.Handler, origin, path string) (ok bool) {
	t.Helper()
	printed(t, func() {
		page := open(t, origin, h, corsbrowser.Chromium)
		response, err := page.Client().Do(newRequest(t, http.MethodPost, api+path, "Content-Type", "application/grpc-web+proto", "X-Grpc-Web", "1"))
		var blocked *corsbrowser.BlockedError
		if err != nil && !errors.As(err, &blocked) {
			t.Fatal(err)
		}
		if err == nil {
			response.Body.Close()
		}
		ok = err == nil
	})
	return ok
}

// changes notes what can change without a restart.
func changes(t *testing.T, c contestant, r row) {
	t.Helper()
	if c.changing == nil {
		r["change"] = "not tested"
		return
	}
	h, change := c.changing(t, &backend{})
	before := [2]bool{allows(t, h, app, buy), allows(t, h, other, buy)}
	printed(t, change)
	after := [2]bool{allows(t, h, app, buy), allows(t, h, other, buy)}
	if before != [2]bool{true, false} || after != [2]bool{false, true} {
		t.Errorf("%s: before %v, after %v", c.name, before, after)
	}
	r["change"] = map[bool]string{true: "origins, by a function", false: "yes"}[c.onlyOrigins]
}

// varies notes which answers to a GET have Vary: Origin, if two origins are allowed.
func varies(t *testing.T, c contestant, r row) {
	t.Helper()
	if c.name == wrapper {
		r["vary"] = "no GET"
		return
	}
	var have []string
	all := []struct {
		name    string
		request *http.Request
	}{
		{"allowed", newRequest(t, http.MethodGet, api+get, "Origin", app)},
		{"refused", newRequest(t, http.MethodGet, api+get, "Origin", evil)},
		{"without `Origin`", newRequest(t, http.MethodGet, api+get)},
	}
	for _, answer := range all {
		printed(t, func() {
			response := send(t, c.wrap(t, twoOrigins, &backend{}), answer.request)
			if slices.ContainsFunc(response.Header.Values("Vary"), func(v string) bool { return strings.Contains(strings.ToLower(v), "origin") }) {
				have = append(have, answer.name)
			}
		})
	}
	switch len(have) {
	case 0:
		r["vary"] = "none"
	case len(all):
		r["vary"] = "all"
	default:
		r["vary"] = strings.Join(have, ", ")
	}
}

// others notes what becomes of requests that are not calls of another origin's page.
func others(t *testing.T, c contestant, r row) {
	t.Helper()
	server := &backend{}
	h := c.wrap(t, usual, server)
	output := printed(t, func() {
		response := send(t, h, newRequest(t, http.MethodOptions, api+buy, "Origin", app))
		reached := server.asked.Swap(0) > 0
		r["options"] = fmt.Sprintf("`%d`", response.StatusCode)
		if reached {
			r["options"] = "the server"
		}
		guarded := c.guarded
		if guarded == nil {
			guarded = func(t *testing.T, next http.Handler) http.Handler { t.Helper(); return c.wrap(t, usual, next) }
		}
		response = send(t, guarded(t, server), newRequest(t, http.MethodPost, "https://rebound.example/mcp", "Content-Type", "application/json", "Origin", "https://rebound.example"))
		r["rebound"] = fmt.Sprintf("%s, `%d`", yesNo(server.ran.Swap(0) > 0), response.StatusCode)
	})
	if output != "" && c.name != "corsrpc" {
		t.Errorf("%s prints %q", c.name, output)
	}
	r["native"] = yesNo(native(t, c))
}

// native reports whether a program calls by native gRPC, over HTTP/2.
func native(t *testing.T, c contestant) bool {
	t.Helper()
	both, h2 := new(http.Protocols), new(http.Protocols)
	both.SetHTTP1(true)
	both.SetUnencryptedHTTP2(true)
	h2.SetUnencryptedHTTP2(true)
	server := httptest.NewUnstartedServer(c.served(t))
	server.Config.Protocols = both
	server.Start()
	defer server.Close()
	transport := &http.Transport{Protocols: h2}
	defer transport.CloseIdleConnections()
	client := connect.NewClient[text, text](&http.Client{Transport: transport}, server.URL+buy, connect.WithGRPC())
	response, err := client.CallUnary(t.Context(), connect.NewRequest(wrapperspb.String("")))
	return err == nil && response.Header().Get(inHeader) != "" && response.Trailer().Get(inTrailer) != ""
}

// A backend counts the requests that reach it: calls in ran, and OPTIONS in asked.
type backend struct{ ran, asked atomic.Int64 }

// ServeHTTP answers a call with 200, and OPTIONS with 405, as handlers of connect-go do.
func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodOptions {
		b.asked.Add(1)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	b.ran.Add(1)
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, "{}")
}

// newRequest returns a request. Its fields are name and value in turn.
func newRequest(t *testing.T, method, url string, fields ...string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		request.Header.Set(fields[i], fields[i+1])
	}
	return request
}

// preflight returns the preflight of a call by gRPC-Web.
func preflight(t *testing.T, origin string) *http.Request {
	t.Helper()
	return newRequest(t, http.MethodOptions, api+buy, "Origin", origin, "Access-Control-Request-Method", http.MethodPost,
		"Access-Control-Request-Headers", "content-type,x-grpc-web")
}

// send sends a request to a handler as it is, without a browser.
func send(t *testing.T, h http.Handler, request *http.Request) *http.Response {
	t.Helper()
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, request)
	response := recorder.Result()
	response.Body.Close()
	return response
}

func yesNo(yes bool) string { return map[bool]string{true: "yes", false: "no"}[yes] }

// printed returns the text that f writes to the standard output, the standard error and the standard logger.
func printed(t *testing.T, f func()) string {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	stdout, stderr, logger := os.Stdout, os.Stderr, log.Writer()
	os.Stdout, os.Stderr = file, file
	log.SetOutput(file)
	defer func() {
		os.Stdout, os.Stderr = stdout, stderr
		log.SetOutput(logger)
	}()
	f()
	got, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}
