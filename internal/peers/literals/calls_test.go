package literals

import (
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

const server = "https://api.example.dev"

// The paths of the server. The first procedure is declared without side effects.
const (
	me     = "/acme.v1.AccountService/Me"
	buy    = "/acme.v1.AccountService/Buy"
	health = "/grpc.health.v1.Health/Check"
	file   = "/files/report.pdf"
)

// call is a call of a script.
type call struct {
	name, method, path string
	header             http.Header
	credentials        corsbrowser.Credentials
}

// usualOrigins are the origins that every configuration is tried with.
var usualOrigins = []string{
	"https://app.example.com", "https://admin.example.com", "https://shop.example.com", "https://example.com", "https://a.example.com", "https://a.b.example.com",
	"https://pr-1.example.com", "https://pr-1.a.example.com", "https://app.example.com:8443", "https://evil.example", "https://evilexample.com",
	"https://app.example.com.evil.example", "http://app.example.com", "http://evil.example", "http://localhost", "http://localhost:3000", "http://localhost:5173",
	"http://127.0.0.1:5173", "http://localhost.evil.example", "null",
}

// metadata are the request headers that scripts try.
var metadata = []string{
	"authorization", "x-tenant-id", "x-csrf-token", "x-requested-with", "x-http-method-override", "grpc-metadata-x", "access-control-allow-origin", "traceparent",
}

// calls are the calls that the scripts of each page make.
var calls = allCalls()

func allCalls() (all []call) {
	add := func(name, method, path string, header ...string) {
		h := http.Header{}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		all = append(all, call{name, method, path, h, corsbrowser.Omit})
	}
	json := []string{"content-type", "application/json"}
	add("Connect", "POST", buy, append(json, "connect-protocol-version", "1")...)
	add("Connect with a timeout", "POST", buy, append(json, "connect-protocol-version", "1", "connect-timeout-ms", "5000")...)
	add("JSON", "POST", buy, json...)
	add("text", "POST", buy, "content-type", "text/plain")
	add("gRPC-Web", "POST", buy, "content-type", "application/grpc-web+proto", "x-grpc-web", "1", "x-user-agent", "connect-es/2")
	add("gRPC-Web without its own headers", "POST", buy, "content-type", "application/grpc-web+proto")
	add("gRPC-Web without a preflight", "POST", buy+"?grpc-web", "content-type", "text/plain")
	add("GET", "GET", me)
	add("GET with an answer of gRPC-Web", "GET", me+"?grpc-web")
	add("GET with a long Accept", "GET", me, "accept", strings.Repeat("application/json, ", 10))
	add("GET of a procedure with side effects", "GET", buy)
	for _, c := range slices.Clone(all) {
		c.name, c.credentials = c.name+" with credentials", corsbrowser.Include
		all = append(all, c)
	}
	for _, method := range []string{"PUT", "PATCH", "DELETE"} {
		add(method, method, buy)
	}
	add("HEAD", "HEAD", me)
	add("GET of a file", "GET", file)
	add("POST of a file", "POST", file, "content-type", "text/plain")
	add("health", "POST", health, json...)
	add("health as text", "POST", health, "content-type", "text/plain")
	for _, name := range slices.Concat(metadata, rpc.Names(rpc.Connect|rpc.GRPCWeb, rpc.Request)) {
		add("GET with "+name, "GET", me, name, "1/x")
		add("text with "+name, "POST", buy, "content-type", "text/plain", name, "1/x")
	}
	return all
}

// outcome is what becomes of a call.
type outcome struct {
	// sent is true if the handler ran, and readable if the script reads the answer.
	sent, readable bool
	// exposed are the response headers that the script reads, without those that it always reads.
	exposed []string
	// maxAge is how long the browser may keep the preflight, in seconds; -1 without a preflight that passed.
	maxAge int
}

// api is the handler behind each middleware. It answers OPTIONS as the handlers of connect-go do.
func api(ran *bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		*ran = true
		h := w.Header()
		for name, value := range map[string]string{
			"X-Request-Id": "1", "Trailer-X-Request-Id": "2", "X-Internal": "3", "Etag": `"4"`, "Trailer-Etag": "5", "Link": "</6>", "Trailer-Link": "7", "Server": "8", "Via": "1.1 9", "Date": "Fri, 27 Nov 2026 12:00:00 GMT",
		} {
			h.Set(name, value)
		}
		h.Set("Content-Type", "application/json")
		if rpc.IsGRPCWeb(r.Header.Get("Content-Type")) || r.URL.RawQuery == "grpc-web" {
			h.Set("Content-Type", "application/grpc-web+proto")
			h.Set("Grpc-Status", "5")
			h.Set("Grpc-Message", "none")
			h.Set("Grpc-Status-Details-Bin", "AA")
		}
		w.WriteHeader(http.StatusOK)
	})
}

// visit makes all calls from a page of an origin. wrap makes the server.
func visit(t *testing.T, origin string, wrap func(http.Handler) http.Handler) (outcomes []outcome) {
	t.Helper()
	ran := false
	handler := wrap(api(&ran))
	for _, c := range calls {
		ran = false
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		jar.SetCookies(&url.URL{Scheme: "https", Host: strings.TrimPrefix(server, "https://"), Path: "/"}, []*http.Cookie{{Name: "session", Value: "1", Secure: true}})
		page, err := corsbrowser.New(origin, corsbrowser.WithHandler(handler), corsbrowser.WithCookieJar(jar))
		if err != nil {
			t.Fatal(err)
		}
		ctx := corsbrowser.WithInit(t.Context(), corsbrowser.Init{Credentials: c.credentials})
		request, err := http.NewRequestWithContext(ctx, c.method, server+c.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header = c.header.Clone()
		o := outcome{maxAge: -1}
		response, err := page.Client().Do(request)
		var blocked *corsbrowser.BlockedError
		switch {
		case err == nil:
			io.Copy(io.Discard, response.Body)
			response.Body.Close()
			o.readable = true
			for name := range response.Header {
				if lower := strings.ToLower(name); !fetch.SafelistedResponseHeader(lower) {
					o.exposed = append(o.exposed, lower)
				}
			}
			slices.Sort(o.exposed)
		case !errors.As(err, &blocked):
			t.Fatal(err)
		}
		o.sent = ran
		for _, e := range page.Log() {
			if e.Preflight && e.Refusal == "" && (o.sent || o.readable) {
				o.maxAge = 5
				if values := e.Answer["Access-Control-Max-Age"]; len(values) == 1 {
					if n, err := strconv.Atoi(values[0]); err == nil {
						o.maxAge = n
					}
				}
			}
		}
		outcomes = append(outcomes, o)
	}
	return outcomes
}
