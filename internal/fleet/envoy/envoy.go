// Package envoy starts the real Envoy in tests: the version that internal/fleet/setup-envoy.sh
// installs.
package envoy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	startTimeout = 30 * time.Second // until Envoy is ready, on a loaded machine
	adminTimeout = 10 * time.Second
)

// Envoy is a running Envoy. Its methods are safe for concurrent use, and for use from any network
// namespace: the admin endpoint is a Unix socket.
type Envoy struct {
	t       testing.TB
	command *exec.Cmd
	ended   chan struct{} // closed at the end of the process
	log     string        // path
	admin   http.Client
}

// Option changes how Envoy is started.
type Option func(*settings)

type settings struct {
	command     func(name string, args ...string) *exec.Cmd
	concurrency int
	arguments   []string
}

// Command sets the function that makes the command, such as one that enters a network namespace. The
// process that it starts must become Envoy by exec. The default is exec.Command.
func Command(command func(name string, args ...string) *exec.Cmd) Option {
	return func(s *settings) { s.command = command }
}

// Concurrency sets the number of worker threads. The default is 2.
func Concurrency(workers int) Option {
	return func(s *settings) { s.concurrency = workers }
}

// Arguments adds arguments of Envoy's command line, such as "--component-log-level",
// "ext_proc:trace".
func Arguments(args ...string) Option {
	return func(s *settings) { s.arguments = append(s.arguments, args...) }
}

// Start starts Envoy with a configuration, in YAML, and waits until it is ready. The test fails
// without a start if Envoy's own validation refuses the configuration. The
// configuration's admin endpoint is replaced. Envoy ends with the test; a failed test prints the end of
// its log.
func Start(t testing.TB, config string, options ...Option) *Envoy {
	t.Helper()
	Validate(t, config)
	s := settings{command: exec.Command, concurrency: 2}
	for _, option := range options {
		option(&s)
	}

	dir := shortDir(t)
	socket := filepath.Join(dir, "admin")
	e := &Envoy{
		t:     t,
		ended: make(chan struct{}),
		log:   filepath.Join(dir, "log"),
		admin: http.Client{
			Timeout: adminTimeout,
			Transport: &http.Transport{
				DisableKeepAlives: true,
				DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
					var d net.Dialer
					return d.DialContext(ctx, "unix", socket)
				},
			},
		},
	}
	log, err := os.Create(e.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	e.command = s.command(Program(t), append([]string{
		"--config-path", writeConfig(t, dir, config),
		"--config-yaml", fmt.Sprintf("admin: {address: {pipe: {path: %q}}}", socket),
		"--concurrency", strconv.Itoa(s.concurrency),
		"--disable-hot-restart", // which would share memory between the Envoys of one machine
		"--drain-time-s", "1",
	}, s.arguments...)...)
	e.command.Stdout = log
	e.command.Stderr = log
	if err := e.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = e.command.Wait() // the state is in ProcessState
		close(e.ended)
	}()
	t.Cleanup(e.stop)
	e.waitUntilReady()
	return e
}

// Validate fails the test if Envoy refuses a configuration, in YAML. It opens no ports.
func Validate(t testing.TB, config string) {
	t.Helper()
	if problem := Problem(t, config); problem != "" {
		t.Fatalf("Envoy refuses the configuration:\n%s\nconfiguration:\n%s", problem, config)
	}
}

// Problem returns Envoy's own words about a configuration that it refuses, or "" if it takes the
// configuration.
func Problem(t testing.TB, config string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, Program(t),
		"--mode", "validate",
		"--config-path", writeConfig(t, shortDir(t), config),
		"--disable-hot-restart",
		"--log-level", "warning",
	).CombinedOutput()
	if err == nil {
		return ""
	}
	return fmt.Sprintf("%s%v", out, err)
}

