package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/gateway"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/gatewayfile"
)

const page = "https://app.example.com"

// drained is how many streams are open in TestDrain.
var drained = flag.Int("streams", 500, "how many streams are open in TestDrain")

// running is a gateway that runs in the test.
type running struct {
	t                *testing.T
	folder           string
	public, internal string // addresses
	log              *lines
	terminate        chan struct{}
	reload           chan os.Signal
	interrupt        context.CancelFunc
	ended            chan error
}

// lines collects the lines of a log.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// eventually calls ok until it returns true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	again, deadline := time.NewTicker(5*time.Millisecond), time.After(30*time.Second)
	defer again.Stop()
	for !ok() {
		select {
		case <-again.C:
		case <-deadline:
			t.Fatalf("%s does not happen", what)
		}
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	next := name + ".next"
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, name); err != nil {
		t.Fatal(err)
	}
}

// start runs a gateway with a gateway file, in a folder with a policy that allows the page everything, and waits
// until it is ready. PORTS in the file stands for free ports.
func start(t *testing.T, folder, file string) *running {
	t.Helper()
	return startProgram(t, gatewayfile.Gateway, folder, file)
}

// startProgram is start for one of the programs.
func startProgram(t *testing.T, program gatewayfile.Program, folder, file string) *running {
	t.Helper()
	write(t, filepath.Join(folder, "cors.yaml"), `defaults: {allow_origins: ["`+page+`"], allow_credentials: true}
rules: [{path: /any/, allow_methods: [GET, POST, PUT]}]
`)
	r := &running{t: t, folder: folder, log: &lines{}, terminate: make(chan struct{}), reload: make(chan os.Signal, 1), ended: make(chan error, 1)}
	r.write(file)
	name := filepath.Join(folder, "gateway.yaml")
	read, err := gatewayfile.Read(name, program)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.interrupt = cancel
	go func() {
		r.ended <- gateway.Run(ctx, read, gateway.Options{
			Program:   program,
			Read:      func() (*gatewayfile.File, error) { return gatewayfile.Read(name, program) },
			Terminate: r.terminate, Reload: r.reload, Retry: 50 * time.Millisecond, Log: slog.New(slog.NewJSONHandler(r.log, nil)), Out: r.log,
		})
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case <-r.ended:
		case <-time.After(30 * time.Second):
			t.Error("the gateway does not end")
		}
	})
	eventually(t, "ready", func() bool {
		for line := range strings.Lines(r.log.String()) {
			var l struct{ Msg, Address string }
			_ = json.Unmarshal([]byte(line), &l)
			switch l.Msg {
			case "listening":
				r.public = l.Address
			case "internal port listening":
				r.internal = l.Address
			case "ready":
				return true
			}
		}
		select {
		case err := <-r.ended:
			r.ended <- err
			t.Fatalf("the gateway ended: %v\n%s", err, r.log)
		default:
		}
		return false
	})
	return r
}

// write writes the gateway file.
func (r *running) write(file string) {
	write(r.t, filepath.Join(r.folder, "gateway.yaml"), strings.Replace(file, "PORTS", `listen: {address: "127.0.0.1:0"}
internal: {address: "127.0.0.1:0"}`, 1))
}

// get sends a request of the page and returns the status and the body of the response.
func (r *running) get(path string) (int, string) {
	r.t.Helper()
	request, _ := http.NewRequestWithContext(r.t.Context(), "GET", "http://"+r.public+path, nil)
	request.Header.Set("Origin", page)
	return fetch(r.t, http.DefaultClient, request)
}

func fetch(t *testing.T, client *http.Client, r *http.Request) (int, string) {
	t.Helper()
	r.Close = true
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

// inspect gets a path of the internal port.
func (r *running) inspect(path string) (int, string) {
	r.t.Helper()
	request, _ := http.NewRequestWithContext(r.t.Context(), "GET", "http://"+r.internal+path, nil)
	return fetch(r.t, http.DefaultClient, request)
}

// saying returns a server that answers with a text.
func saying(t *testing.T, text string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }))
	t.Cleanup(s.Close)
	return s.URL
}

