package corssql_test

import (
	"context"
	"database/sql"
	"log"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corssql"
)

// Customers' domains in a table, read again every minute, and at once where the
// database tells of changes. examples/tenants has the whole of it, on SQLite and on
// PostgreSQL.
func Example() {
	var db *sql.DB // the program's own
	listen := func(ctx context.Context) error {
		<-ctx.Done() // PostgreSQL: LISTEN, and wait for a notification
		return ctx.Err()
	}
	source := corssql.New(db, `SELECT origin FROM domains WHERE verified`).WithNotify(listen)
	layer, err := corsrpc.Load("cors.yaml", corsrpc.WithOriginSource("tenants", source,
		corsrpc.SourceWait(10*time.Second), corsrpc.SourceEvery(time.Minute)))
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = layer.Watch(context.Background()) }()
}
