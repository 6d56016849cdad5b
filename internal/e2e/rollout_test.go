package e2e

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// reasons is an observer that records distinct events as lines.
type reasons struct {
	mu   sync.Mutex
	seen []string
}

// Observe records decisions about other origins, and differences of a shadow policy.
func (r *reasons) Observe(_ context.Context, e corsrpc.Event) {
	var line string
	switch e.Kind {
	case corsrpc.EventDecision:
		line = string(e.Decision.Reason())
		if !e.Decision.Enforced() {
			line += ", not enforced"
		}
	case corsrpc.EventShadow:
		line = string(e.Decision.Reason()) + ", and the shadow " + string(e.Shadow.Reason())
	default:
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.seen, line) {
		r.seen = append(r.seen, line)
	}
}

// take returns the lines since its last call, sorted.
func (r *reasons) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.Sort(r.seen)
	all := strings.Join(r.seen, "; ")
	r.seen = nil
	return all
}

// TestRollout: the effect on the page and the observed events for each step of a migration: from another CORS middleware to the
// layer, and from one policy to a stricter one.
func TestRollout(t *testing.T) {
	const stricter = "defaults: {allow_origins: [https://other.example.com]}"
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		for _, step := range []struct {
			name, policy     string
			recipe           bool // another middleware is inside the layer
			reads, readsMore bool // the page reads the message, and the metadata
			told             string
		}{
			{"observed, beside another middleware", stricter + "\nenforcement: OBSERVE", true, true, false, "ORIGIN_NOT_ALLOWED, not enforced"},
			{"enforced, in place of it", "defaults: {allow_origins: [ORIGIN]}", false, true, true, "ORIGIN_ALLOWED"},
			{"a stricter one as its shadow", "defaults: {allow_origins: [ORIGIN]}\nshadow: {" + stricter + "}", false, true, true, "ORIGIN_ALLOWED; ORIGIN_ALLOWED, and the shadow ORIGIN_NOT_ALLOWED"},
			{"the stricter one", stricter, false, false, false, "ORIGIN_NOT_ALLOWED"},
		} {
			t.Run(step.name, func(t *testing.T) {
				plan := newLayer(t, page.Origin, step.policy).Plan()
				told := &reasons{}
				layer, err := corsrpc.New(plan, corsrpc.WithLogger(slog.New(slog.DiscardHandler)), corsrpc.WithObserver(told))
				if err != nil {
					t.Fatal(err)
				}
				inner := showcaseV1()
				if step.recipe {
					inner = recipe(page.Origin, inner)
				}
				for _, got := range runCalls(t, page, serveAPI(t, layer.Wrap(inner)), greet(overConnect), greet(overGRPCWeb)) {
					if reads := len(got.Messages) > 0 && got.Error == nil; reads != step.reads {
						t.Errorf("the page reads the message: %t, want %t: %+v", reads, step.reads, got)
					}
					if more := got.Headers["x-showcase-header"] != ""; more != step.readsMore {
						t.Errorf("the page reads metadata: %t, want %t: %+v", more, step.readsMore, got)
					}
				}
				if got := told.take(); got != step.told {
					t.Errorf("the observed events are %q, want %q", got, step.told)
				}
			})
		}
	})
}

// TestDevelopmentProfile: a page on any port of localhost may call if and only if the profile is selected.
func TestDevelopmentProfile(t *testing.T) {
	const policy = `
defaults: {allow_origins: [https://app.example.com]}
profiles: {dev: {add_origins: ["http://localhost:*"]}}
`
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		for profile, reads := range map[string]bool{"": false, "dev": true} {
			plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc), corsrpc.WithProfile(profile))
			if err != nil {
				t.Fatal(err)
			}
			layer, err := corsrpc.New(plan, corsrpc.WithLogger(slog.New(slog.DiscardHandler)))
			if err != nil {
				t.Fatal(err)
			}
			got := runCalls(t, page, serveAPI(t, layer.Wrap(showcaseV1())), greet(overConnect))[0]
			if read := len(got.Messages) > 0 && got.Error == nil; read != reads {
				t.Errorf("profile %q: the page at %s reads: %t, want %t: %+v", profile, page.Origin, read, reads, got)
			}
		}
	})
}
