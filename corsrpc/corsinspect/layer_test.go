package corsinspect_test

import (
	"context"
	"encoding/json"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

const (
	page    = "https://app.example.com"
	listRPC = "/acme.catalog.v1.CatalogService/List"
	getRPC  = "/acme.catalog.v1.CatalogService/Get"
)

// allowPage is a policy that allows one origin to call every procedure.
const allowPage = `
defaults:
  allow_origins: [https://app.example.com]
rules:
  - path: /files/
    expose: PRESENT
`

// quiet turns off the log.
var quiet = corsrpc.WithLogger(slog.New(slog.DiscardHandler))

// compilePolicy compiles a YAML policy with the schema of the test vectors.
func compilePolicy(t testing.TB, text string) *corsrpc.Plan {
	t.Helper()
	files, err := vectors.Schema("acme")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithFiles(files), corsrpc.WithDocument(doc))
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// newLayer returns a layer for a YAML policy, without a log, and its inspector.
func newLayer(t testing.TB, text string, opts ...corsrpc.LayerOption) (*corsrpc.Layer, *corsinspect.Inspector) {
	t.Helper()
	return layerOf(t, compilePolicy(t, text), nil, opts...)
}

// layerOf is newLayer for a compiled plan, with options of the inspector.
func layerOf(t testing.TB, plan *corsrpc.Plan, own []corsinspect.Option, opts ...corsrpc.LayerOption) (*corsrpc.Layer, *corsinspect.Inspector) {
	t.Helper()
	inspector, err := corsinspect.New(own...)
	if err != nil {
		t.Fatal(err)
	}
	layer, err := corsrpc.New(plan, append(opts, quiet, corsrpc.WithObserver(inspector))...)
	if err != nil {
		t.Fatal(err)
	}
	return layer, inspector
}

// newRequest returns a request to api.example.com with header fields.
func newRequest(method, path string, header http.Header) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader("{}"))
	r.Host = "api.example.com"
	for k, v := range header {
		r.Header[k] = v
	}
	return r
}

// refuse sends a call from an origin that the policy or its shadow does not allow.
func refuse(h http.Handler, path, origin string) {
	h.ServeHTTP(httptest.NewRecorder(), newRequest(http.MethodPost, path, http.Header{"Origin": {origin}}))
}

// nothing is a handler that does nothing.
var nothing = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})

// rowsOf returns an origin source with these rows.
func rowsOf(rows ...string) corsrpc.OriginSource {
	return corsrpc.OriginSourceFunc(func(context.Context) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
		}
	})
}

// TestFormShowsProduction: the form shows the responses of production, also if its layer has
// WithExplain.
func TestFormShowsProduction(t *testing.T) {
	t.Parallel()
	form := url.Values{"origin": {"http://localhost:5173"}, "server": {"https://api.example.com"}, "target": {listRPC}, "method": {"POST"}}
	_, plain := newLayer(t, allowPage)
	_, explains := newLayer(t, allowPage, corsrpc.WithExplain())
	var shown [2]struct{ Trial json.RawMessage }
	for i, h := range []http.Handler{plain, explains} {
		if err := json.Unmarshal(inspect(h, form, "application/json").Body.Bytes(), &shown[i]); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := string(shown[1].Trial), string(shown[0].Trial); got != want || !strings.Contains(got, "ORIGIN_NOT_ALLOWED") {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestAttachRefusesNoLayer: Attach fails for a nil and for a zero layer.
func TestAttachRefusesNoLayer(t *testing.T) {
	t.Parallel()
	for _, l := range []*corsrpc.Layer{nil, {}} {
		i, err := corsinspect.New()
		if err != nil {
			t.Fatal(err)
		}
		if err := i.Attach(l); err == nil {
			t.Errorf("no error for %v", l)
		}
	}
}
