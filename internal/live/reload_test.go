package live

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// version returns the i-th policy. It allows app, the tenants, and the pages with the numbers
// i and i+1.
func version(i int) string {
	text := fmt.Sprintf("defaults: {allow_origins: [%s, %s, %s], allow_origins_from: [tenants], max_age: %ds}\n", app, pageOf(i), pageOf(i+1), i)
	if i%2 == 0 {
		text += "rules: [{selector: \"*\", allow_headers: [x-even], expose: DECLARED}]\n"
	}
	return text
}

const (
	app  = "https://app.example.com"
	evil = "https://evil.example"
)

// pageOf returns the origin of the page with a number.
func pageOf(i int) string { return fmt.Sprintf("https://v%d.example.com", i) }

// versionOf returns the number of the policy in force.
func versionOf(layer *corsrpc.Layer) int {
	return int(layer.Plan().Policy().GetDefaults().GetMaxAge().GetSeconds())
}

// loaded is a server under load: pages call it until the test ends.
type loaded struct {
	layer           *corsrpc.Layer
	swap            func(text string)
	url             string
	client          *http.Client
	reloads         chan error
	calls, answered atomic.Int64
}

// load runs a server with the policy of a file, under load and with Watch, until the test
// ends. It then fails the test if a call had a wrong response.
func load(t *testing.T, file string, pages ...string) *loaded {
	t.Helper()
	s := &loaded{reloads: make(chan error, 10_000), client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}}
	tenants := corsrpc.OriginSourceFunc(func(context.Context) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) { yield(shop, nil) }
	})
	layer, err := corsrpc.Load(file, corsrpc.WithLogger(slog.New(slog.DiscardHandler)), corsrpc.WithOriginSource("tenants", tenants, corsrpc.SourceWait(time.Minute)),
		corsrpc.WithObserver(corsrpc.ObserverFunc(func(_ context.Context, e corsrpc.Event) {
			if e.Kind == corsrpc.EventReload {
				s.reloads <- e.Err
			}
		})))
	if err != nil {
		t.Fatal(err)
	}
	s.layer = layer
	ctx, cancel := context.WithCancel(context.Background())
	watched := make(chan error, 1)
	go func() { watched <- layer.Watch(ctx) }()
	server := httptest.NewServer(layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Meta", "m") })))
	s.url = server.URL
	var all sync.WaitGroup
	for _, from := range pages {
		all.Go(func() {
			for ctx.Err() == nil && s.call(t, from) {
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		all.Wait()
		server.Close()
		s.client.CloseIdleConnections()
		if err := <-watched; err != nil {
			t.Error(err)
		}
		if calls := s.calls.Load(); calls != s.answered.Load() || calls < 100 {
			t.Errorf("%d of %d calls had the right response", s.answered.Load(), calls)
		}
	})
	return s
}

// call makes a call from a page, and reports whether the response is right: evil is refused,
// and other pages are allowed.
func (s *loaded) call(t *testing.T, from string) bool {
	want := http.StatusOK
	if from == evil {
		want = http.StatusForbidden
	}
	s.calls.Add(1)
	status, allow, err := post(context.Background(), s.client, s.url, from)
	if err != nil || status != want || (allow == from) != (want == http.StatusOK) {
		t.Errorf("a page of %s: %d %q %v", from, status, allow, err)
		return false
	}
	s.answered.Add(1)
	return true
}

// TestReloadsUnderLoad: while 1,000 policies are loaded with Reload and from the file
// concurrently, calls that every policy allows succeed, and calls that no policy allows are
// refused.
func TestReloadsUnderLoad(t *testing.T) {
	t.Parallel()
	const policies = 1000
	file := filepath.Join(t.TempDir(), "cors.yaml")
	replace(t, file, version(0))
	s := load(t, file, app, app, shop, evil)
	for i := range policies {
		if err := s.layer.Reload(t.Context(), compile(t, version(i))); err != nil {
			t.Error(err)
		}
		if i%10 == 3 {
			replace(t, file, bad(i))
		} else {
			replace(t, file, version(i))
		}
	}
	replace(t, file, version(policies))
	for versionOf(s.layer) != policies {
		<-s.reloads
	}
}

// TestSwapsUnderLoad: eight servers each load 1,000 versions of a file that is replaced by
// rename, and of a ConfigMap. While a version is loaded, calls that the old and the new
// version allow succeed. A version that is not valid changes nothing.
func TestSwapsUnderLoad(t *testing.T) {
	t.Parallel()
	const servers, swaps = 8, 125
	var all []*loaded
	start := func(file string, swap func(text string)) {
		swap(version(0))
		s := load(t, file, app, shop, evil)
		s.swap = swap
		all = append(all, s)
	}
	for range servers {
		file, mount := filepath.Join(t.TempDir(), "cors.yaml"), t.TempDir()
		start(file, func(text string) { replace(t, file, text) })
		start(filepath.Join(mount, "cors.yaml"), configMap(t, mount))
	}
	for i := range swaps {
		if i%10 == 3 {
			for _, s := range all {
				s.swap(bad(i))
			}
			for _, s := range all {
				if err := s.await(t, pageOf(i)); err == nil || versionOf(s.layer) != i {
					t.Fatalf("a bad version %d: %v, and %d is in force", i, err, versionOf(s.layer))
				}
			}
		}
		for _, s := range all {
			s.swap(version(i + 1))
		}
		for _, s := range all {
			if err := s.await(t, pageOf(i+1)); err != nil || versionOf(s.layer) != i+1 {
				t.Fatalf("version %d: %v, and %d is in force", i+1, err, versionOf(s.layer))
			}
		}
	}
	for _, s := range all {
		if n := len(s.reloads); n != 0 {
			t.Errorf("there were %d more reloads than versions", n)
		}
	}
}

// await makes calls from a page until the next version is in force or has failed, and returns
// the error of the reload.
func (s *loaded) await(t *testing.T, from string) error {
	t.Helper()
	for {
		select {
		case err := <-s.reloads:
			return err
		default:
			if !s.call(t, from) {
				t.FailNow()
			}
		}
	}
}

// bad returns a version that is not valid.
func bad(i int) string { return strings.Replace(version(i), "allow_origins", "allow_origin", 1) }

// replace replaces a file by rename.
func replace(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file+"~", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+"~", file); err != nil {
		t.Fatal(err)
	}
}

// configMap creates cors.yaml as Kubernetes mounts a ConfigMap: a link through a link to a
// folder. It returns a function that replaces the middle link.
func configMap(t *testing.T, mount string) (swap func(text string)) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	data := filepath.Join(mount, "..data")
	must(os.Symlink(filepath.Join("..data", "cors.yaml"), filepath.Join(mount, "cors.yaml")))
	version := 0
	return func(text string) {
		t.Helper()
		version++
		folder := fmt.Sprintf("..2026_11_23_%d", version)
		must(os.Mkdir(filepath.Join(mount, folder), 0o700))
		must(os.WriteFile(filepath.Join(mount, folder, "cors.yaml"), []byte(text), 0o600))
		must(os.Symlink(folder, data+"_tmp"))
		old, _ := os.Readlink(data)
		must(os.Rename(data+"_tmp", data))
		if old != "" {
			must(os.RemoveAll(filepath.Join(mount, old)))
		}
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
