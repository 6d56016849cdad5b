package live

import (
	"context"
	"database/sql"
	"net/http"
	"testing"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corssql"
)

const query = `SELECT origin FROM domains WHERE verified`

func open(t *testing.T, driver, source string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	change(t, db, `CREATE TABLE domains (origin TEXT, verified BOOLEAN NOT NULL)`)
	change(t, db, `INSERT INTO domains VALUES ('https://shop.example.com', true), ('https://new.example.com', false), (NULL, true), ('*', true)`)
	return db
}

func change(t *testing.T, db *sql.DB, text string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

func layerOf(t *testing.T, source corsrpc.OriginSource, observe func(corsrpc.Event)) *corsrpc.Layer {
	t.Helper()
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(`defaults: {allow_origins_from: [tenants]}`))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy())
	if err != nil {
		t.Fatal(err)
	}
	layer, err := corsrpc.New(plan, corsrpc.WithLogger(nil), corsrpc.WithOriginSource("tenants", source),
		corsrpc.WithObserver(corsrpc.ObserverFunc(func(_ context.Context, e corsrpc.Event) { observe(e) })))
	if err != nil {
		t.Fatal(err)
	}
	return layer
}

func allows(l *corsrpc.Layer, origin string) bool {
	return l.Plan().Decide(corsrpc.Request{Method: "POST", Host: "api.example.com", Path: "/acme.v1.S/M", Header: http.Header{"Origin": {origin}}}).Outcome() == corsrpc.OutcomeGrant
}

func TestSQLite(t *testing.T) {
	db := open(t, "sqlite", "file:tenants?mode=memory&cache=shared")
	layer := layerOf(t, corssql.New(db, query), func(corsrpc.Event) {})
	if err := layer.Refresh(t.Context(), "tenants"); err != nil {
		t.Fatal(err)
	}
	if !allows(layer, "https://shop.example.com") || allows(layer, "https://new.example.com") {
		t.Error("not the rows of the query")
	}
	change(t, db, `DROP TABLE domains`)
	if err := layer.Refresh(t.Context(), "tenants"); err == nil || !allows(layer, "https://shop.example.com") {
		t.Error(err)
	}
}

// listen waits for a notification on a connection of its own; the first call of
// each connection returns at once, since one may have been missed.
func listen(url string) func(context.Context) error {
	var conn *pgx.Conn
	return func(ctx context.Context) (err error) {
		if conn == nil {
			if conn, err = pgx.Connect(ctx, url); err != nil {
				conn = nil
				return err
			}
			if _, err = conn.Exec(ctx, "LISTEN domains"); err == nil {
				return nil
			}
		} else {
			_, err = conn.WaitForNotification(ctx)
		}
		if err != nil {
			_ = conn.Close(context.Background())
			conn = nil
		}
		return err
	}
}

// TestPostgres: a tenant that is added or revoked takes effect at the
// notification; a server that goes away leaves the last set, and comes back.
func TestPostgres(t *testing.T) {
	p := newPostgres(t)
	db := open(t, "pgx", p.url())
	events := make(chan corsrpc.SourceReport, 1000)
	layer := layerOf(t, corssql.New(db, query).WithNotify(listen(p.url())), func(e corsrpc.Event) { events <- e.Source })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- layer.Watch(ctx) }()
	await := func(what string, is func() bool) {
		t.Helper()
		for !is() {
			select {
			case <-events:
			case err := <-ended:
				t.Fatalf("%s: %v", what, err)
			}
		}
	}
	await("the first set", func() bool { return allows(layer, "https://shop.example.com") })
	change(t, db, `UPDATE domains SET verified = true WHERE origin = 'https://new.example.com'`)
	change(t, db, `NOTIFY domains`)
	await("a tenant more", func() bool { return allows(layer, "https://new.example.com") })
	change(t, db, `DELETE FROM domains WHERE origin = 'https://shop.example.com'`)
	change(t, db, `NOTIFY domains`)
	await("a tenant less", func() bool { return !allows(layer, "https://shop.example.com") })
	p.stop(t)
	failed := false
	await("a failure", func() bool {
		select {
		case e := <-events:
			failed = failed || e.Err != nil
		default:
		}
		return failed
	})
	if !allows(layer, "https://new.example.com") {
		t.Error("the last good set is gone")
	}
	p.start(t)
	change(t, db, `INSERT INTO domains VALUES ('https://back.example.com', true)`)
	await("the server is back", func() bool { return allows(layer, "https://back.example.com") })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
