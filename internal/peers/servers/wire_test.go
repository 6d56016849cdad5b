package servers

import (
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
)

var (
	allowed   = sidebyside.Preflight("Preflight that is allowed", sidebyside.App, "POST", "content-type")
	called    = sidebyside.Request("`GET` of an allowed origin", "GET", sidebyside.Me, "Origin", sidebyside.App)
	exchanges = []sidebyside.Exchange{
		allowed,
		sidebyside.Preflight("Preflight of another origin", otherDomain, "POST", "content-type"),
		sidebyside.Preflight("Preflight for a method that is not allowed", sidebyside.App, "PUT", "content-type"),
		sidebyside.Preflight("Preflight for a header that is not allowed", sidebyside.App, "POST", "content-type,x-other"),
		sidebyside.Request("`OPTIONS` without `Origin`", "OPTIONS", sidebyside.Buy),
		called,
		sidebyside.Request("`PUT` of an allowed origin", "PUT", sidebyside.Buy, "Origin", sidebyside.App),
		sidebyside.Request("`GET` of an allowed origin, which the application answers with an error", "GET", failed, "Origin", sidebyside.App),
		sidebyside.Request("`POST` of another origin", "POST", sidebyside.Buy, "Origin", otherDomain, "Content-Type", "text/plain"),
		sidebyside.Request("`POST` of the origin `null`", "POST", sidebyside.Buy, "Origin", "null", "Content-Type", "text/plain"),
		sidebyside.Request("`POST` without `Origin`, as programs send it", "POST", sidebyside.Buy, "Content-Type", "application/json"),
		sidebyside.Request("`POST` without `Origin`, as a form of another site sends it", "POST", sidebyside.Buy, "Content-Type", "text/plain", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"),
		sidebyside.Request("`GET` of another origin, of a path that is not a procedure", "GET", sidebyside.File, "Origin", otherDomain),
		sidebyside.Request("`GET` of an allowed origin, of a path that is not a procedure", "GET", sidebyside.File, "Origin", sidebyside.App),
		sidebyside.Request("", "GET", sidebyside.Me, "Origin", otherDomain).Showing("`Access-Control-Allow-Credentials` for another origin", "Access-Control-Allow-Credentials"),
		allowed.Showing("`Vary` of a preflight", "Vary"),
		called.Showing("`Vary` of a `GET`, allowed origin", "Vary"),
		sidebyside.Request("", "GET", sidebyside.Me).Showing("`Vary` of a `GET` without `Origin`", "Vary"),
		allowed.Showing("`Access-Control-Max-Age`, without a setting", "Access-Control-Max-Age"),
	}
)

// wire returns the table of what programs see, each with the first row of its table.
func wire(t *testing.T, starts []running, gateway http.RoundTripper) sidebyside.Table {
	t.Helper()
	table := sidebyside.Table{Header: []string{"Request"}}
	for _, p := range programs {
		table.Header = append(table.Header, p.name)
	}
	table.Header = append(table.Header, envoy.name, "corsrpc gateway")
	for i, e := range exchanges {
		cells := []string{e.Words}
		for j, p := range programs {
			cells = append(cells, answer(t, e, starts[j].transport, p.host(p.rowOf(e))))
		}
		cells = append(cells, envoyAnswers[i], answer(t, e, gateway, nginxProgram.behind(nginxProgram.rowOf(e))))
		table.Rows = append(table.Rows, cells)
	}
	return table
}

// rowOf returns the index of the row that an exchange is about: the first one, or the one that sets no time.
func (p program) rowOf(e sidebyside.Exchange) int {
	if e.Show != "Access-Control-Max-Age" {
		return 0
	}
	return slices.IndexFunc(p.rows, func(r row) bool {
		return slices.Contains(r.policy, "max_age"+sidebyside.NotSet) && r.note == maxAgeDefault
	})
}

// answer makes the request, and returns what the page shows of the answer.
func answer(t *testing.T, e sidebyside.Exchange, transport http.RoundTripper, host string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), e.Method, sidebyside.Host+e.Path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = e.Header.Clone()
	response, err := virtual{transport, host}.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
	return e.Answer(response.StatusCode, response.Header.Get(sidebyside.Ran) != "", response.Header)
}