// streaming returns a server whose streams send "first", and "last" when end is closed. GET /any/socket is upgraded.
func streaming(t *testing.T, end <-chan struct{}) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst\n")
			<-end
			_, _ = io.WriteString(conn, "last\n")
			return
		}
		if r.URL.Path != "/any/stream" {
			_, _ = io.WriteString(w, "old")
			return
		}
		_, _ = io.WriteString(w, "first\n")
		_ = http.NewResponseController(w).Flush()
		<-end
		_, _ = io.WriteString(w, "last\n")
	}))
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// openStreams opens streams over HTTP/2, reads the first line of each, and returns a function that reads the rest of all
// and returns how many are complete.
func openStreams(t *testing.T, address string, n int) func() int {
	t.Helper()
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	t.Cleanup(transport.CloseIdleConnections)
	readers := make([]*bufio.Reader, n)
	var opening sync.WaitGroup
	slots := make(chan struct{}, 64)
	for i := range readers {
		opening.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			r, _ := http.NewRequestWithContext(t.Context(), "POST", "http://"+address+"/any/stream", nil)
			r.Header.Set("Origin", page)
			response, err := transport.RoundTrip(r)
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { response.Body.Close() })
			readers[i] = bufio.NewReader(response.Body)
			if line, err := readers[i].ReadString('\n'); line != "first\n" {
				t.Errorf("%q, %v", line, err)
			}
		})
	}
	opening.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return func() (complete int) {
		for _, r := range readers {
			if rest, err := io.ReadAll(r); err == nil && string(rest) == "last\n" {
				complete++
			}
		}
		return complete
	}
}

// TestDrain: after SIGTERM the gateway is not ready, takes no new connection after the delay, and ends when every call
// has ended: streams and upgraded connections.
func TestDrain(t *testing.T) {
	t.Parallel()
	streams := *drained
	end := make(chan struct{})
	g := start(t, t.TempDir(), fmt.Sprintf(`PORTS
upstreams: [{name: api, url: "h2c://%[1]s"}, {name: sockets, url: "http://%[1]s"}]
virtual_hosts: [{policy: cors.yaml, routes: [{upstream: api}, {path: /any/socket, upstream: sockets}]}]
drain: {delay: 0.2s}
`, streaming(t, end)))
	rest := openStreams(t, g.public, streams)
	socket, err := net.Dial("tcp", g.public)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	fmt.Fprintf(socket, "GET /any/socket HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", g.public)
	upgraded := bufio.NewReader(socket)
	for line := ""; line != "first\n"; {
		if line, err = upgraded.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	close(g.terminate)
	eventually(t, "not ready", func() bool { status, _ := g.inspect("/readyz"); return status == http.StatusServiceUnavailable })
	if status, _ := g.inspect("/livez"); status != http.StatusOK {
		t.Errorf("/livez: %d while draining", status)
	}
	eventually(t, "no new connections", func() bool {
		conn, err := net.Dial("tcp", g.public)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	select {
	case err := <-g.ended:
		t.Fatalf("the gateway ended with open calls: %v", err)
	default:
	}
	close(end)
	if n := rest(); n != streams {
		t.Errorf("%d of %d streams are complete", n, streams)
	}
	if line, err := upgraded.ReadString('\n'); line != "last\n" {
		t.Errorf("the upgraded connection: %q, %v", line, err)
	}
	socket.Close()
	select {
	case err := <-g.ended:
		g.ended <- err
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Error("the gateway does not end after the last call")
	}
}

// TestDrainClosesConnections: the response to a call that began before the drain closes its connection, so that no
// further call begins on it.
func TestDrainClosesConnections(t *testing.T) {
	t.Parallel()
	arrived, end := make(chan struct{}), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-end
	}))
	t.Cleanup(s.Close)
	g := start(t, t.TempDir(), fmt.Sprintf(`PORTS
upstreams: [{name: api, url: "%s"}]
virtual_hosts: [{policy: cors.yaml, routes: [{upstream: api}]}]
drain: {delay: 1s}
`, s.URL))
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+g.public+"/any/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan bool, 1)
	go func() {
		response, err := transport.RoundTrip(r)
		if err == nil {
			response.Body.Close()
		}
		answered <- err == nil && response.Close
	}()
	<-arrived
	close(g.terminate)
	eventually(t, "not ready", func() bool { status, _ := g.inspect("/readyz"); return status == http.StatusServiceUnavailable })
	close(end)
	if !<-answered {
		t.Error("the connection stays open after the response")
	}
	if err := <-g.ended; err != nil {
		t.Error(err)
	}
	g.ended <- nil
}

