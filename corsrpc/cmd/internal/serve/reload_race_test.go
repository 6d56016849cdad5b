package serve

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// TestAllChangesAtOnce: the policy file, the descriptor file, the server's schema and the table change at once,
// Reload is called, and requests come. Every request is decided by a policy that was valid: a page that all of
// them allow is always allowed, and one that none allows never is. In the end the last state is in force.
func TestAllChangesAtOnce(t *testing.T) {
	t.Parallel()
	const rounds = 25
	dir := t.TempDir()
	server := startReflecting(t, version1, declared("shop.proto", "acme.v1.Shop/Get"))
	name := write(t, filepath.Join(dir, "cart.binpb"), image(t, declared("cart.proto", "acme.cart.v1.Cart/Get")))
	table := sqliteFile(t, filepath.Join(dir, "tenants.db"), "tenants", shop)
	o := openOrigins(t, &corsrpcv1.OriginSource{Name: "tenants", Url: "sqlite:" + table, Every: durationpb.New(5 * time.Millisecond)})
	metrics := newMetrics(t)
	file := policyFile(t, tenantsPolicy)
	r := newRunning(t, PolicyConfig{
		File: file, Reflect: []ReflectedServer{server.upstream("shop")}, ReflectEvery: 5 * time.Millisecond, Descriptors: []string{name},
		Sources: map[string]Source{"tenants": o.Source()}, Metrics: metrics,
	})
	r.awaitReady()
	p := newPort(t, InternalConfig{Metrics: metrics}, r.Policy)
	ctx, cancel := context.WithCancel(t.Context())
	var changing, calling sync.WaitGroup
	handler := r.Wrap(http.NotFoundHandler())
	for range 2 {
		calling.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				for origin, want := range map[string]string{app: app, "https://evil.example": ""} {
					request := httptest.NewRequest(http.MethodOptions, "http://api.example.com/acme.v1.Shop/Get", nil)
					request.Header.Set("Origin", origin)
					request.Header.Set("Access-Control-Request-Method", "POST")
					w := httptest.NewRecorder()
					handler.ServeHTTP(w, request)
					if got := w.Header().Get("Access-Control-Allow-Origin"); got != want {
						t.Errorf("%s: allowed %q", origin, got)
					}
				}
				r.Streams("acme.v1.Shop", "Get")
				if i%20 == 0 {
					for _, path := range []string{"/readyz", "/metrics", "/inspect/default/", "/"} {
						p.get(path)
					}
				}
			}
		})
	}
	change := func(each func(i int)) {
		changing.Go(func() {
			for i := range rounds {
				each(i)
				<-time.After(time.Duration(i%7) * 10 * time.Millisecond)
			}
		})
	}
	change(func(i int) {
		text := tenantsPolicy + fmt.Sprintf("\nrules: [{selector: acme.v1.Shop, allow_headers: [x-%d]}]", i)
		if i%3 == 1 {
			text = strings.ReplaceAll(text, app, "https://*") // not valid
		}
		write(t, file, text)
	})
	change(func(i int) {
		text := image(t, declared("cart.proto", fmt.Sprintf("acme.cart.v1.Cart/Get%d*", i)))
		if i%3 == 1 {
			text = "not a schema"
		}
		write(t, name, text)
	})
	change(func(i int) {
		server.restart(version1, declared("shop.proto", fmt.Sprintf("acme.v1.Shop/Get%d*", i)))
	})
	change(func(i int) { replaceOrigin(t, table, i) })
	change(func(int) { r.Reload() })
	changing.Wait()
	r.await("the last state", func() bool {
		return r.Streams("acme.v1.Shop", "Get24") && r.Streams("acme.cart.v1.Cart", "Get24") && r.allows("https://shop24.example.com", "/acme.v1.Shop/Get24") &&
			strings.Contains(fmt.Sprint(r.Layer().Plan().Policy()), "x-24")
	})
	cancel()
	calling.Wait()
}

// replaceOrigin replaces the origins of a table.
func replaceOrigin(t *testing.T, table string, i int) {
	t.Helper()
	change(t, table, fmt.Sprintf(`DELETE FROM tenants; INSERT INTO tenants VALUES ('https://shop%d.example.com')`, i))
}
