//go:build fleet

package fleet_test

import (
	"context"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// TestVectors passes every case of the corpus through Envoy with the external processor, and through Wrap. The
// answers are equal, apart from the cases of byEnvoy.
func TestVectors(t *testing.T) {
	suites, err := vectors.Suites()
	if err != nil {
		t.Fatal(err)
	}
	b := startBesideWrap(t)
	cases, unused := 0, maps.Clone(byEnvoy)
	for _, s := range suites {
		layer := layerOf(t, s)
		for _, c := range s.Cases {
			cases++
			name := s.File + "/" + c.Name
			delete(unused, name)
			for _, p := range protocols {
				t.Run(p.name+" "+name, func(t *testing.T) {
					got := ""
					for _, d := range b.differences(t, p.name, exchangeOf(layer, c)) {
						got += d.String()
					}
					if want := byEnvoy[name].difference; got != want {
						t.Errorf("the difference is\n%s, want\n%s", got, want)
					}
				})
			}
		}
	}
	for name := range unused {
		t.Errorf("the corpus has no case %q", name)
	}
	if cases < 150 {
		t.Errorf("%d cases, want at least 150", cases)
	}
	b.finish(t)
}

// byEnvoy has the cases whose answers are not those of Wrap, in both protocols.
var byEnvoy = map[string]struct{ difference, why string }{
	"exact_origins/a gRPC-Web call of another origin is a gRPC error":      {`content-type "", Wrap "application/grpc-web+proto"`, bodyless},
	"exact_origins/a gRPC-Web text call of another origin is a gRPC error": {`content-type "", Wrap "application/grpc-web-text"`, bodyless},
	"exact_origins/a gRPC call of another origin is a gRPC error": {
		`status "200", Wrap "403"`, "Envoy answers calls of native gRPC, which no page makes, with status 200, as gRPC has it",
	},
	"exact_origins/several Origin headers are refused":                {twoOrigins, joined},
	"exact_origins/the same Origin twice is refused":                  {twoOrigins, joined},
	"exact_origins/several Origin headers of a preflight are refused": {twoOrigins, joined},
	"request_headers/17 lines get what is fixed": {
		`access-control-allow-headers ", x-acme-a", Wrap ""`,
		"Envoy joins the lines of Access-Control-Request-Headers to one, so that the limit for lines is not exceeded; the policy allows the name",
	},
	"exposure/what belongs to the connection":              {`upgrade "", Wrap "u"`, "a proxy does not pass this field on"},
	"exposure/trailers that net/http sends after the body": {`trailer:grpc-status "", Wrap "0"`, byServer},
	"exposure/a name that is not a token":                  {`bad name "", Wrap "b"`, byServer},
}

const (
	twoOrigins = `body "MALFORMED): the Origin header ", Wrap "REPEATED): the request has mor"`

	bodyless = "Envoy removes Content-Type from its own answers without a body"
	joined   = "Envoy joins the lines of Origin to one, which is malformed"
	byServer = "net/http does not send a field of this name, and the recorder keeps it"
)

// exchangeOf returns the exchange of a case.
func exchangeOf(layer *corsrpc.Layer, c vectors.Case) exchange {
	raw := rawRequest{method: http.MethodPost, host: "api.example.com", path: c.Request.Path, secure: c.Request.TLS}
	if c.Request.Method != "" {
		raw.method = c.Request.Method
	}
	if c.Request.Host != "" {
		raw.host = c.Request.Host
	}
	if raw.method == http.MethodPost {
		raw.body = "body"
	}
	for _, name := range slices.Sorted(maps.Keys(c.Request.Header)) {
		for _, line := range c.Request.Header[name] {
			raw.fields = append(raw.fields, [2]string{name, line})
		}
	}
	return exchange{
		layer: layer,
		raw:   raw,
		handler: func(w http.ResponseWriter, _ *http.Request) {
			maps.Copy(w.Header(), c.Response.Header.HTTP())
			if c.Response.Status != 0 {
				w.WriteHeader(c.Response.Status)
			}
		},
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
		source := corsrpc.OriginSourceFunc(func(context.Context) iter.Seq2[string, error] { return rowsOf(rows) })
		layerOpts = append(layerOpts, corsrpc.WithOriginSource(name, source, corsrpc.SourceWait(time.Minute)))
	}
	layer, err := corsrpc.New(plan, layerOpts...)
	if err != nil {
		t.Fatal(err)
	}
	return layer
}

// rowsOf yields rows without errors.
func rowsOf(rows []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}