// TestDrainTimeout: calls that are open at the drain's timeout are ended.
func TestDrainTimeout(t *testing.T) {
	t.Parallel()
	end := make(chan struct{})
	defer close(end)
	g := start(t, t.TempDir(), fmt.Sprintf(`PORTS
upstreams: [{name: api, url: "h2c://%s"}]
virtual_hosts: [{policy: cors.yaml, routes: [{upstream: api}]}]
drain: {delay: 0s, timeout: 0.1s}
`, streaming(t, end)))
	rest := openStreams(t, g.public, 2)
	close(g.terminate)
	if n := rest(); n != 0 {
		t.Errorf("%d streams look complete", n)
	}
	if err := <-g.ended; err != nil {
		t.Error(err)
	}
	g.ended <- nil
}

// TestReload: a changed gateway file takes effect as a whole, while streams of before go on; a broken one changes
// nothing, and the log has every problem.
func TestReload(t *testing.T) {
	t.Parallel()
	end := make(chan struct{})
	old, next := streaming(t, end), saying(t, "next")
	file := `PORTS
upstreams: [{name: api, url: "%s"}]
virtual_hosts: [{policy: cors.yaml, routes: [{upstream: api}]}]
`
	g := start(t, t.TempDir(), fmt.Sprintf(file, "h2c://"+old))
	rest := openStreams(t, g.public, 3)
	for name, broken := range map[string]string{
		"a field that is unknown": "upstreams: [{nam: api}]\n",
		"a file that is missing":  fmt.Sprintf(strings.Replace(file, "cors.yaml", "nothing.yaml", 1), next),
		"no text":                 "",
		"an upstream away that has to tell its schema": fmt.Sprintf(strings.Replace(file, `"}]`, `", descriptors: [cors.yaml]}]`, 1), next),
	} {
		before := strings.Count(g.log.String(), "the previous one stays in force")
		g.write(broken)
		eventually(t, name+" is reported", func() bool { return strings.Count(g.log.String(), "the previous one stays in force") > before })
		openStreams(t, g.public, 1) // still the old upstream
	}
	g.write(fmt.Sprintf(file, next))
	eventually(t, "the new upstream", func() bool { status, body := g.get("/any/x"); return status == http.StatusOK && body == "next" })
	close(end)
	if n := rest(); n != 3 {
		t.Errorf("%d of 3 streams of the previous configuration are complete", n)
	}
}

// TestReloadsWhatComesLater checks that a gateway file takes effect when a file that it names comes after it, as files of
// several ConfigMaps do, and that the log does not repeat what is missing.
func TestReloadsWhatComesLater(t *testing.T) {
	t.Parallel()
	file := `PORTS
upstreams: [{name: api, url: "%s"}]
virtual_hosts: [{policy: %s, routes: [{upstream: api}]}]
`
	g := start(t, t.TempDir(), fmt.Sprintf(file, saying(t, "old"), "cors.yaml"))
	g.write(fmt.Sprintf(file, saying(t, "next"), "later.yaml"))
	const complaint = "the previous one stays in force"
	eventually(t, "the missing file is reported", func() bool { return strings.Contains(g.log.String(), complaint) })
	write(t, filepath.Join(g.folder, "later.yaml"), "defaults: {allow_origins: ['"+page+"']}\nrules: [{path: /any/}]\n")
	eventually(t, "the new upstream", func() bool { _, body := g.get("/any/x"); return body == "next" })
	if n := strings.Count(g.log.String(), complaint); n != 1 {
		t.Errorf("the log has it %d times: %s", n, g.log)
	}
}

