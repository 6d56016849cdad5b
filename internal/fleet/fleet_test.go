//go:build fleet

package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/corsrpc/corsrpc-go/internal/fleet/hosts"
)

// origin is that of the page whose calls the tests make.
const origin = "https://app.example.com"

// The ports of the gateway and of the upstream, each on a host of its own.
const (
	publicPort, internalPort = 8080, 9901
	upstreamPort             = 9090
)

// program builds the command once, and returns its name.
var program = sync.OnceValues(func() (string, error) {
	folder, err := filepath.Abs("../../.tmp/fleet")
	if err != nil {
		return "", err
	}
	name := filepath.Join(folder, "corsrpc")
	out, err := exec.CommandContext(context.Background(), "go", "build", "-C", "../../corsrpc/cmd", "-o", name, "./corsrpc").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return name, nil
})

// fleet is three hosts: a page's, the gateway's and the upstream's.
type fleet struct {
	t                         *testing.T
	client, gateway, upstream *hosts.Host
	http                      *http.Client // of the page, over HTTP/1.1
	program                   *process     // the gateway
	server                    *process     // the upstream
}

// settings are those of a gateway for tests.
type settings struct {
	kind     string        // of the upstream
	schema   string        // of the upstream; empty: the upstream is not started
	address  string        // where the gateway finds the upstream; empty: on its host
	response time.Duration // response_timeout
	drain    time.Duration // drain.timeout
	delay    time.Duration // drain.delay
}

// start starts an upstream and a gateway in front of it, and waits until the gateway is ready.
func start(t *testing.T, s settings) *fleet {
	t.Helper()
	f := begin(t)
	f.startUpstream(s.kind, s.schema)
	f.startGateway(s)
	f.eventually("the gateway is ready", 30*time.Second, func() bool { return isReady(f.inspect("/readyz")) })
	return f
}

// begin makes the hosts.
func begin(t *testing.T) *fleet {
	t.Helper()
	all := hosts.New(t, "client", "gateway", "upstream")
	f := &fleet{t: t, client: all[0], gateway: all[1], upstream: all[2]}
	transport := &http.Transport{DialContext: f.client.Dial}
	f.http = &http.Client{Transport: transport}
	t.Cleanup(transport.CloseIdleConnections)
	return f
}

// startUpstream starts the upstream with a schema, and waits until it serves.
func (f *fleet) startUpstream(kind, schema string) {
	f.t.Helper()
	name, err := os.Executable()
	if err != nil {
		f.t.Fatal(err)
	}
	address := net.JoinHostPort(f.upstream.Address, fmt.Sprint(upstreamPort))
	cmd := f.upstream.Command(name)
	cmd.Env = append(os.Environ(), runUpstream+"="+strings.Join([]string{kind, address, schema}, " "))
	f.server = run(f.t, cmd)
	f.eventually("the upstream serves", 10*time.Second, func() bool {
		conn, err := f.upstream.Dial(f.t.Context(), "tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

// startGateway starts the gateway.
func (f *fleet) startGateway(s settings) {
	f.t.Helper()
	name, err := program()
	if err != nil {
		f.t.Fatal(err)
	}
	if s.address == "" {
		s.address = net.JoinHostPort(f.upstream.Address, fmt.Sprint(upstreamPort))
	}
	if s.response == 0 {
		s.response = 3 * time.Second
	}
	folder := f.t.TempDir()
	for file, text := range map[string]string{
		"cors.yaml": "defaults: {allow_origins: [\"" + origin + "\"]}\n",
		"gateway.yaml": fmt.Sprintf(`listen: {address: ":%d"}
internal: {address: ":%d"}
upstreams: [{name: link, url: "%s", reflect: true, connect_timeout: 2s, response_timeout: %s}]
virtual_hosts: [{policy: cors.yaml, routes: [{upstream: link}]}]
drain: {delay: %s, timeout: %s}
`, publicPort, internalPort, upstreamURL(s.kind, s.address), seconds(s.response), seconds(s.delay), seconds(s.drain)),
	} {
		if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600); err != nil {
			f.t.Fatal(err)
		}
	}
	cmd := f.gateway.Command(name, "gateway", "--config", "gateway.yaml")
	cmd.Dir = folder
	f.program = run(f.t, cmd)
}

// seconds returns a duration as a gateway file has it.
func seconds(d time.Duration) string { return fmt.Sprintf("%gs", d.Seconds()) }

// urlOf returns the URL of a path on a port of a host.
func urlOf(h *hosts.Host, port int, path string) string {
	return "http://" + net.JoinHostPort(h.Address, fmt.Sprint(port)) + path
}

// inspect gets a path of the gateway's internal port, from the gateway's own host.
func (f *fleet) inspect(path string) (status int, text string) {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DialContext: f.gateway.Dial, DisableKeepAlives: true}}
	r, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, urlOf(f.gateway, internalPort, path), nil)
	if err != nil {
		f.t.Fatal(err)
	}
	response, err := client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(body)
}

