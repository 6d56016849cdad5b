// Package live tests changes while a server runs, with a real policy file, SQLite, and a
// PostgreSQL server that the tests start, crash, block and restart.
package live

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// TestMain fails if a goroutine is left after the tests.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const tenantsPolicy = `defaults: {allow_origins_from: [tenants]}`

func compile(t *testing.T, text string) *corsrpc.Plan {
	t.Helper()
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc))
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// live is a layer with a source of tenants. It records the refreshes of the source.
type live struct {
	*corsrpc.Layer
	mu      sync.Mutex
	reports []corsrpc.SourceReport
	changed chan struct{}
}

// newLive returns a layer for a source of tenants.
func newLive(t *testing.T, source corsrpc.OriginSource, opts ...corsrpc.SourceOption) *live {
	t.Helper()
	l := &live{changed: make(chan struct{}, 1)}
	layer, err := corsrpc.New(compile(t, tenantsPolicy), corsrpc.WithLogger(slog.New(slog.DiscardHandler)), corsrpc.WithOriginSource("tenants", source, opts...),
		corsrpc.WithObserver(corsrpc.ObserverFunc(func(_ context.Context, e corsrpc.Event) {
			if e.Kind != corsrpc.EventRefresh {
				return
			}
			l.mu.Lock()
			l.reports = append(l.reports, e.Source)
			l.mu.Unlock()
			select {
			case l.changed <- struct{}{}:
			default:
			}
		})))
	if err != nil {
		t.Fatal(err)
	}
	l.Layer = layer
	return l
}

// watch runs Watch until the test ends.
func (l *live) watch(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Watch(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// await waits for refreshes until is returns true.
func (l *live) await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for !is() {
		select {
		case <-l.changed:
		case <-time.After(time.Minute):
			t.Fatalf("%s: not true after a minute", what)
		}
	}
}

// last returns the last report of the source.
func (l *live) last() (r corsrpc.SourceReport) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.reports); n > 0 {
		r = l.reports[n-1]
	}
	return r
}

// asked returns the number of refreshes.
func (l *live) asked() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.reports)
}

// allows reports whether pages of the origin may call.
func (l *live) allows(origin string) bool {
	return l.Plan().Decide(corsrpc.Request{Method: "POST", Host: "api.example.com", Path: "/acme.v1.S/M", Header: http.Header{"Origin": {origin}}}).Outcome() == corsrpc.OutcomeGrant
}
