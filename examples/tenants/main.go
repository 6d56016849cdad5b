// Tenants serves a shop to pages on the domains of customers, which are in a database
// table. A change of the table takes effect at once. A second server serves the operator's
// page, which changes the table and opens customers' pages in a simulated browser, so that
// the example runs on one machine.
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

// newLayer returns the CORS layer. It allows the origins in the table.
func newLayer(policy string, table *domains.Table, opts ...corsrpc.Option) (*corsrpc.Layer, error) {
	opts = append(opts, corsrpc.WithOriginSource("tenants", table.Source(),
		corsrpc.SourceWait(10*time.Second), // fail if the table cannot be read at the start
		corsrpc.SourceEvery(time.Minute),   // read it again, in case no change is notified
		corsrpc.SourceMaxAge(24*time.Hour), // allow no origin after a day without the database
	))
	if os.Getenv("CORSRPC_PROFILE") == "dev" {
		opts = append(opts, corsrpc.WithExplain()) // scripts read why their calls are refused
	}
	return corsrpc.Load(policy, opts...)
}

// run serves until the context ends.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("tenants", flag.ContinueOnError)
	policy := flags.String("policy", "tenants/cors.yaml", "the policy file")
	file := flags.String("sqlite", "file:tenants?mode=memory&cache=shared", "the SQLite file of the table; by default in memory")
	url := flags.String("postgres", "", "the PostgreSQL database of the table, instead of SQLite: postgres://user@host/database")
	addrs := [...]*string{
		flags.String("shop", "localhost:8080", "the address of the shop"),
		flags.String("operator", "localhost:8081", "the address of the operator's page"),
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
			return fmt.Errorf("%w: free the port, or set other addresses with -shop and -operator", err)
		}
		defer l.Close()
		listeners = append(listeners, l)
		origins = append(origins, fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port))
	}
	shop, operator := origins[0], origins[1]
	mux := http.NewServeMux()
	mux.Handle(shopv1connect.NewShopServiceHandler(newShop()))
	handlers := []http.Handler{
		layer.Wrap(mux),
		newOperatorPage(table, layer, inspector, newCustomers(shop)),
	}
	fmt.Fprintf(out, `shop      %s   the service, wrapped by the CORS layer
operator  %s   changes the table, and opens the shop as a page of any origin; has the inspector
Open the operator's page: open the shop as a page of https://anna.example.com, add this origin, and open the shop again.
Press Ctrl-C to stop.
`, shop, operator)

	failed := make(chan error, len(handlers)+1)
	watchCtx, stopWatch := context.WithCancel(ctx)
	defer stopWatch()
	go func() { failed <- layer.Watch(watchCtx) }() // applies changes of the table and of the policy file
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

// openTable opens the table in PostgreSQL if there is a URL, and in SQLite otherwise.
func openTable(ctx context.Context, file, url string) (*domains.Table, error) {
	if url != "" {
		return domains.OpenPostgres(ctx, url)
	}
	return domains.OpenSQLite(ctx, file)
}
