// Showcase serves an RPC service, by connect-go on one port and by grpc-go on
// a second one, and a page on a third port, which is another origin. The page
// calls every kind of method with every client, and shows what its script
// could read and how many preflights it took. A fourth port serves the same
// page from an origin that the policy does not allow, and a fifth the inspector: what
// the layer does, and why.
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
	"path/filepath"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsgrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
	"github.com/corsrpc/corsrpc-go/examples/showcase/service"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// run serves until the context ends.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("showcase", flag.ContinueOnError)
	policy := flags.String("policy", "showcase/cors.yaml", "the policy file")
	dist := flags.String("page", "showcase/web/dist", "the folder of the built page")
	apiAddr := flags.String("api", "localhost:8080", "where the service listens")
	grpcAddr := flags.String("grpc", "localhost:8083", "where the same service listens, by grpc-go")
	pageAddr := flags.String("allowed", "localhost:8081", "where the page of the allowed origin listens")
	strangerAddr := flags.String("refused", "localhost:8082", "where the page of the refused origin listens")
	inspectorAddr := flags.String("inspector", "localhost:8084", "where the inspector listens")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(*dist, "index.html")); err != nil {
		return fmt.Errorf("the page is not built: run `make run` at the top of the repository, or `npm ci && npm run build` in showcase/web: %w", err)
	}

	inspector, err := corsinspect.New()
	if err != nil {
		return err
	}
	layer, err := corsrpc.Load(*policy, corsrpc.WithObserver(inspector))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle(service.NewConnectV1())
	counter := &preflightCounter{}

	var servers []*http.Server
	var listeners []net.Listener
	listen := func(addr string, handler http.Handler) (string, error) {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return "", fmt.Errorf("%w: free the port, or choose others, as in `make run ARGS=\"-api localhost:9080\"` (-grpc is the service on grpc-go; -allowed and -refused are the pages'; -inspector is for you; allow_origins in the policy names the first)", err)
		}
		servers, listeners = append(servers, &http.Server{Handler: handler, Protocols: protocols(), ReadHeaderTimeout: 10 * time.Second}), append(listeners, l)
		return fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port), nil
	}
	api, err := listen(*apiAddr, counter.wrap(layer.Wrap(corsgrpc.Text(mux))))
	if err != nil {
		return err
	}
	onGRPC, err := listen(*grpcAddr, counter.wrap(layer.Wrap(corsgrpc.Text(corsgrpc.Handler(service.NewGRPC())))))
	if err != nil {
		return err
	}
	// Each page tells its script where the services and the other page are.
	pages := &pageServer{dist: *dist, api: api, grpc: onGRPC, counter: counter}
	if pages.allowed, err = listen(*pageAddr, pages); err != nil {
		return err
	}
	if pages.refused, err = listen(*strangerAddr, pages); err != nil {
		return err
	}
	inspectorPage, err := listen(*inspectorAddr, inspector)
	if err != nil {
		return err
	}

	fmt.Fprintf(out, `service   %s   by connect-go: Connect, gRPC-Web and its text mode
grpc      %s   the same by grpc-go: gRPC, gRPC-Web and its text mode
page      %s   an origin that %s allows: every cell is readable
stranger  %s   another origin: every call is refused, and the log below says why
inspector %s   what the layer does, and why; try a request in its form
Open the page. Then change %s, start again, and see what its script may still read.
Ctrl-C ends it.
`, api, onGRPC, pages.allowed, *policy, pages.refused, inspectorPage, *policy)

	failed := make(chan error, len(servers))
	for i, s := range servers {
		go func() { failed <- s.Serve(listeners[i]) }()
	}
	select {
	case <-ctx.Done():
		err = nil
	case err = <-failed:
	}
	for _, s := range servers {
		err = errors.Join(err, s.Close())
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

// protocols are those of every port: HTTP/2 without TLS is for gRPC itself.
func protocols() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return p
}
