// Command gateway measures what `corsrpc gateway` costs beside a bare httputil.ReverseProxy and nginx, and
// writes GATEWAY.md. Each proxy is a process of its own. One client calls them in turn, in rounds, so that
// a slow moment of the machine affects all of them. `make bench-gateway` runs it.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
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
		err = measureAll(context.Background(), *rounds, *calls, *clients, *out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-gateway:", err)
		os.Exit(1)
	}
}

// measureAll starts the server and the proxies, measures every row, and writes the report.
func measureAll(ctx context.Context, rounds, calls, clients int, out string) error {
	folder, err := os.MkdirTemp("", "bench-gateway")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	command := filepath.Join(folder, "corsrpc")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", command, "./corsrpc")
	build.Dir, build.Env = "../../corsrpc/cmd", append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, text)
	}
	server := startServer()
	defer server.close()
	var rows []*row
	for _, way := range ways {
		if err := measureWay(ctx, way, server, folder, command, rounds, calls, clients, &rows); err != nil {
			return fmt.Errorf("%s: %w", way.name, err)
		}
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	if err := writeReport(f, rows, rounds, calls, clients); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// measureWay measures the calls of one protocol through all proxies.
func measureWay(ctx context.Context, way way, server *server, folder, command string, rounds, calls, clients int, rows *[]*row) error {
	proxies, err := startProxies(ctx, way, server, folder, command)
	defer func() {
		for _, p := range proxies {
			p.stop()
		}
	}()
	if err != nil {
		return err
	}
	for _, kind := range kinds {
		r := &row{way: way, kind: kind, proxies: map[string]*samples{}}
		n := max(calls/kind.fewer, clients)
		for round := range rounds + 1 { // the first one warms up
			for i := range proxies {
				p := proxies[(round+i)%len(proxies)]
				fmt.Fprintf(os.Stderr, "%s, %s: round %d of %d: %s\n", way.name, kind.name, round, rounds, p.name)
				s, err := p.measure(ctx, way, kind, n, clients)
				if err != nil {
					return fmt.Errorf("%s through %s: %w", kind.name, p.name, err)
				}
				if round > 0 {
					r.add(p.name, s)
				}
			}
		}
		*rows = append(*rows, r)
	}
	return nil
}

// waitFor calls ready until it returns true, for at most 20 seconds.
func waitFor(ctx context.Context, what string, ready func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for !ready() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not begin to answer", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// discard reads a body to its end and returns its size.
func discard(body io.ReadCloser) (int64, error) {
	n, err := io.Copy(io.Discard, body)
	if closeErr := body.Close(); err == nil {
		err = closeErr
	}
	return n, err
}
