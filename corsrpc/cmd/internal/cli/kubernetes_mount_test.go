package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A configMap is a folder as the kubelet mounts a ConfigMap: the files are links to ..data, which is a link to a folder
// that the kubelet never changes. A new version is a new folder, to which ..data leads by one rename.
type configMap struct {
	t       *testing.T
	dir     string
	version int
}

// put puts a version of the ConfigMap in place.
func (c *configMap) put(files map[string]string) {
	c.t.Helper()
	c.version++
	old, _ := os.Readlink(filepath.Join(c.dir, "..data"))
	folder := fmt.Sprintf("..2026_11_27_10_00_%02d.000000000", c.version)
	must := func(err error) {
		c.t.Helper()
		if err != nil {
			c.t.Fatal(err)
		}
	}
	must(os.Mkdir(filepath.Join(c.dir, folder), 0o755))
	for name, text := range files {
		must(os.WriteFile(filepath.Join(c.dir, folder, name), []byte(text), 0o600))
	}
	must(os.Symlink(folder, filepath.Join(c.dir, "..data_tmp")))
	must(os.Rename(filepath.Join(c.dir, "..data_tmp"), filepath.Join(c.dir, "..data")))
	if old != "" {
		must(os.RemoveAll(filepath.Join(c.dir, old)))
		return
	}
	for name := range files {
		must(os.Symlink("..data/"+name, filepath.Join(c.dir, name)))
	}
}

// TestKubernetesConfigMap: a gateway with the example's files in a mounted ConfigMap takes a changed policy, and a changed
// gateway file, without a restart.
func TestKubernetesConfigMap(t *testing.T) {
	files := map[string]string{"cors.yaml": ""}
	for _, name := range []string{"gateway.yaml", "cors.yaml"} {
		text, err := os.ReadFile(filepath.Join(kubernetes, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	replace := func(name, old, text string) {
		t.Helper()
		if !strings.Contains(files[name], old) {
			t.Fatalf("%s does not contain %q", name, old)
		}
		files[name] = strings.ReplaceAll(files[name], old, text)
	}
	replace("gateway.yaml", `":8080"`, `"127.0.0.1:0"`)
	replace("gateway.yaml", `":9901"`, `"127.0.0.1:0"`)
	replace("gateway.yaml", "delay: 5s", "delay: 0s")
	replace("gateway.yaml", "grpc://catalog:9090", "grpc://"+reflectingServer(t))
	replace("cors.yaml", "bookshop.catalog.v1.CatalogService", "acme.catalog.v1.CatalogService")
	mounted := &configMap{t: t, dir: t.TempDir()}
	mounted.put(files)

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	log, written := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- Run(ctx, Streams{In: strings.NewReader(""), Out: io.Discard, Err: written}, []string{"gateway", "--config", filepath.Join(mounted.dir, "gateway.yaml")})
		written.Close()
	}()
	lines := make(chan string, 1000)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(log); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	await := func(pattern string) string {
		t.Helper()
		for line := range lines {
			if m := regexp.MustCompile(pattern).FindStringSubmatch(line); m != nil {
				return m[len(m)-1]
			}
		}
		t.Fatalf("the gateway ended without %q", pattern)
		return ""
	}
	address := await(`msg=listening address=(\S+)`)
	await(`msg=ready`)
	allowed := func(origin string) bool {
		t.Helper()
		r, err := http.NewRequestWithContext(ctx, http.MethodOptions, (&url.URL{Scheme: "http", Host: address, Path: "/acme.catalog.v1.CatalogService/Get"}).String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", http.MethodPost)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.Header.Get("Access-Control-Allow-Origin") == origin
	}
	const shop, another = "https://shop.example.com", "https://another.example.com"
	if !allowed(shop) || allowed(another) {
		t.Fatalf("at the start: %t %t", allowed(shop), allowed(another))
	}
	replace("cors.yaml", shop, another)
	mounted.put(files)
	await(`another plan is in force`)
	if allowed(shop) || !allowed(another) {
		t.Errorf("after a change of the policy: %t %t", allowed(shop), allowed(another))
	}
	replace("gateway.yaml", "name: bookshop", "name: books")
	mounted.put(files)
	await(`gateway file reloaded`)
	if allowed(shop) || !allowed(another) {
		t.Errorf("after a change of the gateway file: %t %t", allowed(shop), allowed(another))
	}
	cancel()
	for range lines { //nolint:revive // until the gateway has ended
	}
	if code := <-ended; code != exitFine {
		t.Errorf("exit %d", code)
	}
}