// eventually waits until something is true.
func (f *fleet) eventually(what string, within time.Duration, is func() bool) {
	f.t.Helper()
	timer := time.NewTimer(within)
	defer timer.Stop()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for !is() {
		select {
		case <-timer.C:
			_, ready := f.inspect("/readyz")
			f.t.Fatalf("%s: not true after %s; /readyz: %s\nthe gateway's log:\n%s", what, within, ready, f.program.log())
		case <-again.C:
		}
	}
}

// protocol is how a page calls.
type protocol struct {
	name    string
	options []connect.ClientOption
}

var (
	overGRPCWeb = protocol{"gRPC-Web", []connect.ClientOption{connect.WithGRPCWeb()}}
	overConnect = protocol{"Connect", nil}
)

// protocolsOf returns the protocols that pages call an upstream by.
func protocolsOf(kind string) []protocol {
	if kind == grpcGo {
		return []protocol{overGRPCWeb}
	}
	return []protocol{overGRPCWeb, overConnect}
}

// page returns a client for a method, which calls as a page of the origin does.
func (f *fleet) page(p protocol, method string) *connect.Client[wrapperspb.StringValue, wrapperspb.StringValue] {
	return connect.NewClient[wrapperspb.StringValue, wrapperspb.StringValue](f.http, urlOf(f.gateway, publicPort, method), p.options...)
}

// request returns a request of a page.
func request(text string) *connect.Request[wrapperspb.StringValue] {
	r := connect.NewRequest(wrapperspb.String(text))
	r.Header().Set("Origin", origin)
	return r
}

// echo makes a unary call, bounded by the context, and returns its code; 0 if it was answered. It fails the test if a page
// could not read the outcome.
func (f *fleet) echo(ctx context.Context, p protocol) (connect.Code, error) {
	f.t.Helper()
	response, err := f.page(p, echo).CallUnary(ctx, request("Ada"))
	var header http.Header
	var failure *connect.Error
	switch {
	case err == nil:
		header = response.Header()
		if got := response.Msg.GetValue(); got != "Ada" {
			f.t.Errorf("%s: the answer is %q", p.name, got)
		}
	case errors.As(err, &failure):
		header = failure.Meta()
	}
	if got := header.Get("Access-Control-Allow-Origin"); got != origin {
		f.t.Errorf("%s: a page cannot read the outcome: Access-Control-Allow-Origin is %q, %v", p.name, got, err)
	}
	if err == nil {
		return 0, nil
	}
	return connect.CodeOf(err), err
}

// process is a program that runs.
type process struct {
	cmd   *exec.Cmd
	mu    sync.Mutex
	text  bytes.Buffer
	ended chan struct{} // closed when it has ended
}

// run starts a program, which ends with the test.
func run(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: cmd, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p, p
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait() // ProcessState has the outcome
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	return p
}

// kill ends the program at once, as a host that loses power does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended by now
	<-p.ended
}

// terminate asks the program to end.
func (p *process) terminate(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// Write keeps what the program writes.
func (p *process) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(text)
}

// log returns what the program has written.
func (p *process) log() string {
	if p == nil {
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}
