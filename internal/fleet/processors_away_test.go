//go:build fleet

package fleet_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/fleet/envoy"
	"github.com/corsrpc/corsrpc-go/internal/fleet/hosts"
)

const (
	allowedPage = "https://app.example.com"
	otherPage   = "https://evil.example"
	processors  = 3
	envoys      = 2

	messageTimeout = time.Second
)

// The settings of the processors' cluster and of the filter that the guide recommends: health checks find a
// processor that is away, and a stream that could not begin is tried with another one.
const (
	healthChecks = `
health_checks:
- {timeout: 1s, interval: 1s, no_traffic_interval: 1s, unhealthy_threshold: 1, healthy_threshold: 1, grpc_health_check: {}}
common_lb_config: {healthy_panic_threshold: {value: 0}}
circuit_breakers: {thresholds: [{max_requests: 100000, max_pending_requests: 100000, max_retries: 1000}]}`
	retries = `
retry_policy:
  retry_on: connect-failure,refused-stream,unavailable
  num_retries: 2
  retry_host_predicate:
  - name: envoy.retry_host_predicates.previous_hosts
    typed_config: {"@type": type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate}
  host_selection_retry_max_attempts: 5`
)

// fleet is a number of Envoys and processors, each on a host of its own, in front of one server.
type fleet struct {
	t          *testing.T
	client     *hosts.Host
	addresses  []string // of the Envoys
	processors []*running
	reached    atomic.Int64 // requests of other pages that the server got
}

// running is a processor, on a host of its own.
type running struct {
	*exec.Cmd
	host  *hosts.Host
	ended chan struct{}
}

// startFleet starts a fleet. The fields are those of envoy.Processor.
func startFleet(t *testing.T, p envoy.Processor) *fleet {
	t.Helper()
	names := []string{"client", "server"}
	for i := range envoys {
		names = append(names, fmt.Sprintf("envoy%d", i))
	}
	for i := range processors {
		names = append(names, fmt.Sprintf("processor%d", i))
	}
	all := hosts.New(t, names...)
	f := &fleet{t: t, client: all[0]}
	server := all[1]
	l, err := server.Listen(9090)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Origin") == otherPage {
			f.reached.Add(1)
		}
		w.Header().Set("Access-Control-Allow-Origin", "*") // so that a response that no processor saw could be read
	})}
	go func() { _ = s.Serve(l) }() // until Close
	t.Cleanup(func() { _ = s.Close() })
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "cors.yaml"), []byte("defaults: {allow_origins: ["+allowedPage+"]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	program := builtProgram(t)
	for _, h := range all[2+envoys:] {
		f.processors = append(f.processors, startExtproc(t, h, program, filepath.Join(folder, "cors.yaml")))
		p.Addresses = append(p.Addresses, h.Address+":9002")
	}
	p.Timeout = messageTimeout
	for _, h := range all[2 : 2+envoys] {
		config := envoy.Config{Host: h.Address, Port: 8080, Upstream: server.Address + ":9090", UpstreamHTTP1: true, Processor: &p}
		envoy.Start(t, config.YAML(t), envoy.Command(h.Command), envoy.Concurrency(1))
		f.addresses = append(f.addresses, h.Address+":8080")
	}
	return f
}

// builtProgram builds the program corsrpc.
func builtProgram(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "corsrpc")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-C", "../../corsrpc/cmd", "-o", program, "./corsrpc").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// startExtproc starts `corsrpc extproc` on a host, and waits until it is ready.
func startExtproc(t *testing.T, h *hosts.Host, program, policy string) *running {
	t.Helper()
	r := &running{Cmd: h.Command(program, "extproc", "--policy", policy, "--listen", h.Address+":9002", "--log", "json", "--drain-delay", "2s"), host: h, ended: make(chan struct{})}
	log, err := r.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan bool, 1)
	var text strings.Builder
	go func() {
		defer close(r.ended)
		for lines := bufio.NewScanner(log); lines.Scan(); {
			var line struct{ Msg string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "ready" {
				ready <- true
			}
			text.WriteString(lines.Text() + "\n")
		}
		_ = r.Wait() // the state does not matter
		close(ready)
	}()
	t.Cleanup(func() {
		_ = r.Process.Signal(syscall.SIGCONT)
		_ = r.Process.Kill()
		<-r.ended
	})
	if !<-ready {
		t.Fatalf("corsrpc extproc ended:\n%s", text.String())
	}
	return r
}

