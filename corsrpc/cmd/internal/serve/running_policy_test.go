package serve

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	app  = "https://app.example.com"
	shop = "https://shop.example.com"
)

// logBuffer is a log that a test reads. It is safe for concurrent use.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *logBuffer) count(text string) int { return strings.Count(b.String(), text) }

func (b *logBuffer) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// running is a policy that runs until the test ends.
type running struct {
	*Policy
	t     *testing.T
	log   *logBuffer
	ended chan error
}

// write writes a file in one step, and returns its name.
func write(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.WriteFile(name+"~", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+"~", name); err != nil {
		t.Fatal(err)
	}
	return name
}

// policyFile writes a policy to a new folder.
func policyFile(t *testing.T, text string) string {
	t.Helper()
	return write(t, filepath.Join(t.TempDir(), "cors.yaml"), text)
}

// newRunning runs a policy. Each function changes it before that.
func newRunning(t *testing.T, config PolicyConfig, changes ...func(*Policy)) *running {
	t.Helper()
	r := &running{t: t, log: &logBuffer{}, ended: make(chan error, 1)}
	config.Logger = r.log.logger()
	if config.LookupEnv == nil {
		config.LookupEnv = func(string) (string, bool) { return "", false }
	}
	var err error
	if r.Policy, err = NewPolicy(config); err != nil {
		t.Fatal(err)
	}
	for _, change := range changes {
		change(r.Policy)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		r.ended <- r.Run(ctx)
		close(r.ended)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-r.ended; err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the log:\n%s", r.log)
		}
	})
	return r
}

// await waits until a condition is true.
func (r *running) await(what string, is func() bool) {
	r.t.Helper()
	await(r.t, what, is)
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not true after 20 s: %s", what)
		}
	}
}

// awaitReady waits until the policy is ready.
func (r *running) awaitReady() {
	r.t.Helper()
	r.await("ready", func() bool { ok, _ := r.Ready(); return ok })
}

// allows reports whether the policy allows a page to call a procedure with POST.
func (r *running) allows(origin, path string) bool {
	r.t.Helper()
	request := httptest.NewRequest(http.MethodOptions, "http://api.example.com"+path, nil)
	request.Header.Set("Origin", origin)
	request.Header.Set("Access-Control-Request-Method", "POST")
	w := httptest.NewRecorder()
	r.Wrap(http.NotFoundHandler()).ServeHTTP(w, request)
	return w.Header().Get("Access-Control-Allow-Origin") == origin
}
