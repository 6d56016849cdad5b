package e2e

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"testing"

	connectrpc "connectrpc.com/connect"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// TestChecklist makes the calls that often fail with CORS middleware.
func TestChecklist(t *testing.T) {
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		setCookie(t, page)
		for _, server := range connectImplementations {
			for _, c := range checklist {
				t.Run(server.name+"/"+c.name, func(t *testing.T) { c.test(t, page, server) })
			}
		}
	})
}

func (c classic) test(t *testing.T, page *browser.Page, showcase implementation) {
	t.Helper()
	policy := c.policy
	if policy == "" {
		policy = checklistPolicy
	}
	handler := plainPaths(showcase.handler())
	if c.inside != nil {
		handler = c.inside(handler)
	}
	var mu sync.Mutex
	handled := 0
	counting := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		handled++
		mu.Unlock()
		handler.ServeHTTP(w, r)
	})
	layered := newLayer(t, page.Origin, policy).Wrap(counting)
	if c.outside != nil {
		layered = c.outside(layered)
	}
	server := serveAPI(t, layered)

	if c.call.Method != "" {
		want := c.wantErr
		if showcase.version == 2 && c.v2Err != nil {
			want = c.v2Err
		}
		assertError(t, page.Engine, runCalls(t, page, server, c.call)[0], want)
	} else {
		c.assertFetch(t, fetchRaw(t, page, server.URL+c.path, c.fetch))
	}

	preflights, sent := server.take()
	mu.Lock()
	defer mu.Unlock()
	if c.dropped && len(sent) == 2 && handled == 2 {
		sent, handled = sent[:1], 1
	}
	if len(preflights) != c.asked || len(sent) != c.sent || handled != c.handled {
		t.Errorf("%d preflights, %d calls sent, %d handled, want %d, %d and %d: %s",
			len(preflights), len(sent), handled, c.asked, c.sent, c.handled, describe(slices.Concat(preflights, sent)))
	}
	for name, want := range c.arrived {
		if len(sent) > 0 && sent[0].Header.Get(name) != want {
			t.Errorf("the call arrived with %s %q, want %q", name, sent[0].Header.Get(name), want)
		}
	}
}

func (c classic) assertFetch(t *testing.T, got rawReading) {
	t.Helper()
	if got.Status != c.want.Status || got.Threw != c.want.Threw || c.want.Body != "" && !sameBody(got.Body, c.want.Body) {
		t.Errorf("the script read %+v, want %+v", got, c.want)
	}
	for name, want := range c.want.Headers {
		if got.Headers[name] != want {
			t.Errorf("the script read the header %s as %q, want %q", name, got.Headers[name], want)
		}
	}
	for _, name := range c.not {
		if value, ok := got.Headers[name]; ok {
			t.Errorf("the script read the header %s: %q, want it hidden", name, value)
		}
	}
}

// sameBody reports whether two bodies are equal. It ignores white space in JSON, which the server varies on purpose.
func sameBody(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return a == b
	}
	return reflect.DeepEqual(x, y)
}

// assertError asserts the code and the message of the error that the script read, or that there was no error.
func assertError(t *testing.T, engine browser.Engine, got reading, want *readError) {
	t.Helper()
	if want == nil {
		if got.Error != nil {
			t.Errorf("the script read the error %+v, want none", *got.Error)
		}
		return
	}
	message := want.Message
	if message == networkError {
		message = networkErrors[engine]
	}
	if got.Error == nil {
		t.Errorf("the script read %+v, want the error %s: %s", got, want.Code, message)
	} else if got.Error.Code != want.Code || got.Error.Message != message {
		t.Errorf("the script read the error %+v, want %s: %s", *got.Error, want.Code, message)
	}
}

// panicking returns a handler that panics before it responds.
func panicking(http.Handler) http.Handler {
	return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("on purpose") })
}

// recovering returns a middleware that recovers from panics of another middleware.
func recovering(inner func(http.Handler) http.Handler) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		next = inner(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				if recover() != nil {
					http.Error(w, "internal server error", http.StatusInternalServerError)
				}
			}()
			next.ServeHTTP(w, r)
		})
	}
}

// authenticating is a middleware that refuses requests without a token, including preflights.
func authenticating(next http.Handler) http.Handler {
	writer := connectrpc.NewErrorWriter()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			_ = writer.Write(w, r, connectrpc.NewError(connectrpc.CodeUnauthenticated, errors.New("no token")))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// plainPaths returns a handler that serves three plain HTTP paths, and passes everything else to rpc.
func plainPaths(rpc http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", rpc)
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Build", "7")
		w.Header().Set("X-Internal", "not for scripts")
		_, _ = w.Write([]byte("up"))
	})
	mux.HandleFunc("POST /v1/items", func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	mux.HandleFunc("DELETE /items", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("deleted")) })
	return mux
}
