package docs

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// exchange is a request whose answer a page shows: the block holds header fields
// of the answer, and after an empty line its body.
type exchange struct {
	page    string
	policy  string
	options []corsrpc.LayerOption
	request func() *http.Request
}

// exchanges are the requests whose answers the pages show in blocks of the
// language http, one for each page.
var exchanges = []exchange{{
	page:    "corsrpc/docs/when-a-call-fails.md",
	policy:  "defaults: {allow_origins: [https://app.example.com]}",
	options: []corsrpc.LayerOption{corsrpc.WithExplain(), corsrpc.WithLogger(slog.New(slog.DiscardHandler))},
	request: func() *http.Request {
		r := httptest.NewRequest(http.MethodPost, "https://api.example.com/acme.catalog.v1.CatalogService/List", nil)
		r.Header.Set("Origin", "http://localhost:5173")
		r.Header.Set("Content-Type", "application/json")
		return r
	},
}}

// checkHTTP returns the lines of a block that are not header fields of the
// answer to the page's request, and its body if that is not the answer's.
func checkHTTP(b block, exchanges []exchange, used map[string]bool) (problems []problem) {
	for _, e := range exchanges {
		if e.page != b.page {
			continue
		}
		used["http "+e.page] = true
		answer, err := e.answer()
		if err != nil {
			return []problem{b.problem("%v", err)}
		}
		fields, body, hasBody := strings.Cut(b.text, "\n\n")
		if got := answer.Body.String(); hasBody && strings.TrimSpace(got) != strings.TrimSpace(body) {
			problems = append(problems, b.problem("the answer has the body %s, and the page %s", got, body))
		}
		for line := range strings.Lines(fields) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			if got := answer.Header().Get(name); got != value || value == "" {
				problems = append(problems, b.problem("the answer has %q for %s, and the page %q", got, name, value))
			}
		}
		return problems
	}
	return []problem{b.problem("no test makes this answer: add the request to the table in internal/docs/http_blocks.go")}
}

// answer returns the layer's answer to the request, in front of a server with the
// schema of the corpus.
func (e exchange) answer() (*httptest.ResponseRecorder, error) {
	files, err := vectors.Schema("acme")
	if err != nil {
		return nil, err
	}
	document, err := corsrpc.ParsePolicy("cors.yaml", []byte(e.policy))
	if err != nil {
		return nil, err
	}
	plan, err := corsrpc.Compile(document.Policy(), corsrpc.WithDocument(document), corsrpc.WithFiles(files))
	if err != nil {
		return nil, err
	}
	layer, err := corsrpc.New(plan, e.options...)
	if err != nil {
		return nil, err
	}
	recorder := httptest.NewRecorder()
	layer.Wrap(http.NotFoundHandler()).ServeHTTP(recorder, e.request())
	return recorder, nil
}
