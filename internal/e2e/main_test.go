package e2e

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	esbuild "github.com/evanw/esbuild/pkg/api"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// pool holds the browsers, which all tests share.
var pool = browser.NewPool(bundle)

// temporary is the folder of what all tests share. It is removed at the end.
var temporary string

func TestMain(m *testing.M) {
	var err error
	if temporary, err = os.MkdirTemp("", "corsrpc-e2e"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	if err := os.RemoveAll(temporary); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	if err := pool.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// bundle bundles web/src and the client libraries into one script.
func bundle() ([]byte, error) {
	start := time.Now()
	if _, err := os.Stat("web/node_modules"); err != nil {
		return nil, errors.New("internal/e2e/web/node_modules is missing: run `make e2e-web`, or `npm ci` in internal/e2e/web")
	}
	result := esbuild.Build(esbuild.BuildOptions{
		EntryPoints: []string{"web/src/scripts.ts"},
		Bundle:      true,
		Format:      esbuild.FormatIIFE,
		Target:      esbuild.ES2022,
		Sourcemap:   esbuild.SourceMapInline,
		LogLevel:    esbuild.LogLevelSilent,
	})
	if len(result.Errors) > 0 {
		return nil, errors.New(strings.Join(esbuild.FormatMessages(result.Errors, esbuild.FormatMessagesOptions{Kind: esbuild.ErrorMessage}), "\n"))
	}
	fmt.Printf("stage bundle: %.1f s\n", time.Since(start).Seconds())
	return result.OutputFiles[0].Contents, nil
}

// inEachEngine runs a test in each browser, on a page of a new origin. The engines run one
// after another, to limit the load.
func inEachEngine(t *testing.T, test func(t *testing.T, page *browser.Page)) {
	forEachEngine(t, func(t *testing.T, engine browser.Engine) {
		page := pool.Page(t, engine)
		warmUp(t, page)
		test(t, page)
	})
}

// forEachEngine runs a test for each engine, and prints its duration.
func forEachEngine(t *testing.T, test func(t *testing.T, engine browser.Engine)) {
	for _, engine := range browser.Engines {
		t.Run(string(engine), func(t *testing.T) {
			start := time.Now()
			test(t, engine)
			fmt.Printf("stage %s: %.1f s\n", t.Name(), time.Since(start).Seconds())
		})
	}
}

// warmUp makes the browser send a preflight to a server that no case uses, since Firefox
// does not cache the first preflight after its start.
func warmUp(t *testing.T, page *browser.Page) {
	t.Helper()
	server := serveAPI(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", page.Origin)
		w.Header().Set("Access-Control-Allow-Headers", "content-type")
		w.Header().Set("Access-Control-Max-Age", "7200")
	}))
	for range 2 {
		if got := fetchRaw(t, page, server.URL+"/", fetchInit{Method: http.MethodPost, Headers: map[string]string{"Content-Type": "application/json"}}); got.Status != http.StatusOK {
			t.Fatalf("the warm-up call read %+v, want status 200", got)
		}
	}
}

// filtered reports whether -run or -skip excludes some of the tests.
func filtered() bool {
	return flag.Lookup("test.run").Value.String() != "" || flag.Lookup("test.skip").Value.String() != ""
}
