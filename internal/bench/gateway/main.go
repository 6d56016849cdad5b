// Command gateway measures what `corsrpc gateway` costs beside a bare httputil.ReverseProxy and nginx, and
// writes GATEWAY.md. `make bench-gateway` runs it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/corsrpc/corsrpc-go/internal/bench/proxies"
)

func main() {
	rounds := flag.Int("rounds", 15, "number of rounds")
	calls := flag.Int("calls", 3000, "unary calls of each proxy in each round; a fiftieth of it for streams")
	clients := flag.Int("clients", 8, "calls at the same time")
	out := flag.String("out", "GATEWAY.md", "file to write")
	bare := flag.String("bare", "", "run as the bare proxy in front of this URL")
	flag.Parse()
	var err error
	if *bare != "" {
		err = serveBare(*bare)
	} else {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt) // ends the proxies
		defer stop()
		err = measureAll(ctx, proxies.Rounds{Count: *rounds, Calls: *calls, Clients: *clients}, *out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-gateway:", err)
		os.Exit(1)
	}
}

const (
	gatewayName = "corsrpc gateway"
	bareName    = "ReverseProxy"
	nginxName   = "nginx"
)

// way is how a client calls a proxy, and how the proxy calls the server.
type way struct {
	proxies.Way

	// upstream is the scheme of the gateway's upstream: http for HTTP/1.1, and grpc for HTTP/2, of all proxies.
	upstream string
	// nginx is true if nginx can serve the way too.
	nginx bool
}

var ways = []way{
	{proxies.Connect, "http", true},
	{proxies.GRPCWeb.Named("gRPC-Web, HTTP/1.1, to a server that speaks it"), "http", true},
	{proxies.GRPC, "grpc", true},
	{proxies.GRPCWeb.Named("gRPC-Web, HTTP/1.1, translated to gRPC"), "grpc", false},
}

// row is a row of the report.
type row struct {
	*proxies.Row

	sameBytes bool // the gateway passes the same bytes on as the others
}

// measureAll starts the server and the proxies, measures every row, and writes the report.
func measureAll(ctx context.Context, rounds proxies.Rounds, out string) error {
	folder, err := os.MkdirTemp("", "bench-gateway")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	corsrpc, err := proxies.BuildCorsrpc(ctx, folder)
	if err != nil {
		return err
	}
	server, err := proxies.StartServer()
	if err != nil {
		return err
	}
	defer server.Close()
	var rows []row
	for _, way := range ways {
		measured, err := measureWay(ctx, way, server, corsrpc, rounds)
		if err != nil {
			return err
		}
		for _, r := range measured {
			rows = append(rows, row{r, way.nginx})
		}
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	if err := writeReport(f, rows, rounds); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// measureWay measures the calls of one protocol through all proxies.
func measureWay(ctx context.Context, way way, server *proxies.Server, corsrpc *proxies.Corsrpc, rounds proxies.Rounds) (rows []*proxies.Row, err error) {
	var contenders []proxies.Contender
	defer func() {
		for _, c := range contenders {
			proxies.Stop(c.Proxy.Processes[0])
		}
	}()
	page := !way.HTTP2
	add := func(name string, p *proxies.Proxy, err error) error {
		client := proxies.Client{Page: page}
		if page && name == gatewayName {
			client.AllowOrigin = proxies.Page
		}
		if p != nil {
			contenders = append(contenders, proxies.Contender{Name: name, Proxy: p, Client: client})
		}
		return err
	}
	gateway, err := corsrpc.Gateway(ctx, way.upstream, server)
	if err := add(gatewayName, gateway, err); err != nil {
		return nil, err
	}
	bare, err := startBare(ctx, way, server)
	if err := add(bareName, bare, err); err != nil {
		return nil, err
	}
	if way.nginx {
		nginx, err := startNginx(ctx, way, server, corsrpc.Folder)
		if err := add(nginxName, nginx, err); err != nil {
			return nil, err
		}
	}
	for _, kind := range []proxies.Kind{proxies.Unary, proxies.Stream} {
		r, err := rounds.Run(ctx, way.Way, kind, contenders)
		if err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}
