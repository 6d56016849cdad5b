package comingfrom

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
)

var (
	allowed   = sidebyside.Preflight("Preflight that is allowed", sidebyside.App, "POST", "content-type")
	exchanges = []sidebyside.Exchange{
		allowed,
		sidebyside.Preflight("Preflight of another origin", "https://evil.example", "POST", "content-type"),
		sidebyside.Preflight("Preflight for a method that is not allowed", sidebyside.App, "PUT", "content-type"),
		sidebyside.Preflight("Preflight for a header that is not allowed", sidebyside.App, "POST", "content-type,x-other"),
		sidebyside.Request("`OPTIONS` of an allowed origin that is not a preflight", "OPTIONS", sidebyside.Buy, "Origin", sidebyside.App),
		sidebyside.Request("`OPTIONS` of another origin that is not a preflight", "OPTIONS", sidebyside.Buy, "Origin", "https://evil.example"),
		sidebyside.Request("`OPTIONS` without `Origin`", "OPTIONS", sidebyside.Buy),
		sidebyside.Request("`POST` of an allowed origin", "POST", sidebyside.Buy, "Origin", sidebyside.App, "Content-Type", "application/json"),
		sidebyside.Request("`PUT` of an allowed origin", "PUT", sidebyside.Buy, "Origin", sidebyside.App),
		sidebyside.Request("`GET` of an allowed origin, of a procedure with side effects", "GET", sidebyside.Buy, "Origin", sidebyside.App),
		sidebyside.Request("`POST` of another origin", "POST", sidebyside.Buy, "Origin", "https://evil.example", "Content-Type", "text/plain"),
		sidebyside.Request("`POST` of the origin `null`", "POST", sidebyside.Buy, "Origin", "null", "Content-Type", "text/plain"),
		sidebyside.Request("`POST` without `Origin`, as programs send it", "POST", sidebyside.Buy, "Content-Type", "application/json"),
		sidebyside.Request("`POST` without `Origin`, as a form of another site sends it", "POST", sidebyside.Buy, "Content-Type", "text/plain", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"),
		sidebyside.Request("`GET` of another origin, of a path that is not a procedure", "GET", sidebyside.File, "Origin", "https://evil.example"),
		sidebyside.Request("`POST` of an allowed origin in upper case", "POST", sidebyside.Buy, "Origin", "HTTPS://APP.EXAMPLE.COM", "Content-Type", "application/json"),
		allowed.Showing("`Vary` of a preflight", "Vary"),
		sidebyside.Request("", "GET", sidebyside.Me, "Origin", sidebyside.App).Showing("`Vary` of a `GET`, allowed origin", "Vary"),
		sidebyside.Request("", "GET", sidebyside.Me).Showing("`Vary` of a `GET` without `Origin`", "Vary"),
		allowed.Showing("`Access-Control-Allow-Methods` of a preflight", "Access-Control-Allow-Methods"),
		allowed.Showing("`Access-Control-Allow-Headers` of a preflight", "Access-Control-Allow-Headers"),
		allowed.Showing("`Access-Control-Max-Age` of a preflight, without a setting", "Access-Control-Max-Age"),
	}
)

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
		cells := []string{e.Words}
		for _, c := range columns {
			cells = append(cells, answer(e, c.wrap))
		}
		table.Rows = append(table.Rows, cells)
	}
	return table
}

// answer makes the request, and returns what the page shows of the answer.
func answer(e sidebyside.Exchange, wrap func(http.Handler) http.Handler) string {
	ran := false
	handler := wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ran = true
		sidebyside.API().ServeHTTP(w, r)
	}))
	r := httptest.NewRequest(e.Method, sidebyside.Host+e.Path, http.NoBody)
	r.Header = e.Header.Clone()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return e.Answer(w.Code, ran, w.Result().Header)
}
