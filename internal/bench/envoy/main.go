// Command envoy measures what `corsrpc extproc` costs in Envoy, beside Envoy alone, Envoy with its own CORS filter, and
// `corsrpc gateway` in Envoy's place, and writes ENVOY.md. `make bench-envoy` runs it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"

	"github.com/corsrpc/corsrpc-go/internal/bench/proxies"
)

// The names of those that are compared.
const (
	aloneName   = "Envoy alone"
	filterName  = "Envoy, its own cors filter"
	twiceName   = "Envoy, processor, two round trips"
	onceName    = "Envoy, processor, one round trip"
	gatewayName = "corsrpc gateway"
)

var names = []string{aloneName, filterName, twiceName, onceName, gatewayName}

// row is one kind of call in one way.
type row struct {
	way  proxies.Way
	kind proxies.Kind
	// grpc has all proxies translate to gRPC. Otherwise they pass the call on unchanged.
	grpc bool
}

var rows = []row{
	{proxies.Connect, proxies.Unary, false},
	{proxies.Connect, proxies.Stream, false},
	{proxies.GRPCWeb.Named("gRPC-Web, HTTP/1.1, translated to gRPC"), proxies.Unary, true},
}

func main() {
	rounds := flag.Int("rounds", 15, "number of rounds")
	calls := flag.Int("calls", 3000, "unary calls of each proxy in each round; a fiftieth of it for streams")
	clients := flag.Int("clients", 8, "calls at the same time")
	out := flag.String("out", "ENVOY.md", "file to write")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt) // ends the proxies
	defer stop()
	if err := measureAll(ctx, proxies.Rounds{Count: *rounds, Calls: *calls, Clients: *clients}, *out); err != nil {
		fmt.Fprintln(os.Stderr, "bench-envoy:", err)
		os.Exit(1)
	}
}

// measureAll starts the server and the proxies, measures every row, and writes the report.
func measureAll(ctx context.Context, rounds proxies.Rounds, out string) error {
	folder, err := os.MkdirTemp("", "bench-envoy")
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
	var measured []*proxies.Row
	for _, row := range rows {
		r, err := measure(ctx, row, server, corsrpc, rounds)
		if err != nil {
			return err
		}
		measured = append(measured, r)
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	if err := writeReport(ctx, f, measured, rounds); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// measure measures a row.
func measure(ctx context.Context, row row, server *proxies.Server, corsrpc *proxies.Corsrpc, rounds proxies.Rounds) (*proxies.Row, error) {
	var started []*exec.Cmd
	defer func() {
		for _, process := range started {
			proxies.Stop(process)
		}
	}()
	envoys := map[string]*envoy{}
	for _, cors := range []string{corsNone, corsFilter, corsProcessor} {
		e, err := startEnvoy(ctx, corsrpc, config{Server: server.Address, GRPC: row.grpc, CORS: cors})
		started = append(started, e.processes...)
		if err != nil {
			return nil, err
		}
		envoys[cors] = e
	}
	scheme := "http"
	if row.grpc {
		scheme = "grpc"
	}
	gateway, err := corsrpc.Gateway(ctx, scheme, server)
	if gateway != nil {
		started = append(started, gateway.Processes...)
	}
	if err != nil {
		return nil, err
	}
	allowed := proxies.Client{Page: true, AllowOrigin: proxies.Page}
	contenders := []proxies.Contender{
		{Name: aloneName, Proxy: envoys[corsNone].proxy(), Client: proxies.Client{Page: true}},
		{Name: filterName, Proxy: envoys[corsFilter].proxy(), Client: allowed},
		{Name: twiceName, Proxy: envoys[corsProcessor].proxy(), Client: allowed},
		{Name: onceName, Proxy: envoys[corsProcessor].proxy(), Client: proxies.Client{}},
		{Name: gatewayName, Proxy: gateway, Client: allowed},
	}
	for name, trips := range map[string]int{twiceName: 2, onceName: 1} {
		if err := envoys[corsProcessor].checkTrips(ctx, contenders, name, row, trips); err != nil {
			return nil, err
		}
	}
	return rounds.Run(ctx, row.way, row.kind, contenders)
}
