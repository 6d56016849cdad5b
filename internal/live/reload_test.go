package live

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// TestReloadsUnderLoad: 1,000 policies, one after another, by Reload and by the
// file, while pages call: no call is lost that every version allows, and none is
// let through that none does.
func TestReloadsUnderLoad(t *testing.T) {
	t.Parallel()
	const policies = 1000
	version := func(i int) string {
		text := fmt.Sprintf("defaults: {allow_origins: [https://app.example.com, https://v%d.example.com], max_age: %ds}\n", i, i)
		if i%2 == 0 {
			text += "rules: [{selector: \"*\", allow_headers: [x-even], expose: DECLARED}]\n"
		}
		return text
	}
	file := filepath.Join(t.TempDir(), "cors.yaml")
	replace := func(text string) {
		if err := os.WriteFile(file+"~", []byte(text), 0o600); err != nil {
			t.Error(err)
		}
		if err := os.Rename(file+"~", file); err != nil {
			t.Error(err)
		}
	}
	replace(version(0))
	reloads := make(chan error, 10*policies)
	layer, err := corsrpc.Load(file, corsrpc.WithLogger(nil), corsrpc.WithObserver(corsrpc.ObserverFunc(func(_ context.Context, e corsrpc.Event) {
		if e.Kind == corsrpc.EventReload {
			reloads <- e.Err
		}
	})))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	watched := make(chan error, 1)
	go func() { watched <- layer.Watch(ctx) }()

	server := httptest.NewServer(layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Meta", "m") })))
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	var calls, answered atomic.Int64
	var pages sync.WaitGroup
	for i := range 6 {
		from, want := "https://app.example.com", http.StatusOK
		if i == 5 {
			from, want = "https://evil.example", http.StatusForbidden
		}
		pages.Go(func() {
			for ctx.Err() == nil {
				calls.Add(1)
				if status, allow, err := post(t.Context(), client, server.URL, from); err != nil || status != want || (allow == from) != (want == http.StatusOK) {
					t.Errorf("a page of %s: %d %q %v", from, status, allow, err)
					return
				}
				answered.Add(1)
			}
		})
	}
	for i := range policies {
		if err := layer.Reload(ctx, compile(t, version(i))); err != nil {
			t.Error(err)
		}
		if i%10 == 3 {
			replace(strings.Replace(version(i), "allow_origins", "allow_origin", 1))
		} else {
			replace(version(i))
		}
	}
	replace(version(policies))
	for good := 0; ; {
		if err := <-reloads; err == nil {
			good++
		}
		if fmt.Sprint(layer.Plan().Policy().GetDefaults().GetMaxAge().GetSeconds()) == fmt.Sprint(policies) {
			t.Logf("%d reloads that succeeded, %d calls", good, calls.Load())
			break
		}
	}
	cancel()
	pages.Wait()
	server.Close()
	client.CloseIdleConnections()
	if err := <-watched; err != nil {
		t.Error(err)
	}
	if calls.Load() != answered.Load() || calls.Load() < 100 {
		t.Errorf("%d calls, %d answered as they should be", calls.Load(), answered.Load())
	}
}

func post(ctx context.Context, client *http.Client, url, from string) (status int, allow string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/acme.v1.Service/Method", strings.NewReader("{}"))
	if err != nil {
		return 0, "", err
	}
	r.Header = http.Header{"Origin": {from}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"cors"}, "Content-Type": {"application/json"}}
	res, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	return res.StatusCode, res.Header.Get("Access-Control-Allow-Origin"), nil
}
