package servers

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
)

// exchange is a request as a program sends it, and what of the answer the page shows.
type exchange struct {
	words, method, path string
	header              http.Header
	// show is a response field whose value is shown, or "" for the status.
	show string
	// withoutMaxAge takes the row that sets no time.
	withoutMaxAge bool
}

func request(words, method, path string, header ...string) exchange {
	e := exchange{words: words, method: method, path: path, header: http.Header{}}
	for i := 0; i < len(header); i += 2 {
		e.header.Set(header[i], header[i+1])
	}
	return e
}

func (e exchange) showing(words, name string) exchange { e.words, e.show = words, name; return e }

func preflight(words, origin, method, headers string) exchange {
	return request(words, "OPTIONS", sidebyside.Buy, "Origin", origin, "Access-Control-Request-Method", method, "Access-Control-Request-Headers", headers)
}

var (
	allowed   = preflight("Preflight that is allowed", sidebyside.App, "POST", "content-type")
	called    = request("`GET` of an allowed origin", "GET", sidebyside.Me, "Origin", sidebyside.App)
	exchanges = []exchange{
		allowed,
		preflight("Preflight of another origin", otherDomain, "POST", "content-type"),
		preflight("Preflight for a method that is not allowed", sidebyside.App, "PUT", "content-type"),
		preflight("Preflight for a header that is not allowed", sidebyside.App, "POST", "content-type,x-other"),
		request("`OPTIONS` without `Origin`", "OPTIONS", sidebyside.Buy),
		called,
		request("`PUT` of an allowed origin", "PUT", sidebyside.Buy, "Origin", sidebyside.App),
		request("`GET` of an allowed origin, which the application answers with an error", "GET", failed, "Origin", sidebyside.App),
		request("`POST` of another origin", "POST", sidebyside.Buy, "Origin", otherDomain, "Content-Type", "text/plain"),
		request("`POST` of the origin `null`", "POST", sidebyside.Buy, "Origin", "null", "Content-Type", "text/plain"),
		request("`POST` without `Origin`, as programs send it", "POST", sidebyside.Buy, "Content-Type", "application/json"),
		request("`POST` without `Origin`, as a form of another site sends it", "POST", sidebyside.Buy, "Content-Type", "text/plain", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"),
		request("`GET` of another origin, of a path that is not a procedure", "GET", sidebyside.File, "Origin", otherDomain),
		request("`GET` of an allowed origin, of a path that is not a procedure", "GET", sidebyside.File, "Origin", sidebyside.App),
		request("", "GET", sidebyside.Me, "Origin", otherDomain).showing("`Access-Control-Allow-Credentials` for another origin", "Access-Control-Allow-Credentials"),
		allowed.showing("`Vary` of a preflight", "Vary"),
		called.showing("`Vary` of a `GET`, allowed origin", "Vary"),
		request("", "GET", sidebyside.Me).showing("`Vary` of a `GET` without `Origin`", "Vary"),
		{words: "`Access-Control-Max-Age`, without a setting", method: allowed.method, path: allowed.path, header: allowed.header, show: "Access-Control-Max-Age", withoutMaxAge: true},
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
		cells := []string{e.words}
		for j, p := range programs {
			cells = append(cells, e.answer(t, starts[j].transport, p.host(e.row(p))))
		}
		cells = append(cells, envoyAnswers[i], e.answer(t, gateway, nginxProgram.behind(e.row(nginxProgram))))
		table.Rows = append(table.Rows, cells)
	}
	return table
}

// row returns the index of the row that an exchange is about.
func (e exchange) row(p program) int {
	if !e.withoutMaxAge {
		return 0
	}
	return slices.IndexFunc(p.rows, func(r row) bool { return slices.Contains(r.policy, "max_age: none") && r.note == maxAgeDefault })
}

// answer makes the request, and returns what the page shows of the answer.
func (e exchange) answer(t *testing.T, transport http.RoundTripper, host string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), e.method, sidebyside.Host+e.path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = e.header.Clone()
	response, err := virtual{transport, host}.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
	if e.show != "" {
		value := strings.ToLower(strings.Join(response.Header.Values(e.show), ", "))
		if value == "" {
			return "none"
		}
		return "`" + value + "`"
	}
	text := fmt.Sprintf("`%d`", response.StatusCode)
	if response.Header.Get(sidebyside.Ran) != "" {
		text += ", runs"
	}
	if response.Header.Get("Access-Control-Allow-Origin") != "" {
		text += ", granted"
	}
	return text
}
