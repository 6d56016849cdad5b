// Tenants serves a shop to pages on the customers' own domains, which are in a
// table: a customer that is added or revoked is at once. Three more servers, on
// ports of their own, are the operator's page, which changes the table, and the
// pages of two customers. Ports are origins too, so that all of it runs on one
// machine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
	"github.com/corsrpc/corsrpc-go/examples/tenants/domains"
	"github.com/corsrpc/corsrpc-go/examples/tenants/gen/shop/v1/shopv1connect"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// newLayer is the layer, whose origins are those of the table.
func newLayer(policy string, table *domains.Table, opts ...corsrpc.Option) (*corsrpc.Layer, error) {
	opts = append(opts, corsrpc.WithOriginSource("tenants", table.Source(),
		corsrpc.SourceWait(10*time.Second), // no start without a first set
		corsrpc.SourceEvery(time.Minute),   // where nothing notifies of a change
		corsrpc.SourceMaxAge(24*time.Hour), // after a day without the database, nobody
	))
	if os.Getenv("CORSRPC_PROFILE") == "dev" {
		opts = append(opts, corsrpc.WithExplain()) // refusals say in the browser what to write
	}
	return corsrpc.Load(policy, opts...)
}

// run serves until the context ends.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("tenants", flag.ContinueOnError)
	policy := flags.String("policy", "tenants/cors.yaml", "the policy file")
	file := flags.String("sqlite", "file:tenants?mode=memory&cache=shared", "the table's SQLite file; by default in memory")
	url := flags.String("postgres", "", "the table's PostgreSQL server, instead of SQLite: postgres://user@host/database")
	addrs := [...]*string{
		flags.String("shop", "localhost:8080", "where the shop listens"),
		flags.String("operator", "localhost:8081", "where the operator's page listens"),
		flags.String("anna", "localhost:8082", "where the page of one customer listens"),
		flags.String("bert", "localhost:8083", "where the page of another one listens"),
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	table, err := openTable(ctx, *file, *url)
	if err != nil {
		return err
	}
	defer table.Close()
	inspector, err := corsinspect.New()
	if err != nil {
		return err
	}
	layer, err := newLayer(*policy, table, corsrpc.WithObserver(inspector))
	if err != nil {
		return err
	}

	var listeners []net.Listener
	var origins []string
	for _, addr := range addrs {
		l, err := net.Listen("tcp", *addr)
		if err != nil {
			return fmt.Errorf("%w: free the port, or choose others by -shop, -operator, -anna and -bert", err)
		}
		defer l.Close()
		listeners = append(listeners, l)
		origins = append(origins, fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port))
	}
	shop, operator, anna, bert := origins[0], origins[1], origins[2], origins[3]
	mux := http.NewServeMux()
	mux.Handle(shopv1connect.NewShopServiceHandler(newShop()))
	handlers := []http.Handler{
		layer.Wrap(mux),
		newOperatorPage(table, layer, inspector, []string{anna, bert}),
		newCustomerPage("Anna's", shop),
		newCustomerPage("Bert's", shop),
	}
	fmt.Fprintf(out, `shop      %s   its handlers are behind the layer
operator  %s   adds customers to the table, and revokes them; has the inspector
anna      %s   a customer's page: it may call when the operator has added it
bert      %s   another one's
Open the operator's page. Ctrl-C ends it.
`, shop, operator, anna, bert)

	failed := make(chan error, len(handlers)+1)
	watchCtx, stopWatch := context.WithCancel(ctx)
	defer stopWatch()
	go func() { failed <- layer.Watch(watchCtx) }() // follows the table, and the policy file
	var servers []*http.Server
	for i, h := range handlers {
		s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
		servers = append(servers, s)
		go func() { failed <- s.Serve(listeners[i]) }()
	}
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	for _, s := range servers {
		err = errors.Join(err, s.Close())
	}
	return err
}

func openTable(ctx context.Context, file, url string) (*domains.Table, error) {
	if url != "" {
		return domains.OpenPostgres(ctx, url)
	}
	return domains.OpenSQLite(ctx, file)
}
