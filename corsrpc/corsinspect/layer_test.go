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

// allowPage lets one origin call everything.
const allowPage = `
defaults:
  allow_origins: [https://app.example.com]
rules:
  - path: /files/
    expose: PRESENT
`

// quiet switches the log off.
var quiet = corsrpc.WithLogger(slog.New(slog.DiscardHandler))

// compilePolicy compiles a YAML policy against the corpus's schema.
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

// newLayer returns a layer for a YAML policy, which logs nothing, and its inspector.
func newLayer(t testing.TB, text string, opts ...corsrpc.LayerOption) (*corsrpc.Layer, *corsinspect.Inspector) {
	t.Helper()
	return layerOf(t, compilePolicy(t, text), nil, opts...)
}

// layerOf is newLayer for a plan, and for options of the inspector.
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

func newRequest(method, path string, header http.Header) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader("{}"))
	r.Host = "api.example.com"
	for k, v := range header {
		r.Header[k] = v
	}
	return r
}

// refuse sends a call of an origin that is not granted.
func refuse(h http.Handler, path, origin string) {
	h.ServeHTTP(httptest.NewRecorder(), newRequest(http.MethodPost, path, http.Header{"Origin": {origin}}))
}

var nothing = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})

// rowsOf is a source that streams rows.
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

// TestFormExplainsAsItsLayer: the form shows the answers that the layer gives, those that
// explain themselves included.
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
			t.Errorf("with explanations: %t; the answer explains itself: %t", explains, got)
		}
	}
}

// TestAttachRefusesNoLayer: only a layer that Load or New made can be inspected.
func TestAttachRefusesNoLayer(t *testing.T) {
	t.Parallel()
	for _, l := range []*corsrpc.Layer{nil, {}} {
		i, err := corsinspect.New()
		if err != nil {
			t.Fatal(err)
		}
		if err := i.Attach(l); err == nil {
			t.Errorf("%v is attached", l)
		}
	}
}