// calls are the results of calls through all Envoys.
type calls struct {
	allowed, other map[int]int // how often a page got a status
	slowest        time.Duration
}

// call calls n times from each page through each Envoy, eight calls at a time, each over a connection of its own. It
// checks that no page of another origin reached the server or can read an answer, and that the page reads every
// answer of the server.
func (f *fleet) call(n int) calls {
	f.t.Helper()
	c := calls{map[int]int{}, map[int]int{}, 0}
	var mu sync.Mutex
	var running sync.WaitGroup
	slots := make(chan struct{}, 8)
	for i := range n * len(f.addresses) * 2 {
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			page, to := allowedPage, c.allowed
			if i%2 == 1 {
				page, to = otherPage, c.other
			}
			start := time.Now()
			status, grant := f.callOnce(f.addresses[i/2%len(f.addresses)], page)
			mu.Lock()
			defer mu.Unlock()
			to[status]++
			c.slowest = max(c.slowest, time.Since(start))
			if page == otherPage && grant != "" || page == allowedPage && status == http.StatusOK && grant != page {
				f.t.Errorf("%s: status %d, Access-Control-Allow-Origin %q", page, status, grant)
			}
		})
	}
	running.Wait()
	if got := f.reached.Load(); got != 0 {
		f.t.Errorf("%d calls of another page reached the server", got)
	}
	return c
}

// callOnce makes one call of a page. The status is 0 if there was no response.
func (f *fleet) callOnce(address, page string) (status int, grant string) {
	ctx, cancel := context.WithTimeout(f.t.Context(), 20*time.Second)
	defer cancel()
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		return f.client.Dial(ctx, network, address)
	}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/acme.v1.CatalogService/Get", strings.NewReader("{}"))
	if err != nil {
		return 0, ""
	}
	r.Header = http.Header{"Origin": {page}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"cors"}, "Content-Type": {"application/json"}}
	res, err := transport.RoundTrip(r)
	if err != nil {
		return 0, ""
	}
	res.Body.Close()
	return res.StatusCode, res.Header.Get("Access-Control-Allow-Origin")
}

// whole reports whether every call was decided.
func (c calls) whole() bool {
	return len(c.allowed) == 1 && c.allowed[http.StatusOK] > 0 && len(c.other) == 1 && c.other[http.StatusForbidden] > 0
}

// add adds other results.
func (c *calls) add(other calls) {
	for status, n := range other.allowed {
		c.allowed[status] += n
	}
	for status, n := range other.other {
		c.other[status] += n
	}
	c.slowest = max(c.slowest, other.slowest)
}

// eventuallyWhole calls until every call of a round is decided.
func (f *fleet) eventuallyWhole(what string) {
	f.t.Helper()
	start := time.Now()
	for deadline := start.Add(30 * time.Second); ; {
		if c := f.call(6); c.whole() {
			f.t.Logf("%s: every call is decided again after %.1f s", what, time.Since(start).Seconds())
			return
		} else if time.Now().After(deadline) {
			f.t.Errorf("%s: not every call is decided again: %+v", what, c)
			return
		}
	}
}

// faults are what can happen to a processor.
var faults = []struct {
	name        string
	begin, mend func(*running)
	// status is what Envoy answers calls with that a faulty processor should have decided on.
	status int
}{
	{"killed", func(r *running) { _ = r.Process.Kill(); <-r.ended }, nil, http.StatusInternalServerError},
	{"cut off", func(r *running) { r.host.Cut() }, func(r *running) { r.host.Mend() }, http.StatusGatewayTimeout},
	{"stopped by SIGSTOP", func(r *running) { _ = r.Process.Signal(syscall.SIGSTOP) }, func(r *running) { _ = r.Process.Signal(syscall.SIGCONT) }, http.StatusGatewayTimeout},
}

