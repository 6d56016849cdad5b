// Package live tests what changes while a server runs, against the real thing: the
// policy's file, SQLite, and a PostgreSQL server of the test's own, which goes away,
// hangs, answers wrongly and comes back.
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

// TestMain fails where a goroutine outlives the tests.
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

// live is a layer whose changes a test waits for.
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

// watch follows the source until the test ends.
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

// await waits for a report that leaves things as they should be.
func (l *live) await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for !is() {
		select {
		case <-l.changed:
		case <-time.After(time.Minute):
			t.Fatalf("%s: not in a minute", what)
		}
	}
}

// last is the last report.
func (l *live) last() (r corsrpc.SourceReport) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.reports); n > 0 {
		r = l.reports[n-1]
	}
	return r
}

// asked is how often the source was.
func (l *live) asked() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.reports)
}

// allows reports whether a page of the origin may call.
func (l *live) allows(origin string) bool {
	return l.Plan().Decide(corsrpc.Request{Method: "POST", Host: "api.example.com", Path: "/acme.v1.S/M", Header: http.Header{"Origin": {origin}}}).Outcome() == corsrpc.OutcomeGrant
}
