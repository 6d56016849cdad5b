package corsenvoy_test

import (
	"context"
	"crypto/tls"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsenvoy"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// TestVectors passes every case of the corpus through Wrap, and through Envoy with the processor. The browser
// gets the same in both ways: status, every field of the header, and body.
func TestVectors(t *testing.T) {
	t.Parallel()
	suites, err := vectors.Suites()
	if err != nil {
		t.Fatal(err)
	}
	cases, oneTrip := 0, 0
	for _, s := range suites {
		layer := layerOf(t, s)
		p, err := corsenvoy.New(layer)
		if err != nil {
			t.Fatal(err)
		}
		client, _ := startProcessor(t, p)
		for _, c := range s.Cases {
			cases++
			t.Run(s.File+"/"+c.Name, func(t *testing.T) {
				ran := false
				handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					ran = true
					maps.Copy(w.Header(), c.Response.Header.HTTP())
					if c.Response.Status != 0 {
						w.WriteHeader(c.Response.Status)
					}
				})
				w := httptest.NewRecorder()
				layer.Wrap(handler).ServeHTTP(w, requestOf(t, c))
				want := result{w.Code, canonical(w.Result().Header), w.Body.String(), ran, 0}
				for _, override := range []bool{false, true} {
					e := &envoy{client: client, upstream: handler, override: override}
					got := e.do(t.Context(), requestOf(t, c))
					if got.trips == 1 && got.ran && override {
						oneTrip++
					}
					got.header, got.trips = canonical(got.header), 0
					if !reflect.DeepEqual(got, want) {
						t.Errorf("mode override %v:\n%+v\nWrap:\n%+v", override, got, want)
					}
				}
			})
		}
	}
	if cases < 150 || oneTrip < 20 {
		t.Errorf("%d cases, %d of them in one round trip", cases, oneTrip)
	}
}

// layerOf returns a layer for the policy of a suite.
func layerOf(t *testing.T, s vectors.Suite) *corsrpc.Layer {
	t.Helper()
	files, err := vectors.Schema(s.Schema)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := corsrpc.ParsePolicy(s.File+".yaml", []byte(s.Policy))
	if err != nil {
		t.Fatal(err)
	}
	opts := []corsrpc.CompileOption{
		corsrpc.WithFiles(files), corsrpc.WithProfile(s.Profile), corsrpc.WithDocument(doc),
		corsrpc.WithLookupEnv(func(name string) (string, bool) { v, ok := s.Env[name]; return v, ok }),
	}
	for _, prefix := range s.Prefixes {
		opts = append(opts, corsrpc.WithPathPrefix(prefix))
	}
	plan, err := corsrpc.Compile(doc.Policy(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	layerOpts := []corsrpc.LayerOption{corsrpc.WithLogger(slog.New(slog.DiscardHandler))}
	for name, rows := range s.Sources {
		layerOpts = append(layerOpts, corsrpc.WithOriginSource(name, rowsOf(rows), corsrpc.SourceWait(time.Minute)))
	}
	layer, err := corsrpc.New(plan, layerOpts...)
	if err != nil {
		t.Fatal(err)
	}
	return layer
}

// rowsOf returns a source that streams rows.
func rowsOf(rows []string) corsrpc.OriginSource {
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

// requestOf returns the request of a case as net/http gives it to a handler.
func requestOf(t *testing.T, c vectors.Case) *http.Request {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("body"))
	if c.Request.Method != "" {
		r.Method = c.Request.Method
	}
	r.Host = "api.example.com"
	if c.Request.Host != "" {
		r.Host = c.Request.Host
	}
	u, err := url.ParseRequestURI(c.Request.Path)
	if err != nil {
		t.Fatal(err)
	}
	r.URL, r.RequestURI, r.Header = u, c.Request.Path, c.Request.Header.HTTP()
	if c.Request.TLS {
		r.TLS = &tls.ConnectionState{}
	}
	return r
}
