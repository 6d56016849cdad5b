//go:build fleet

package fleet

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// mayGet reports whether the preflight of a page's GET call of read is allowed, which depends on the schema, and what the answer is.
func (f *fleet) mayGet() (ok bool, answer string) {
	f.t.Helper()
	r, err := http.NewRequestWithContext(f.t.Context(), http.MethodOptions, urlOf(f.gateway, publicPort, read), nil)
	if err != nil {
		f.t.Fatal(err)
	}
	r.Header.Set("Origin", origin)
	r.Header.Set("Access-Control-Request-Method", http.MethodGet)
	r.Header.Set("Access-Control-Request-Headers", "connect-timeout-ms")
	response, err := f.http.Do(r)
	if err != nil {
		return false, err.Error()
	}
	response.Body.Close()
	h := response.Header
	return h.Get("Access-Control-Allow-Origin") == origin && strings.Contains(h.Get("Access-Control-Allow-Methods"), http.MethodGet), fmt.Sprint(response.Status, h)
}

// TestGatewaySchemaLater: the upstream cannot be reached when the gateway starts. The gateway is not ready and says why; it becomes ready without a
// restart when the upstream is there.
func TestGatewaySchemaLater(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		cut  bool
	}{{"nobody listens", false}, {"the link is cut", true}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := begin(t)
			if test.cut {
				f.startUpstream(connectGo, readable)
				f.upstream.Cut()
			}
			f.startGateway(settings{kind: connectGo})
			f.eventually("/readyz names the upstream that cannot be reached", 20*time.Second, func() bool {
				status, text := f.inspect("/readyz")
				return status == http.StatusServiceUnavailable && strings.Contains(text, "waits for the schema: the upstream link (h2c://"+f.upstream.Address)
			})
			_, text := f.inspect("/readyz")
			t.Log(text)
			if ok, _ := f.mayGet(); ok {
				t.Error("a page was allowed before the policy was in force")
			}
			if test.cut {
				f.upstream.Mend()
			} else {
				f.startUpstream(connectGo, readable)
			}
			begun := time.Now()
			f.eventually("the gateway is ready", 20*time.Second, func() bool { return isReady(f.inspect("/readyz")) })
			t.Logf("ready after %s", time.Since(begun).Round(10*time.Millisecond))
			if ok, why := f.mayGet(); !ok {
				t.Errorf("GET of a method without side effects is not allowed: %s", why)
			}
		})
	}
}

// TestGatewaySchemaBehindCut: the link is cut while the gateway follows the schema, and the upstream restarts with another one. The last schema
// stays in force during the cut; after it the new one is.
func TestGatewaySchemaBehindCut(t *testing.T) {
	t.Parallel()
	f := start(t, settings{kind: connectGo, schema: readable})
	if ok, why := f.mayGet(); !ok {
		t.Fatalf("GET of a method without side effects is not allowed: %s", why)
	}
	f.upstream.Cut()
	f.server.kill()
	f.startUpstream(connectGo, plain)
	if status, text := f.inspect("/readyz"); !isReady(status, text) {
		t.Errorf("/readyz during the cut: %d %s", status, text)
	}
	f.upstream.Mend()
	begun := time.Now()
	f.eventually("the new schema is in force", 90*time.Second, func() bool { ok, _ := f.mayGet(); return !ok })
	t.Logf("in force after %s", time.Since(begun).Round(10*time.Millisecond))
	if code, err := f.echo(t.Context(), overConnect); code != 0 {
		t.Errorf("a call by the new schema: %v", err)
	}
}
