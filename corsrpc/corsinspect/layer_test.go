package corsinspect_test

import (
	"context"
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

// TestFormExplainsAsItsLayer: the form shows the responses of its layer, with the header of
// WithExplain if the layer has that option.
func TestFormExplainsAsItsLayer(t *testing.T) {
	t.Parallel()
	form := url.Values{"origin": {"https://evil.example"}, "server": {"https://api.example.com"}, "target": {listRPC}, "method": {"POST"}}
	for _, explains := range []bool{false, true} {
		var opts []corsrpc.LayerOption
		if explains {
			opts = append(opts, corsrpc.WithExplain())
		}
		_, h := newLayer(t, allowPage, opts...)
		if got := strings.Contains(inspect(h, form, "application/json").Body.String(), "Corsrpc-Reason: ORIGIN_NOT_ALLOWED"); got != explains {
			t.Errorf("WithExplain: %t; the response has Corsrpc-Reason: %t", explains, got)
		}
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
