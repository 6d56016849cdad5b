// Showcase serves an RPC service and a page that calls it from another origin. The
// service listens on two ports, with connect-go and with grpc-go. The page calls every
// kind of method with connect-web and with grpc-web, and shows the parts of each response that its
// script can read, and the number of preflights. Another port serves the same page from
// an origin that the policy does not allow, and the last one serves the inspector.
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
	apiAddr := flags.String("api", "localhost:8080", "the address of the service on connect-go")
	grpcAddr := flags.String("grpc", "localhost:8083", "the address of the service on grpc-go")
	pageAddr := flags.String("allowed", "localhost:8081", "the address of the page that the policy allows")
	refusedAddr := flags.String("refused", "localhost:8082", "the address of the page that the policy refuses")
	inspectorAddr := flags.String("inspector", "localhost:8084", "the address of the inspector")
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
			return "", fmt.Errorf("%w: free the port, or set another address, as in `make run ARGS=\"-api localhost:9080\"` (-api, -grpc, -allowed, -refused and -inspector set addresses; the policy's allow_origins must list the origin of the page at -allowed)", err)
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
	// Each page serves the addresses of the services and of the pages to its script.
	pages := &pageServer{dist: *dist, api: api, grpc: onGRPC, counter: counter}
	if pages.allowed, err = listen(*pageAddr, pages); err != nil {
		return err
	}
	if pages.refused, err = listen(*refusedAddr, pages); err != nil {
		return err
	}
	inspectorPage, err := listen(*inspectorAddr, inspector)
	if err != nil {
		return err
	}

	fmt.Fprintf(out, `service   %s   with connect-go: Connect, gRPC-Web and its text mode
grpc      %s   with grpc-go: gRPC, gRPC-Web and its text mode
page      %s   a page of an origin that %s allows: every response is readable
refused   %s   the same page of another origin: every call is refused, and the log below gives the reason
inspector %s   the layer's decisions and their reasons; its form explains any request
Open the page. Then change %s, start the showcase again, and see which parts the script can read.
Press Ctrl-C to stop.
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

// protocols returns the HTTP versions of every port. gRPC needs HTTP/2, here without TLS.
func protocols() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return p
}