// TestUpgradeWhileDraining checks that the handshake of an upgrade does not say that the connection ends.
func TestUpgradeWhileDraining(t *testing.T) {
	t.Parallel()
	end := make(chan struct{})
	g := start(t, t.TempDir(), fmt.Sprintf(`PORTS
upstreams: [{name: api, url: "http://%s"}]
virtual_hosts: [{policy: cors.yaml, routes: [{upstream: api}]}]
drain: {delay: 3s}
`, streaming(t, end)))
	close(g.terminate)
	eventually(t, "not ready", func() bool { status, _ := g.inspect("/readyz"); return status == http.StatusServiceUnavailable })
	socket, err := net.Dial("tcp", g.public)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	defer close(end)
	fmt.Fprintf(socket, "GET /any/socket HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", g.public)
	response, err := http.ReadResponse(bufio.NewReader(socket), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := response.Header["Connection"]; response.StatusCode != http.StatusSwitchingProtocols || len(got) != 1 || got[0] != "Upgrade" {
		t.Errorf("%d, Connection: %q", response.StatusCode, got)
	}
}

// TestReloadPolicy: a changed policy is in force for the next request, and SIGHUP reads it again.
func TestReloadPolicy(t *testing.T) {
	t.Parallel()
	g := start(t, t.TempDir(), fmt.Sprintf(`PORTS
upstreams: [{name: api, url: "%s"}]
virtual_hosts: [{policy: cors.yaml, routes: [{upstream: api}]}]
access_log: {file: "-"}
`, saying(t, "ok")))
	readable := func() bool { status, _ := g.get("/any/x"); return status == http.StatusOK }
	if !readable() {
		t.Fatal("the page cannot call")
	}
	_, before := g.inspect("/readyz")
	write(t, filepath.Join(g.folder, "cors.yaml"), "defaults: {allow_origins: [https://other.example.com]}\nrules: [{path: /any/, allow_methods: [GET]}]\n")
	g.reload <- syscall.SIGHUP
	eventually(t, "the page is refused", func() bool { return !readable() })
	if _, after := g.inspect("/readyz"); after == before {
		t.Errorf("/readyz has the digest of the previous policy: %s", after)
	}
	write(t, filepath.Join(g.folder, "cors.yaml"), "defaults: {allow_origins: [nonsense]}\n")
	eventually(t, "the problem is logged", func() bool {
		return strings.Contains(g.log.String(), "ORIGIN_SYNTAX") || strings.Contains(g.log.String(), "nonsense")
	})
	if readable() {
		t.Error("a broken policy lets the page call")
	}
}

// TestAccessLog: a request has one line, without its query.
func TestAccessLog(t *testing.T) {
	t.Parallel()
	g := start(t, t.TempDir(), fmt.Sprintf(`PORTS
upstreams: [{name: api, url: "%s"}]
virtual_hosts: [{policy: cors.yaml, routes: [{path: /any/, upstream: api}]}]
access_log: {file: access.log}
`, saying(t, "hello")))
	g.get("/any/x?token=secret")
	g.get("/elsewhere")
	name := filepath.Join(g.folder, "access.log")
	var entries []map[string]any
	read := func() bool {
		entries = nil
		text, _ := os.ReadFile(name)
		for line := range strings.Lines(string(text)) {
			var e map[string]any
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			entries = append(entries, e)
		}
		return len(entries) >= 2
	}
	eventually(t, "two lines", read)
	for field, want := range map[string]any{
		"method": "GET", "path": "/any/x", "host": g.public, "status": 200.0, "sent_bytes": 5.0, "client": "127.0.0.1",
		"origin": page, "virtual_host": "default", "upstream": "api", "protocol": "HTTP/1.1",
	} {
		if entries[0][field] != want {
			t.Errorf("%s: %v, want %v", field, entries[0][field], want)
		}
	}
	if entries[1]["status"] != 404.0 || entries[1]["upstream"] != nil {
		t.Errorf("%v", entries[1])
	}
	if strings.Contains(fmt.Sprint(entries), "secret") {
		t.Errorf("the query is logged: %v", entries)
	}
	if err := os.Rename(name, name+".1"); err != nil {
		t.Fatal(err)
	}
	g.reload <- syscall.SIGHUP
	eventually(t, "the log is opened again", func() bool { _, err := os.Stat(name); return err == nil })
}

// TestPrefixesBehindPrefixes checks that the policy knows the procedures that an upstream has below its own prefix, behind
// one that a route strips.
func TestPrefixesBehindPrefixes(t *testing.T) {
	t.Parallel()
	g := start(t, t.TempDir(), fmt.Sprintf(`PORTS
upstreams: [{name: api, url: "%s"}]
virtual_hosts: [{policy: cors.yaml, path_prefixes: [/v1], routes: [{strip_prefix: /api, upstream: api}, {upstream: api}]}]
`, saying(t, "ok")))
	for _, prefix := range []string{"", "/v1", "/api", "/api/v1"} {
		r, _ := http.NewRequestWithContext(t.Context(), "POST", "http://"+g.public+prefix+"/acme.v1.Service/Get", nil)
		r.Header.Set("Origin", "https://evil.example")
		if status, body := fetch(t, http.DefaultClient, r); status != http.StatusForbidden {
			t.Errorf("%q: %d %s", prefix, status, body)
		}
	}
}

// TestHosts: each host has its policy; other hosts are answered with 421.
func TestHosts(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write(t, filepath.Join(folder, "admin.yaml"), "defaults: {allow_origins: [https://admin.example.com]}\nrules: [{path: /any/}]\n")
	g := start(t, folder, fmt.Sprintf(`PORTS
upstreams: [{name: api, url: "%s"}]
virtual_hosts:
  - {name: api, hosts: [api.example.com], policy: cors.yaml, routes: [{upstream: api}]}
  - {name: admin, hosts: ["*.internal.example"], policy: admin.yaml, routes: [{upstream: api}]}
`, saying(t, "ok")))
	for _, test := range []struct {
		host, origin string
		status       int
	}{
		{"api.example.com", page, 200}, {"api.example.com:1", page, 200}, {"api.example.com", "https://admin.example.com", 403},
		{"admin.internal.example", "https://admin.example.com", 200}, {"admin.internal.example", page, 403},
		{"other.example.com", page, 421}, {"internal.example", "https://admin.example.com", 421},
	} {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+g.public+"/any/x", nil)
		r.Host = test.host
		r.Header.Set("Origin", test.origin)
		if status, body := fetch(t, http.DefaultClient, r); status != test.status {
			t.Errorf("%s from %s: %d %s, want %d", test.host, test.origin, status, body, test.status)
		}
	}
}

