package docs

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// probedServer starts the server of the page about probe. A proxy in front of its layer adds a second
// Access-Control-Allow-Origin to the responses of one procedure.
func probedServer(t *testing.T) *httptest.Server {
	t.Helper()
	document, err := corsrpc.ParsePolicy("cors.yaml", []byte("defaults: {allow_origins: [https://app.example.com]}"))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(document.Policy(), corsrpc.WithDocument(document))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := corsrpc.New(plan, corsrpc.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	handler := layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Request-Id", "1")
		_, _ = io.WriteString(w, "{}")
	}))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/acme.account.v1.AccountService/Update" && r.Header.Get("Origin") == "https://app.example.com" {
			w = addsOrigin{w}
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

// addsOrigin adds an Access-Control-Allow-Origin to a response.
type addsOrigin struct{ http.ResponseWriter }

func (a addsOrigin) WriteHeader(status int) {
	a.Header().Add("Access-Control-Allow-Origin", "*")
	a.ResponseWriter.WriteHeader(status)
}
