package serve

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"iter"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/corsrpc/corssql"
)

// Origins is a table of origins in a database, for policies that name it in allow_origins_from. It is safe
// for concurrent use.
type Origins struct {
	query   string
	every   time.Duration
	db      *sql.DB
	secrets secrets
	listen  func() func(context.Context) error // makes the function of one source that waits for notifications; nil if there are none
}

// defaultEvery is how long after one reading the next one begins, unless an origin source sets it.
const defaultEvery = 30 * time.Second

// OpenOrigins opens the database of an origin source, without connecting to it. It expands `${NAME}` in the
// URL: a URL that is one variable becomes its value; in another PostgreSQL URL the value is escaped, so that
// a password may have any characters. lookupEnv looks up the variables; nil means os.LookupEnv.
//
// PostgreSQL has at most two connections for the query, and one for each source that listens. SQLite is
// opened for reading only, anew for each reading, so the file may be replaced. Errors, also those of the
// sources, do not contain passwords. They do not name the source.
func OpenOrigins(from *corsrpcv1.OriginSource, lookupEnv func(name string) (string, bool)) (*Origins, error) {
	o := &Origins{
		query: cmp.Or(from.GetQuery(), "SELECT origin FROM "+pgx.Identifier{from.GetName()}.Sanitize()),
		every: cmp.Or(from.GetEvery().AsDuration(), defaultEvery),
	}
	if err := o.open(from, lookupEnv); err != nil {
		return nil, o.secrets.remove(err)
	}
	return o, nil
}

// open opens the database.
func (o *Origins) open(from *corsrpcv1.OriginSource, lookupEnv func(name string) (string, bool)) error {
	address, err := expand(from.GetUrl(), lookupEnv)
	o.secrets = address.secrets
	if err != nil {
		return err
	}
	switch scheme, rest, _ := strings.Cut(address.url, ":"); {
	case scheme == "postgres", scheme == "postgresql":
		return o.openPostgres(address.url, from.GetNotifyChannel())
	case scheme != "sqlite":
		return errors.New("the URL begins neither with postgres:// nor with sqlite: (write postgres://user@host/database or sqlite:FILE)")
	case from.GetNotifyChannel() != "":
		return errors.New("notify_channel is for PostgreSQL: SQLite does not notify of changes, so leave it out")
	default:
		return o.openSQLite(rest)
	}
}

// Source returns the table as a source for one policy.
func (o *Origins) Source() Source {
	from := &originSource{query: corssql.New(o.db, o.query), secrets: o.secrets}
	options := []corsrpc.SourceOption{corsrpc.SourceEvery(o.every)}
	if o.listen == nil {
		return Source{from, options}
	}
	return Source{&notifyingSource{from, o.listen()}, options}
}

// Close closes the database. The policies that use it must have ended.
func (o *Origins) Close() error { return o.db.Close() }

// originSource is a corsrpc.OriginSource whose errors have no passwords.
type originSource struct {
	query   *corssql.Source
	secrets secrets
}

// Origins runs the query.
func (s *originSource) Origins(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for origin, err := range s.query.Origins(ctx) {
			if !yield(origin, s.secrets.remove(err)) {
				return
			}
		}
	}
}

// notifyingSource is a corsrpc.OriginNotifier whose errors have no passwords.
type notifyingSource struct {
	*originSource
	wait func(context.Context) error
}

// Notify waits until the origins may have changed.
func (s *notifyingSource) Notify(ctx context.Context) error { return s.secrets.remove(s.wait(ctx)) }