// TestProcessorAway: one of three processors goes away. With the defaults, Envoy answers its share of the calls with
// an error for as long as that lasts. With health checks and retries it finds the others. A call without a decision is never
// let through.
func TestProcessorAway(t *testing.T) {
	for _, fault := range faults {
		t.Run(fault.name+", with the defaults", func(t *testing.T) {
			f := startFleet(t, envoy.Processor{})
			f.eventuallyWhole("the start")
			fault.begin(f.processors[0])
			c := f.call(15)
			for status := range c.allowed {
				if status != http.StatusOK && status != fault.status {
					t.Errorf("calls of the allowed page: %v", c.allowed)
				}
			}
			if c.allowed[http.StatusOK] == 0 || c.allowed[fault.status] == 0 || c.other[fault.status] == 0 {
				t.Errorf("calls: %+v", c)
			}
			if c.slowest > messageTimeout+5*time.Second {
				t.Errorf("a call took %v", c.slowest)
			}
			t.Logf("%s, with the defaults: %v", fault.name, c.allowed)
			if fault.mend != nil {
				fault.mend(f.processors[0])
				f.eventuallyWhole("mended")
			}
		})
		t.Run(fault.name+", with health checks and retries", func(t *testing.T) {
			f := startFleet(t, envoy.Processor{Cluster: healthChecks, Service: retries})
			f.eventuallyWhole("the start")
			fault.begin(f.processors[0])
			c := f.call(15)
			t.Logf("%s, with health checks and retries: %v", fault.name, c.allowed)
			if fault.name == "killed" && !c.whole() {
				t.Errorf("a processor that refuses connections is retried: %+v", c)
			}
			f.eventuallyWhole(fault.name)
			if fault.mend != nil {
				fault.mend(f.processors[0])
				f.eventuallyWhole("mended")
			}
		})
	}
}

// TestAllProcessorsAway: without any processor, Envoy answers every call with an error, preflights too, unless
// failure_mode_allow is set: then it lets every page in, which is why the guide warns of it.
func TestAllProcessorsAway(t *testing.T) {
	f := startFleet(t, envoy.Processor{Cluster: healthChecks, Service: retries})
	f.eventuallyWhole("the start")
	for _, p := range f.processors {
		_ = p.Process.Kill()
		<-p.ended
	}
	for range 2 { // before and after the health checks have noticed
		c := f.call(10)
		for status := range c.allowed {
			if status != http.StatusInternalServerError && status != http.StatusGatewayTimeout {
				t.Errorf("calls: %+v", c)
			}
		}
	}

	open := startFleet(t, envoy.Processor{FailOpen: true})
	for _, p := range open.processors {
		_ = p.Process.Kill()
		<-p.ended
	}
	if status, grant := open.callOnce(open.addresses[0], otherPage); status != http.StatusOK || grant != "*" || open.reached.Load() != 1 {
		t.Errorf("with failure_mode_allow: status %d, %q", status, grant)
	}
}

// TestRollingRestarts: all processors are restarted in turn under load, as a rollout does it: SIGTERM, and then a new
// one. In the drain's delay, which is longer than the interval of the health checks, Envoy turns to the others. So no call fails.
func TestRollingRestarts(t *testing.T) {
	f := startFleet(t, envoy.Processor{Cluster: healthChecks, Service: retries})
	f.eventuallyWhole("the start")
	rounds, over := make(chan struct{}, 1), make(chan struct{})
	all := calls{map[int]int{}, map[int]int{}, 0}
	var load sync.WaitGroup
	load.Go(func() {
		for {
			all.add(f.call(4))
			select {
			case <-over:
				return
			case rounds <- struct{}{}:
			default: // the test waits for a processor
			}
		}
	})
	for i, p := range f.processors {
		for range 10 {
			<-rounds
		}
		args := slices.Clone(p.Args)
		_ = p.Process.Signal(syscall.SIGTERM)
		<-p.ended
		for range 3 {
			<-rounds
		}
		f.processors[i] = startExtproc(t, p.host, args[slices.Index(args, "extproc")-1], args[slices.Index(args, "--policy")+1])
	}
	for range 10 {
		<-rounds
	}
	close(over)
	load.Wait()
	t.Logf("during the restarts: %+v", all)
	if !all.whole() {
		t.Errorf("calls: %+v", all)
	}
}
