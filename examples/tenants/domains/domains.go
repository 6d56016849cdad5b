// Package domains stores the domains of customers in a table, in SQLite or PostgreSQL.
package domains

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corssql"
)

// Table is the table of domains. It is safe for concurrent use.
type Table struct {
	db     *sql.DB
	source corsrpc.OriginSource
}

// selectOrigins selects only verified rows: the policy trusts each of these origins as a
// customer's. Verify that a customer owns a domain, for instance with a DNS record,
// before you set verified.
const selectOrigins = `SELECT origin FROM domains WHERE verified`

// OpenSQLite opens the table in a file. It creates the file and the table if they do not
// exist.
func OpenSQLite(ctx context.Context, file string) (*Table, error) {
	db, err := open(ctx, "sqlite", file, `PRAGMA busy_timeout = 5000`,
		`CREATE TABLE IF NOT EXISTS domains (origin TEXT PRIMARY KEY, verified BOOLEAN NOT NULL)`)
	if err != nil {
		return nil, err
	}
	return &Table{db, corssql.New(db, selectOrigins)}, nil
}

// OpenPostgres opens the table in a database, and creates it if it does not exist. A
// trigger notifies all servers of each change of the table.
func OpenPostgres(ctx context.Context, url string) (*Table, error) {
	db, err := open(ctx, "pgx", url,
		`CREATE TABLE IF NOT EXISTS domains (origin TEXT PRIMARY KEY, verified BOOLEAN NOT NULL)`,
		`CREATE OR REPLACE FUNCTION domains_changed() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN PERFORM pg_notify('domains', ''); RETURN NULL; END $$`,
		`CREATE OR REPLACE TRIGGER domains_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON domains
			FOR EACH STATEMENT EXECUTE FUNCTION domains_changed()`)
	if err != nil {
		return nil, err
	}
	return &Table{db, corssql.New(db, selectOrigins).WithNotify(listen(url))}, nil
}

// open opens a database and executes statements.
func open(ctx context.Context, driver, source string, statements ...string) (*sql.DB, error) {
	db, err := sql.Open(driver, source)
	if err != nil {
		return nil, err
	}
	if driver == "sqlite" {
		db.SetMaxOpenConns(1) // SQLite has only one writer at a time
	}
	for _, s := range statements {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return nil, fmt.Errorf("domains: %w", err)
		}
	}
	return db, nil
}

// listen returns a function that waits for a notification, on a separate connection. It
// returns at once after it has connected, since it missed notifications before that.
func listen(url string) func(context.Context) error {
	var conn *pgx.Conn
	return func(ctx context.Context) (err error) {
		fresh := conn == nil
		if fresh {
			if conn, err = pgx.Connect(ctx, url); err != nil {
				conn = nil
				return err
			}
			_, err = conn.Exec(ctx, "LISTEN domains")
		} else {
			_, err = conn.WaitForNotification(ctx)
		}
		if err != nil {
			_ = conn.Close(context.WithoutCancel(ctx))
			conn = nil
		}
		return err
	}
}

// Source returns the table as an origin source.
func (t *Table) Source() corsrpc.OriginSource { return t.source }

// Close closes the database.
func (t *Table) Close() error { return t.db.Close() }

// Add adds the origin of a verified domain.
func (t *Table) Add(ctx context.Context, origin string) error {
	_, err := t.db.ExecContext(ctx, `INSERT INTO domains (origin, verified) VALUES ($1, true) ON CONFLICT (origin) DO UPDATE SET verified = true`, origin)
	return err
}

// Remove removes the origin of a domain.
func (t *Table) Remove(ctx context.Context, origin string) error {
	_, err := t.db.ExecContext(ctx, `DELETE FROM domains WHERE origin = $1`, origin)
	return err
}

// List returns the origins of the verified domains, sorted.
func (t *Table) List(ctx context.Context) (origins []string, err error) {
	rows, err := t.db.QueryContext(ctx, selectOrigins+` ORDER BY origin`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var o string
		if err := rows.Scan(&o); err != nil {
			return nil, err
		}
		origins = append(origins, o)
	}
	return origins, rows.Err()
}
