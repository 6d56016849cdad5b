package comingfrom

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
)

// exchange is a request as a program sends it, and what of the answer the page shows.
type exchange struct {
	words, method, path string
	header              http.Header
	// show is "status", or the names of response fields.
	show []string
}

func request(words, method, path string, header ...string) exchange {
	e := exchange{words: words, method: method, path: path, header: http.Header{}}
	for i := 0; i < len(header); i += 2 {
		e.header.Set(header[i], header[i+1])
	}
	return e
}

func (e exchange) showing(names ...string) exchange { e.show = names; return e }

func preflight(words, origin, method, headers string) exchange {
	return request(words, "OPTIONS", sidebyside.Buy, "Origin", origin, "Access-Control-Request-Method", method, "Access-Control-Request-Headers", headers)
}

var (
	allowed   = preflight("Preflight that is allowed", sidebyside.App, "POST", "content-type")
	exchanges = []exchange{
		allowed,
		preflight("Preflight of another origin", "https://evil.example", "POST", "content-type"),
		preflight("Preflight for a method that is not allowed", sidebyside.App, "PUT", "content-type"),
		preflight("Preflight for a header that is not allowed", sidebyside.App, "POST", "content-type,x-other"),
		request("`OPTIONS` of an allowed origin that is not a preflight", "OPTIONS", sidebyside.Buy, "Origin", sidebyside.App),
		request("`OPTIONS` of another origin that is not a preflight", "OPTIONS", sidebyside.Buy, "Origin", "https://evil.example"),
		request("`OPTIONS` without `Origin`", "OPTIONS", sidebyside.Buy),
		request("`POST` of an allowed origin", "POST", sidebyside.Buy, "Origin", sidebyside.App, "Content-Type", "application/json"),
		request("`PUT` of an allowed origin", "PUT", sidebyside.Buy, "Origin", sidebyside.App),
		request("`GET` of an allowed origin, of a procedure with side effects", "GET", sidebyside.Buy, "Origin", sidebyside.App),
		request("`POST` of another origin", "POST", sidebyside.Buy, "Origin", "https://evil.example", "Content-Type", "text/plain"),
		request("`POST` of the origin `null`", "POST", sidebyside.Buy, "Origin", "null", "Content-Type", "text/plain"),
		request("`POST` without `Origin`, as programs send it", "POST", sidebyside.Buy, "Content-Type", "application/json"),
		request("`POST` without `Origin`, as a form of another site sends it", "POST", sidebyside.Buy, "Content-Type", "text/plain", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"),
		request("`GET` of another origin, of a path that is not a procedure", "GET", sidebyside.File, "Origin", "https://evil.example"),
		request("`POST` of an allowed origin in upper case", "POST", sidebyside.Buy, "Origin", "HTTPS://APP.EXAMPLE.COM", "Content-Type", "application/json"),
		renamed(allowed, "`Vary` of a preflight").showing("Vary"),
		request("`Vary` of a `GET`, allowed origin", "GET", sidebyside.Me, "Origin", sidebyside.App).showing("Vary"),
		request("`Vary` of a `GET` without `Origin`", "GET", sidebyside.Me).showing("Vary"),
		renamed(allowed, "`Access-Control-Allow-Methods` of a preflight").showing("Access-Control-Allow-Methods"),
		renamed(allowed, "`Access-Control-Allow-Headers` of a preflight").showing("Access-Control-Allow-Headers"),
		renamed(allowed, "`Access-Control-Max-Age` of a preflight, without a setting").showing("Access-Control-Max-Age"),
	}
)

func renamed(e exchange, words string) exchange { e.words = words; return e }

// wire returns the table of what programs see of the libraries, each with two allowed origins.
func wire(t *testing.T) sidebyside.Table {
	t.Helper()
	layer := sidebyside.Layer(t, sidebyside.Defaults("allow_origins: [https://app.example.com, https://admin.example.com]"))
	columns := []struct {
		name string
		wrap func(http.Handler) http.Handler
	}{
		{rs.name, rsOrigins}, {gorilla.name, gorillaOrigins}, {chi.name, chiOrigins}, {ginLibrary.name, ginOrigins}, {"corsrpc", layer},
	}
	table := sidebyside.Table{Header: []string{"Request"}}
	for _, c := range columns {
		table.Header = append(table.Header, c.name)
	}
	for _, e := range exchanges {
		cells := []string{e.words}
		for _, c := range columns {
			cells = append(cells, e.answer(c.wrap))
		}
		table.Rows = append(table.Rows, cells)
	}
	return table
}

// answer makes the request, and returns what the page shows of the answer.
func (e exchange) answer(wrap func(http.Handler) http.Handler) string {
	ran := false
	handler := wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ran = true
		sidebyside.API().ServeHTTP(w, r)
	}))
	r := httptest.NewRequest(e.method, sidebyside.Host+e.path, http.NoBody)
	r.Header = e.header.Clone()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if len(e.show) > 0 {
		value := strings.ToLower(strings.Join(w.Result().Header.Values(e.show[0]), ", "))
		if value == "" {
			return "none"
		}
		return "`" + value + "`"
	}
	text := fmt.Sprintf("`%d`", w.Code)
	if ran {
		text += ", runs"
	}
	if w.Result().Header.Get("Access-Control-Allow-Origin") != "" {
		text += ", granted"
	}
	return text
}
