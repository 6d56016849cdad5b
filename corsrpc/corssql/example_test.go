package corssql_test

import (
	"context"
	"database/sql"
	"log"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corssql"
)

// The domains of customers are in a table. The layer reads it every minute, and at once when
// the database notifies of a change. examples/tenants is a complete program, for SQLite and
// PostgreSQL.
func Example() {
	var db *sql.DB // the program's database
	listen := func(ctx context.Context) error {
		<-ctx.Done() // with PostgreSQL: LISTEN, and wait for a notification
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
