// Package corssql has the origins of tenants in a SQL database: a source for
// corsrpc's allow_origins_from, by any driver of database/sql.
//
//	source := corssql.New(db, "SELECT origin FROM custom_domains WHERE verified")
//	layer, err := corsrpc.Load("cors.yaml", corsrpc.WithOriginSource("tenants", source, corsrpc.SourceEvery(time.Minute)))
//	go layer.Watch(ctx)
//
// A database that tells of changes, such as PostgreSQL with LISTEN and NOTIFY,
// takes effect at once by [WithNotify].
package corssql

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
)

// Source is a corsrpc.OriginSource, and a corsrpc.OriginNotifier where
// [WithNotify] is given. It is safe for concurrent use.
type Source struct {
	db    *sql.DB
	query string
	args  []any
}

// New returns a source of what the query selects: one column of text, an origin
// a row, such as https://shop.example.com. Rows that are NULL are passed over. It panics
// where the database is nil or the query empty: when the server starts, and not when the
// source is asked.
func New(db *sql.DB, query string, args ...any) *Source {
	if db == nil || query == "" {
		panic("corssql: New was given no database or no query")
	}
	return &Source{db: db, query: query, args: args}
}

// Origins runs the query. See corsrpc.OriginSource.
func (s *Source) Origins(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		rows, err := s.db.QueryContext(ctx, s.query, s.args...)
		if err != nil {
			yield("", fmt.Errorf("corssql: %w", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			var o sql.NullString
			if err := rows.Scan(&o); err != nil {
				yield("", fmt.Errorf("corssql: the query has to select one column of text: %w", err))
				return
			}
			if o.Valid && !yield(o.String, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil { // the rows so far are not the whole set
			yield("", fmt.Errorf("corssql: %w", err))
		}
	}
}

// WithNotify returns the source with a function that waits until the set may
// have changed, and returns nil then: with PostgreSQL, that listens and waits for a
// notification. See corsrpc.OriginNotifier. It panics where the function is nil.
func (s *Source) WithNotify(wait func(ctx context.Context) error) *NotifiedSource {
	if wait == nil {
		panic("corssql: WithNotify was given no function")
	}
	return &NotifiedSource{Source: s, wait: wait}
}

// NotifiedSource is a Source that says when its set has changed.
type NotifiedSource struct {
	*Source
	wait func(ctx context.Context) error
}

// Notify waits. See corsrpc.OriginNotifier.
func (s *NotifiedSource) Notify(ctx context.Context) error { return s.wait(ctx) }
