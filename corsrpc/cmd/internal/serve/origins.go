package serve

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/corsrpc/corssql"
)

// Origins is an origin source in a database. It is safe for concurrent use.
type Origins struct {
	db     *sql.DB
	source corsrpc.OriginSource
	every  time.Duration
}

// OpenOrigins returns the origin source of a checked configuration. It connects to nothing.
func OpenOrigins(config *corsrpcv1.OriginSource) (*Origins, error) {
	address, err := expand(config.GetUrl(), os.LookupEnv)
	if err != nil {
		return nil, err
	}
	o := &Origins{every: config.GetEvery().AsDuration()}
	var notify func(ctx context.Context) error
	switch scheme, rest, _ := strings.Cut(address, ":"); scheme {
	case "postgres", "postgresql":
		parsed, err := pgx.ParseConfig(address)
		if err != nil {
			return nil, errors.New("the URL is not one of PostgreSQL (postgres://user@host:5432/database); it is not shown, since it may hold a password")
		}
		parsed.ConnectTimeout = 5 * time.Second
		o.db = stdlib.OpenDB(*parsed)
		if channel := config.GetNotifyChannel(); channel != "" {
			notify = func(ctx context.Context) error { return listen(ctx, parsed, channel) }
		}
	case "sqlite":
		o.db, err = sql.Open("sqlite", "file:"+(&url.URL{Path: rest}).EscapedPath()+"?mode=ro&_pragma=busy_timeout(5000)")
		if err != nil {
			return nil, err
		}
	default:
		return nil, errors.New("the URL begins neither with postgres:// nor with sqlite:")
	}
	o.db.SetMaxOpenConns(2)
	o.db.SetConnMaxIdleTime(5 * time.Minute)
	query := config.GetQuery()
	if query == "" {
		query = "SELECT origin FROM " + pgx.Identifier{config.GetName()}.Sanitize()
	}
	source := corssql.New(o.db, query)
	if o.source = source; notify != nil {
		o.source = source.WithNotify(notify)
	}
	return o, nil
}

// Close closes the database.
func (o *Origins) Close() error { return o.db.Close() }

// listen waits for a notification on a channel of PostgreSQL.
func listen(ctx context.Context, config *pgx.ConnConfig, channel string) error {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
		return err
	}
	_, err = conn.WaitForNotification(ctx)
	return err
}

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// expand replaces ${NAME} in a URL by the environment variable, escaped for any place in a URL.
func expand(text string, lookup func(string) (string, bool)) (string, error) {
	var missing []string
	expanded := variable.ReplaceAllStringFunc(text, func(match string) string {
		name := match[2 : len(match)-1]
		value, ok := lookup(name)
		if !ok || value == "" {
			missing = append(missing, name)
		}
		return strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
	})
	if len(missing) > 0 {
		return "", fmt.Errorf("the URL needs the environment variables %s, which are not set", strings.Join(missing, ", "))
	}
	return expanded, nil
}
