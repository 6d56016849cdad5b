// MCP serves the tools of a server of the Model Context Protocol to pages of another origin, and
// such a page, which uses them with both generations of the official TypeScript SDK.
package main

import (
	"context"
	"encoding/json"
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
	"github.com/corsrpc/corsrpc-go/examples/mcp/weather"
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
	flags := flag.NewFlagSet("mcp", flag.ContinueOnError)
	policy := flags.String("policy", "mcp/cors.yaml", "the policy file")
	dist := flags.String("dist", "mcp/web/dist", "the folder of the built page")
	serverAddr := flags.String("server", "localhost:8080", "the address of the MCP server")
	pageAddr := flags.String("page", "localhost:8081", "the address of the page, which the policy has to list")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(*dist, "index.html")); err != nil {
		return fmt.Errorf("the page is not built: run `make run-mcp` at the top of the repository, or `npm ci && npm run build` in mcp/web: %w", err)
	}
	layer, err := corsrpc.Load(*policy)
	if err != nil {
		return err
	}

	serverListener, err := net.Listen("tcp", *serverAddr)
	if err != nil {
		return fmt.Errorf("%w: free the port, or set another address with -server", err)
	}
	defer serverListener.Close()
	pageListener, err := net.Listen("tcp", *pageAddr)
	if err != nil {
		return fmt.Errorf("%w: free the port, or set another address with -page, and in the policy", err)
	}
	defer pageListener.Close()
	origin := func(l net.Listener) string {
		return fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port)
	}
	server := &http.Server{Handler: layer.Wrap(weather.NewHandler(origin(serverListener))), ReadHeaderTimeout: 10 * time.Second}
	page := &http.Server{Handler: newPage(*dist, origin(serverListener)), ReadHeaderTimeout: 10 * time.Second}

	fmt.Fprintf(out, `server %s/mcp   the tools; /members/mcp needs a token
page   %s   open this one: it uses the tools, and shows what its script can read
Open http://127.0.0.1:%d too: the same page of another origin, which %s does not allow.
Press Ctrl-C to stop.
`, origin(serverListener), origin(pageListener), pageListener.Addr().(*net.TCPAddr).Port, *policy)

	failed := make(chan error, 2)
	go func() { failed <- server.Serve(serverListener) }()
	go func() { failed <- page.Serve(pageListener) }()
	select {
	case <-ctx.Done():
		err = nil
	case err = <-failed:
	}
	return errors.Join(err, server.Close(), page.Close())
}

// newPage returns a handler that serves the built page, and the addresses that its script needs.
func newPage(dist, server string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServer(http.Dir(dist)))
	mux.HandleFunc("GET /server.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(weather.PageData(server)) // an error means that the page was closed
	})
	return mux
}