// TestMetrics: the internal port has the metrics of the gateway and of its layers.
func TestMetrics(t *testing.T) {
	t.Parallel()
	g := start(t, t.TempDir(), fmt.Sprintf(`PORTS
upstreams: [{name: api, url: "%s"}]
virtual_hosts: [{policy: cors.yaml, routes: [{upstream: api}]}]
`, saying(t, "ok")))
	g.get("/any/x")
	eventually(t, "the metrics", func() bool {
		_, text := g.inspect("/metrics")
		for _, want := range []string{
			`http_server_request_duration_seconds_count{corsrpc_refused="false",corsrpc_upstream="api",corsrpc_virtual_host="default",http_request_method="GET",http_response_status_code="200"} 1`,
			"http_server_active_requests 0", "corsrpc_plan_info{", "corsrpc_policy_ready{corsrpc_policy_name=\"default\"} 1", "corsrpc_decisions_total{", "go_goroutines",
		} {
			if !strings.Contains(text, want) {
				return false
			}
		}
		return true
	})
}

// TestStartFails: a gateway that cannot start says why.
func TestStartFails(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	write(t, filepath.Join(folder, "cors.yaml"), "defaults: {allow_origins: [https://app.example.com]}")
	write(t, filepath.Join(folder, "bad.yaml"), "defaults: {allow_origins: [nonsense]}")
	write(t, filepath.Join(folder, "ca.pem"), "nonsense")
	socket, err := net.Listen("unix", filepath.Join(folder, "log.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for name, test := range map[string]struct{ file, want string }{
		"a port that is in use": {`listen: {address: "` + l.Addr().String() + `"}
upstreams: [{name: a, url: "http://a"}]
virtual_hosts: [{policy: cors.yaml, routes: [{upstream: a}]}]`, "address already in use"},
		"an internal port that is in use": {`listen: {address: "127.0.0.1:0"}
internal: {address: "` + l.Addr().String() + `"}
upstreams: [{name: a, url: "http://a"}]
virtual_hosts: [{policy: cors.yaml, routes: [{upstream: a}]}]`, "address already in use"},
		"a policy that does not load": {`upstreams: [{name: a, url: "http://a"}]
virtual_hosts: [{policy: bad.yaml, routes: [{upstream: a}]}]`, "nonsense"},
		"authorities that are none": {`upstreams: [{name: a, url: "https://a", tls: {ca: ca.pem}}]
virtual_hosts: [{policy: cors.yaml, routes: [{upstream: a}]}]`, "has no certificate in PEM form"},
		"a certificate that is none": {`listen: {address: "127.0.0.1:0", tls: {certificate: ca.pem, key: ca.pem}}
upstreams: [{name: a, url: "http://a"}]
virtual_hosts: [{policy: cors.yaml, routes: [{upstream: a}]}]`, "the certificate"},
		"an access log that cannot be opened": {`upstreams: [{name: a, url: "http://a"}]
virtual_hosts: [{policy: cors.yaml, routes: [{upstream: a}]}]
access_log: {file: log.sock}`, "the access log"},
	} {
		file := filepath.Join(folder, "gateway.yaml")
		write(t, file, test.file)
		read, err := gatewayfile.Read(file, gatewayfile.Gateway)
		if err != nil {
			t.Fatal(name, err)
		}
		err = gateway.Run(t.Context(), read, gateway.Options{Log: slog.New(slog.DiscardHandler), Out: io.Discard})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}
