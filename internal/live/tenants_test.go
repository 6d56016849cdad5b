package live

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corssql"
	"github.com/corsrpc/corsrpc-go/examples/tenants/domains"
	"github.com/corsrpc/corsrpc-go/internal/postgres"
)

const (
	shop = "https://shop.example.com"
	cafe = "https://cafe.example.com"
)

func openDB(t *testing.T, driver, source string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func execute(t *testing.T, db *sql.DB, text string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

// TestQuery: a query with arguments is a source. NULL is ignored, and rows that are not origins
// are skipped and counted. A query with another result is an error, and the last origins stay
// in force.
func TestQuery(t *testing.T) {
	t.Parallel()
	db := openDB(t, "sqlite", filepath.Join(t.TempDir(), "tenants.db"))
	execute(t, db, `CREATE TABLE domains (origin TEXT, plan TEXT)`)
	execute(t, db, `INSERT INTO domains VALUES ('https://shop.example.com', 'paid'), ('https://cafe.example.com', 'free'), (NULL, 'paid'), ('*', 'paid'), ('null', 'paid'), ('https://*.example.com', 'paid')`)
	l := newLive(t, corssql.New(db, `SELECT origin FROM domains WHERE plan = ?`, "paid"))
	if err := l.Refresh(t.Context(), "tenants"); err != nil || !l.allows(shop) || l.allows(cafe) || l.last().Skipped != 3 {
		t.Errorf("%v %+v", err, l.last())
	}
	for query, says := range map[string]string{
		`SELECT origin, plan FROM domains`: "one column of text",
		`SELECT origin FROM nowhere`:       "nowhere",
		`SELEC`:                            "SELEC",
	} {
		l := newLive(t, corssql.New(db, query))
		if err := l.Refresh(t.Context(), "tenants"); err == nil || !strings.Contains(err.Error(), says) || l.allows(shop) {
			t.Errorf("%s: %v", query, err)
		}
	}
	numbers := newLive(t, corssql.New(db, `SELECT 7 FROM domains`))
	if err := numbers.Refresh(t.Context(), "tenants"); err != nil || numbers.last().Skipped != 6 || numbers.last().Sample != "7" {
		t.Errorf("%v %+v", err, numbers.last())
	}
	execute(t, db, `DROP TABLE domains`)
	if err := l.Refresh(t.Context(), "tenants"); err == nil || !l.allows(shop) {
		t.Errorf("after the table was dropped: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Refresh(t.Context(), "tenants"); err == nil || !l.allows(shop) {
		t.Errorf("closed: %v", err)
	}
}

// TestSQLite: changes of the example's table in SQLite take effect after the period.
func TestSQLite(t *testing.T) {
	t.Parallel()
	table, err := domains.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "tenants.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	l := newLive(t, table.Source(), corsrpc.SourceEvery(10*time.Millisecond))
	l.watch(t)
	follow(t, l, table)
}

// follow adds and revokes customers, and waits until each change takes effect.
func follow(t *testing.T, l *live, table *domains.Table) {
	t.Helper()
	change := func(change func(*domains.Table, context.Context, string) error, origin string) {
		t.Helper()
		if err := change(table, t.Context(), origin); err != nil {
			t.Fatal(err)
		}
	}
	change((*domains.Table).Add, shop)
	l.await(t, "a customer", func() bool { return l.allows(shop) })
	change((*domains.Table).Add, cafe)
	l.await(t, "two customers", func() bool { return l.allows(shop) && l.allows(cafe) })
	change((*domains.Table).Remove, shop)
	l.await(t, "one revoked", func() bool { return !l.allows(shop) && l.allows(cafe) })
}

// TestPostgres: changes of the example's table in PostgreSQL take effect at the notification,
// without a period.
func TestPostgres(t *testing.T) {
	t.Parallel()
	p := postgres.New(t)
	table := openTable(t, p)
	l := newLive(t, table.Source())
	l.watch(t)
	l.await(t, "the first set", func() bool { return l.last().Name != "" && l.last().Err == nil })
	follow(t, l, table)
	if asked := l.asked(); asked > 10 {
		t.Errorf("%d refreshes for three changes", asked)
	}
	// A change with SQL, without the example's program.
	execute(t, openDB(t, "pgx", p.URL()), `INSERT INTO domains VALUES ('https://byhand.example.com', true), ('https://unverified.example.com', false)`)
	l.await(t, "by hand", func() bool { return l.allows("https://byhand.example.com") })
	if l.allows("https://unverified.example.com") {
		t.Error("a domain that is not verified is allowed")
	}
}

// TestPostgresFails: after a crash of the server the last origins stay in force, and changes
// take effect when it is back. A query that blocks fails after the timeout.
func TestPostgresFails(t *testing.T) {
	t.Parallel()
	p := postgres.New(t)
	table := openTable(t, p)
	if err := table.Add(t.Context(), shop); err != nil {
		t.Fatal(err)
	}
	l := newLive(t, table.Source(), corsrpc.SourceTimeout(2*time.Second))
	l.watch(t)
	l.await(t, "the first set", func() bool { return l.allows(shop) })

	p.Stop(t)
	l.await(t, "a failure", func() bool { return l.last().Err != nil })
	if r := l.last(); !l.allows(shop) || r.Origins != 1 || r.Age <= 0 {
		t.Errorf("the last origins are not in force any more: %+v", r)
	}
	p.Start(t)
	if err := table.Add(t.Context(), cafe); err != nil {
		t.Fatal(err)
	}
	l.await(t, "the server is back", func() bool { return l.allows(cafe) })

	// Another transaction locks the table.
	other := openDB(t, "pgx", p.URL())
	tx, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), `INSERT INTO domains VALUES ('https://locked.example.com', true); LOCK TABLE domains IN ACCESS EXCLUSIVE MODE; NOTIFY domains`); err != nil {
		t.Fatal(err)
	}
	if err := l.Refresh(t.Context(), "tenants"); err == nil || !strings.Contains(err.Error(), "longer than 2s") || !l.allows(cafe) {
		t.Errorf("with a locked table: %v", err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	l.await(t, "the lock is gone", func() bool { return l.allows("https://locked.example.com") })

	// The column becomes a number, and then the table is dropped.
	execute(t, other, `ALTER TABLE domains RENAME COLUMN origin TO host; ALTER TABLE domains ADD origin INT NOT NULL DEFAULT 7`)
	if err := l.Refresh(t.Context(), "tenants"); err != nil && !l.allows(cafe) {
		t.Errorf("a failed refresh removed the last origins: %v", err)
	} else if err == nil && (l.last().Skipped != 3 || l.allows(cafe)) {
		t.Errorf("with numbers instead of origins: %+v", l.last())
	}
	execute(t, other, `ALTER TABLE domains DROP COLUMN origin; ALTER TABLE domains RENAME COLUMN host TO origin; NOTIFY domains`)
	l.await(t, "the column is back", func() bool { return l.allows(cafe) })
	execute(t, other, `DROP TABLE domains`)
	if err := l.Refresh(t.Context(), "tenants"); err == nil || !l.allows(cafe) {
		t.Errorf("after the table was dropped: %v", err)
	}
}
