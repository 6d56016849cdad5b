//go:build soak

package live

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/examples/tenants/domains"
	"github.com/corsrpc/corsrpc-go/internal/figures"
	"github.com/corsrpc/corsrpc-go/internal/postgres"
)

// TestSoakNotify measures the time from the commit that adds or revokes a customer until the
// layer's decision changes, with 10 and with a million rows.
func TestSoakNotify(t *testing.T) {
	p := postgres.New(t)
	table := openTable(t, p)
	db := openDB(t, "pgx", p.URL())
	l := newLive(t, table.Source())
	l.watch(t)
	for _, rows := range []int{10, 1_000_000} {
		execute(t, db, fmt.Sprintf(`INSERT INTO domains SELECT 'https://tenant-' || i || '.example.com', true FROM generate_series(1, %d) i ON CONFLICT DO NOTHING`, rows))
		last := fmt.Sprintf("https://tenant-%d.example.com", rows)
		l.await(t, "the rows", func() bool { return l.allows(last) })
		var waits []time.Duration
		for i := range 20 {
			change, want := (*domains.Table).Add, true
			if i%2 == 1 {
				change, want = (*domains.Table).Remove, false
			}
			if err := change(table, t.Context(), shop); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			l.await(t, "a change", func() bool { return l.allows(shop) == want })
			waits = append(waits, time.Since(start))
		}
		slices.Sort(waits)
		figures.Measure(t, fmt.Sprintf("soak.notification.%d-rows", rows), rounded(waits[len(waits)/2]))
		t.Logf("%d rows: a change is in force after %v (median), %v (longest of %d)", rows, waits[len(waits)/2], waits[len(waits)-1], len(waits))
	}
}

// TestSoakSQLite loads a million rows from SQLite.
func TestSoakSQLite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tenants.db")
	table, err := domains.OpenSQLite(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	execute(t, openDB(t, "sqlite", file), `INSERT INTO domains WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 1000000) SELECT 'https://tenant-' || i || '.example.com', true FROM n`)
	l := newLive(t, table.Source(), corsrpc.SourceWait(time.Minute))
	if r := l.last(); r.Origins != 1_000_000 {
		t.Errorf("%+v", r)
	}
	t.Logf("a million rows in %v", l.last().Age)
}

// rounded prints a duration as the documents do, with one decimal.
func rounded(d time.Duration) string {
	if d < 100*time.Millisecond {
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// TestSoakReloads: after 20,000 reloads, no goroutine (see TestMain) and no lock is left.
func TestSoakReloads(t *testing.T) {
	empty := corsrpc.OriginSourceFunc(func(context.Context) iter.Seq2[string, error] {
		return func(func(string, error) bool) {}
	})
	l := newLive(t, empty)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const reloads = 20_000
	for i := range reloads {
		if err := l.Reload(ctx, compile(t, fmt.Sprintf(`defaults: {allow_origins: [https://v%d.example.com]}`, i))); err != nil {
			t.Fatal(err)
		}
	}
	figures.Measure(t, "soak.reloads", figures.Count(reloads))
}