// Program returns the absolute path of Envoy's binary. The test fails if it is not installed.
func Program(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		program := filepath.Join(dir, ".tmp", "envoy", "envoy")
		if _, err := os.Stat(program); err == nil {
			return program
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("Envoy is not installed: run internal/fleet/setup-envoy.sh")
		}
		dir = parent
	}
}

// Addr returns the address of a listener, host:port, with the port that the system chose if the
// configuration says port 0. The test fails if no listener has that name.
func (e *Envoy) Addr(listener string) string {
	e.t.Helper()
	addr := e.Addrs()[listener]
	if addr == "" {
		e.t.Fatalf("no listener %q in %s", listener, e.Admin("/listeners?format=json"))
	}
	return addr
}

// Addrs returns the addresses of all listeners by name, as Addr does.
func (e *Envoy) Addrs() map[string]string {
	e.t.Helper()
	var listeners struct {
		Statuses []struct {
			Name    string `json:"name"`
			Address struct {
				Socket struct {
					Address string `json:"address"`
					Port    int    `json:"port_value"`
				} `json:"socket_address"`
			} `json:"local_address"`
		} `json:"listener_statuses"`
	}
	body := e.Admin("/listeners?format=json")
	if err := json.Unmarshal([]byte(body), &listeners); err != nil {
		e.t.Fatalf("%v in %s", err, body)
	}
	addrs := map[string]string{}
	for _, l := range listeners.Statuses {
		addrs[l.Name] = net.JoinHostPort(l.Address.Socket.Address, strconv.Itoa(l.Address.Socket.Port))
	}
	return addrs
}

// Stats returns the value of a counter or a gauge, by its full name. It is 0 if Envoy has not
// made it yet, as it does for many at their first event.
func (e *Envoy) Stats(name string) int {
	e.t.Helper()
	filter := url.QueryEscape("^" + regexp.QuoteMeta(name) + "$")
	for line := range strings.Lines(e.Admin("/stats?filter=" + filter)) {
		value, found := strings.CutPrefix(line, name+": ")
		if !found {
			continue
		}
		n, err := strconv.Atoi(strings.TrimSpace(value))
		if err != nil {
			e.t.Fatalf("statistic %s: %v", name, err)
		}
		return n
	}
	return 0
}

// Admin returns the answer of the admin endpoint to a GET of a path with its query. The test fails if
// the status is not 200.
func (e *Envoy) Admin(path string) string {
	e.t.Helper()
	body, err := e.get(path)
	if err != nil {
		e.t.Fatal(err)
	}
	return body
}

// Log returns what Envoy has logged until now.
func (e *Envoy) Log() string {
	e.t.Helper()
	log, err := os.ReadFile(e.log)
	if err != nil {
		e.t.Fatal(err)
	}
	return string(log)
}

// Process returns Envoy's process, for signals and for its CPU time.
func (e *Envoy) Process() *os.Process {
	return e.command.Process
}

func (e *Envoy) get(path string) (string, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://admin"+path, nil)
	if err != nil {
		return "", err
	}
	resp, err := e.admin.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("GET %s of Envoy's admin endpoint: %s: %s", path, resp.Status, body)
	}
	return string(body), nil
}

func (e *Envoy) waitUntilReady() {
	e.t.Helper()
	deadline := time.After(startTimeout)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := e.get("/ready")
		if err == nil {
			return
		}
		select {
		case <-e.ended:
			e.t.Fatalf("Envoy ended before it was ready: %v", e.command.ProcessState)
		case <-deadline:
			e.t.Fatalf("Envoy is not ready after %v: %v", startTimeout, err)
		case <-tick.C:
		}
	}
}

// shortDir returns a directory whose path is short enough for Unix sockets in it, which that of
// TempDir is not if the test's name is long.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "envoy")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func writeConfig(t testing.TB, dir, config string) string {
	t.Helper()
	name := filepath.Join(dir, "envoy.yaml")
	if err := os.WriteFile(name, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
