package gateway_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/gateway"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/gatewayfile"
)

const page = "https://app.example.com"

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
