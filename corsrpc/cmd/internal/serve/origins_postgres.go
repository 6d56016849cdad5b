package serve

import (
	"context"
	"net"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Times of connections to PostgreSQL.
const (
	connectTimeout = 10 * time.Second // unless the URL has a connect_timeout
	closeTimeout   = 5 * time.Second
	// idleTime is how long a connection is kept between two readings, and lifetime how long in all, so that
	// servers that move are found.
	idleTime = time.Minute
	lifetime = 30 * time.Minute
)

// keepAlive finds a connection that is dead without a sign of it within a minute or two.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 4}

// openPostgres opens a database of PostgreSQL. It parses the URL again for each connection, since the URL may
// name files that change: a password file, and certificates.
func (o *Origins) openPostgres(address, channel string) error {
	parse := func() (*pgx.ConnConfig, error) { return parsePostgres(address) }
	config, err := parse()
	if err != nil {
		return err
	}
	o.secrets.add(config.Password)
	db := stdlib.OpenDB(*config, stdlib.OptionBeforeConnect(func(_ context.Context, c *pgx.ConnConfig) error {
		fresh, err := parse()
		if err == nil {
			o.secrets.add(fresh.Password)
			*c = *fresh
		}
		return err
	}))
	db.SetMaxOpenConns(2)
	db.SetMaxIdleConns(1)
	db.SetConnMaxIdleTime(idleTime)
	db.SetConnMaxLifetime(lifetime)
	o.db = db
	if channel != "" {
		o.listen = func() func(context.Context) error { return listen(parse, channel) }
	}
	return nil
}

// parsePostgres parses a URL of PostgreSQL.
func parsePostgres(address string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, err
	}
	given := url.Values{}
	if u, err := url.Parse(address); err == nil {
		given = u.Query()
	}
	if !given.Has("connect_timeout") {
		config.ConnectTimeout = connectTimeout
	}
	config.DialFunc = (&net.Dialer{Timeout: config.ConnectTimeout, KeepAliveConfig: keepAlive}).DialContext
	if !given.Has("default_query_exec_mode") {
		// Prepared statements fail behind connection poolers such as PgBouncer.
		config.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	if _, ok := config.RuntimeParams["application_name"]; !ok {
		config.RuntimeParams["application_name"] = "corsrpc"
	}
	return config, nil
}

// listen returns a function that waits for a notification on a channel, on a connection of its own. It returns
// at once after it has connected, since it missed notifications before that. Calls of it must not overlap.
func listen(parse func() (*pgx.ConnConfig, error), channel string) func(context.Context) error {
	var conn *pgx.Conn
	return func(ctx context.Context) (err error) {
		if conn != nil {
			_, err = conn.WaitForNotification(ctx)
		} else {
			conn, err = connectAndListen(ctx, parse, channel)
		}
		if err != nil && conn != nil {
			closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
			defer cancel()
			_ = conn.Close(closing)
			conn = nil
		}
		return err
	}
}

// connectAndListen connects and listens to a channel. The connection is not nil if listening fails.
func connectAndListen(ctx context.Context, parse func() (*pgx.ConnConfig, error), channel string) (*pgx.Conn, error) {
	config, err := parse()
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	_, err = conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize())
	return conn, err
}
