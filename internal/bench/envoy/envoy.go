package main

import (
	"context"
	_ "embed" // for configText
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"

	"github.com/corsrpc/corsrpc-go/internal/bench/proxies"
)

// program is Envoy, seen from internal/bench.
const program = "../../.tmp/envoy/envoy"

// The ways in which an Envoy does CORS.
const (
	corsNone      = "none"
	corsFilter    = "filter"
	corsProcessor = "processor"
)

// config is what the configuration of an Envoy is made from.
type config struct {
	Server string // host:port
	GRPC   bool   // translates gRPC-Web to gRPC
	CORS   string

	Folder, Port, ServerHost, ServerPort, Page string
}

//go:embed envoy.yaml.tmpl
var configText string

var configTemplate = template.Must(template.New("envoy").Parse(configText))

// envoy is a running Envoy, with its processor if it has one.
type envoy struct {
	address   string
	processes []*exec.Cmd // Envoy, and the processor
	admin     http.Client
}

// startEnvoy starts an Envoy, after its processor. It returns the processes that have begun also with an error.
func startEnvoy(ctx context.Context, corsrpc *proxies.Corsrpc, c config) (*envoy, error) {
	e := &envoy{}
	if _, err := os.Stat(program); err != nil {
		return e, fmt.Errorf("%s is missing: run internal/fleet/setup-envoy.sh", program)
	}
	var processor []*exec.Cmd
	if c.CORS == corsProcessor {
		process, err := corsrpc.Processor(ctx, filepath.Join(corsrpc.Folder, "processor"))
		if process != nil {
			processor = append(processor, process)
		}
		if err != nil {
			e.processes = processor
			return e, err
		}
	}
	err := e.start(ctx, corsrpc.Folder, c)
	e.processes = append(e.processes, processor...)
	return e, err
}

// start writes the configuration and starts Envoy.
func (e *envoy) start(ctx context.Context, folder string, c config) (err error) {
	if e.address, err = proxies.FreeAddress(ctx); err != nil {
		return err
	}
	c.Folder, c.Page = folder, proxies.Page
	if _, c.Port, err = net.SplitHostPort(e.address); err != nil {
		return err
	}
	if c.ServerHost, c.ServerPort, err = net.SplitHostPort(c.Server); err != nil {
		return err
	}
	var text strings.Builder
	if err := configTemplate.Execute(&text, c); err != nil {
		return err
	}
	file := filepath.Join(folder, "envoy-"+c.CORS+".yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return err
	}
	process := exec.CommandContext(ctx, program, "--config-path", file, "--disable-hot-restart", "--log-level", "warning")
	process.Stderr = os.Stderr
	if err := proxies.Start(process); err != nil {
		return err
	}
	e.processes = []*exec.Cmd{process}
	e.admin.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(folder, "admin-"+c.CORS))
	}}
	return proxies.WaitForPort(ctx, "Envoy", e.address)
}

func (e *envoy) proxy() *proxies.Proxy {
	return &proxies.Proxy{Address: e.address, Processes: e.processes}
}

// checkTrips checks how many messages Envoy sends to its processor for each call of a contender.
func (e *envoy) checkTrips(ctx context.Context, contenders []proxies.Contender, name string, row row, want int) error {
	for _, c := range contenders {
		if c.Name != name {
			continue
		}
		before, err := e.messages(ctx)
		if err != nil {
			return err
		}
		const calls = 3
		for range calls {
			c.Client.Way, c.Client.Kind = row.way, row.kind
			if err := c.Client.Call(ctx, c.Proxy); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		after, err := e.messages(ctx)
		if err != nil {
			return err
		}
		if after-before != calls*want {
			return fmt.Errorf("%s: Envoy has sent %d messages to the processor for %d calls, and not %d for each", name, after-before, calls, want)
		}
	}
	return nil
}

// messages returns how many messages Envoy has sent to its processor until now.
func (e *envoy) messages(ctx context.Context) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://admin/stats?filter=ext_proc.stream_msgs_sent$", nil)
	if err != nil {
		return 0, err
	}
	response, err := e.admin.Do(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	_, n, ok := strings.Cut(strings.TrimSpace(string(text)), ": ")
	if !ok {
		return 0, fmt.Errorf("messages to the processor are not counted: %q", text)
	}
	return strconv.Atoi(n)
}
