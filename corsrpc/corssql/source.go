// Package corssql reads the origins of tenants from a SQL database: it is an origin source
// for allow_origins_from of a corsrpc policy. It works with any driver of database/sql.
//
//	source := corssql.New(db, "SELECT origin FROM custom_domains WHERE verified")
//	layer, err := corsrpc.Load("cors.yaml", corsrpc.WithOriginSource("tenants", source, corsrpc.SourceEvery(time.Minute)))
//	go layer.Watch(ctx)
//
// If the database can notify of changes, such as PostgreSQL with LISTEN and NOTIFY, use
// [Source.WithNotify], so that changes take effect at once.
package corssql

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
)

// Source is a corsrpc.OriginSource that runs a query. [Source.WithNotify] makes it a
// corsrpc.OriginNotifier too. It is safe for concurrent use.
type Source struct {
	db    *sql.DB
	query string
	args  []any
}

// New returns a source of the origins that a query selects. The query selects one column of
// text, with an origin such as https://shop.example.com in each row; rows with NULL are
// skipped. New panics if the database is nil or the query is empty, so that the mistake is
// found when the server starts.
func New(db *sql.DB, query string, args ...any) *Source {
	if db == nil {
		panic("corssql: New: the database is nil")
	}
	if query == "" {
		panic("corssql: New: the query is empty")
	}
	return &Source{db: db, query: query, args: args}
}

// Origins runs the query and returns its rows. See corsrpc.OriginSource.
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
				yield("", fmt.Errorf("corssql: the query must select one column of text: %w", err))
				return
			}
			if o.Valid && !yield(o.String, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil { // the rows so far are incomplete
			yield("", fmt.Errorf("corssql: %w", err))
		}
	}
}

// WithNotify returns the source with a function that waits until the origins may have
// changed, and then returns nil. With PostgreSQL, the function executes LISTEN and waits for
// a notification. See corsrpc.OriginNotifier. WithNotify panics if the function is nil.
func (s *Source) WithNotify(wait func(ctx context.Context) error) *NotifiedSource {
	if wait == nil {
		panic("corssql: WithNotify: the function is nil")
	}
	return &NotifiedSource{Source: s, wait: wait}
}

// NotifiedSource is a Source that notifies when its origins may have changed.
type NotifiedSource struct {
	*Source
	wait func(ctx context.Context) error
}

// Notify waits until the origins may have changed. See corsrpc.OriginNotifier.
func (s *NotifiedSource) Notify(ctx context.Context) error { return s.wait(ctx) }
