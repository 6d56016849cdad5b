package comingfrom

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	connectcors "connectrpc.com/cors"
	"github.com/rs/cors"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// comparison is the page that has the table of TestBehaviour.
const comparison = "../../../corsrpc/docs/beside-others.md"

// implementations are the columns of the table, each for the page https://app.example.com, with what its documentation
// recommends.
var implementations = []struct {
	name   string
	server func(t *testing.T) http.Handler
}{
	{"corsrpc", corsrpcServer},
	{"rs/cors with connectrpc.com/cors", func(*testing.T) http.Handler {
		return cors.New(cors.Options{
			AllowedOrigins: app, AllowedMethods: connectcors.AllowedMethods(), AllowedHeaders: connectcors.AllowedHeaders(), ExposedHeaders: connectcors.ExposedHeaders(),
		}).Handler(http.HandlerFunc(application))
	}},
	{"go-chi/cors", chiTable.rows[0].server},
	{"gorilla/handlers", gorillaTable.rows[0].server},
	{"gin-contrib/cors", ginTable.rows[0].server},
	{"improbable-eng/grpc-web", grpcWebTable.rows[0].server},
	{"Express cors", express(expressTable.rows[0].option)},
	{"Flask-CORS", flask(flaskTable.rows[0].option)},
	{"nginx, the usual lines", nginxLines("")(nginxTable.rows[0].option)},
}

func corsrpcServer(t *testing.T) http.Handler {
	t.Helper()
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte("defaults:\n  allow_origins: [https://app.example.com]\n"))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc))
	if err != nil {
		t.Fatal(err)
	}
	return plan.Wrap(http.HandlerFunc(application))
}

// questions are the rows of the table. Each asks a server, and returns the cell.
var questions = []struct {
	text string
	ask  func(t *testing.T, server http.Handler) string
}{
	{"a call of another page, which needs no preflight, runs", func(t *testing.T, s http.Handler) string {
		return yesNo(send(t, s, http.MethodPost, "https://evil.example", "Content-Type", "text/plain").Get(ran) != "")
	}},
	{"a preflight of another page gets the status", func(t *testing.T, s http.Handler) string {
		return send(t, s, http.MethodOptions, "https://evil.example", preflight("content-type,x-grpc-web")...).Get(":status")
	}},
	{"a script of the page reads a header that the handler sends", func(t *testing.T, s http.Handler) string {
		o := callFrom(t, s, app[0], grpcWebKinds[0])
		return yesNo(o.readable && len(o.exposed) > 0)
	}},
	{"a header that a newer client sends (`connect-new-feature`) works without a change", func(t *testing.T, s http.Handler) string {
		return yesNo(grants(send(t, s, http.MethodOptions, app[0], preflight("connect-new-feature,content-type,x-grpc-web")...), "connect-new-feature"))
	}},
	{"a header that a script sets twice works (Firefox asks for `x-grpc-web,x-grpc-web`)", func(t *testing.T, s http.Handler) string {
		return yesNo(grants(send(t, s, http.MethodOptions, app[0], preflight("content-type,x-grpc-web,x-grpc-web")...), "x-grpc-web"))
	}},
	{"browsers keep an answer to a preflight for", func(t *testing.T, s http.Handler) string {
		return fmt.Sprintf("`%ds`", maxAge(send(t, s, http.MethodOptions, app[0], preflight("content-type,x-grpc-web")...).Get("Access-Control-Max-Age")))
	}},
	{"OPTIONS that is not a preflight reaches the handler", func(t *testing.T, s http.Handler) string {
		return yesNo(send(t, s, http.MethodOptions, "").Get(ran) != "")
	}},
	{"a GET without Origin gets `Vary: Origin`, for caches", func(t *testing.T, s http.Handler) string {
		return yesNo(strings.Contains(strings.Join(send(t, s, http.MethodGet, "").Values("Vary"), ","), "Origin"))
	}},
}

// TestBehaviour compares the table of the page with what each implementation does.
func TestBehaviour(t *testing.T) {
	var b strings.Builder
	b.WriteString("\n| |")
	var servers []http.Handler
	for _, i := range implementations {
		servers = append(servers, i.server(t))
		b.WriteString(" " + i.name + " |")
	}
	b.WriteString("\n|" + strings.Repeat(" --- |", len(servers)+1) + "\n")
	for _, q := range questions {
		b.WriteString("| " + q.text + " |")
		for _, s := range servers {
			b.WriteString(" " + q.ask(t, s) + " |")
		}
		b.WriteString("\n")
	}
	compare(t, comparison, b.String())
}

// send sends a request to the procedure, and returns the header of the response, with the status as ":status".
func send(t *testing.T, s http.Handler, method, origin string, header ...string) http.Header {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, api+procedure+"?connect=v1&encoding=json&message=%7B%7D", nil)
	r.RequestURI = ""
	if origin != "" {
		r.Header.Set("Origin", origin)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "cors")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	h := w.Header()
	h[":status"] = []string{fmt.Sprint(w.Code)}
	h.Set(":status", fmt.Sprint(w.Code))
	return h
}

// preflight returns the fields of a preflight for a POST with these headers.
func preflight(names string) []string {
	return []string{"Access-Control-Request-Method", http.MethodPost, "Access-Control-Request-Headers", names}
}

// grants reports whether the response to a preflight grants a header to the page.
func grants(h http.Header, name string) bool {
	if h.Get("Access-Control-Allow-Origin") == "" {
		return false
	}
	for item := range strings.SplitSeq(strings.Join(h.Values("Access-Control-Allow-Headers"), ","), ",") {
		if item = strings.TrimSpace(item); item == "*" || strings.EqualFold(item, name) {
			return true
		}
	}
	return false
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
