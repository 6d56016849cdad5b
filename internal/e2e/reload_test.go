package e2e

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// TestPolicyFileChanges: a change of the policy file takes effect for a page without a restart of the server, whatever preflights
// the browser has cached.
func TestPolicyFileChanges(t *testing.T) {
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		file := filepath.Join(t.TempDir(), "cors.yaml")
		write := func(origin string) {
			t.Helper()
			if err := os.WriteFile(file+"~", []byte("defaults: {allow_origins: ["+origin+"], allow_headers: [x-tenant-id]}"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(file+"~", file); err != nil {
				t.Fatal(err)
			}
		}
		write("https://other.example.com")
		reloads := make(chan error, 10)
		layer, err := corsrpc.Load(file, corsrpc.WithLogger(slog.New(slog.DiscardHandler)), corsrpc.WithObserver(corsrpc.ObserverFunc(func(_ context.Context, e corsrpc.Event) {
			if e.Kind == corsrpc.EventReload {
				reloads <- e.Err
			}
		})))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		watched := make(chan error, 1)
		go func() { watched <- layer.Watch(ctx) }()
		defer func() {
			cancel()
			if err := <-watched; err != nil {
				t.Error(err)
			}
		}()
		server := serveAPI(t, layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Note", "n") })))
		for _, step := range []struct {
			origin string
			status int // the status that the script reads; 0 if the call is blocked
		}{{"", 0}, {page.Origin, 200}, {"https://other.example.com", 0}, {page.Origin, 200}} {
			if step.origin != "" {
				write(step.origin)
				if err := <-reloads; err != nil {
					t.Fatal(err)
				}
			}
			got := fetchRaw(t, page, server.URL+"/acme.v1.Service/Method", fetchInit{Method: http.MethodPost, Headers: map[string]string{"Content-Type": "application/json", "X-Tenant-Id": "7"}})
			if got.Status != step.status {
				t.Errorf("under a policy for %q the script reads %+v, want status %d", step.origin, got, step.status)
			}
		}
	})
}
