package docs

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startProgram starts a program in a folder until the test ends, and returns the first line that it prints with a text.
func startProgram(t *testing.T, dir, text, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a test that panics runs no cleanup
	read, write := io.Pipe()
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		write.CloseWithError(fmt.Errorf("the program has ended: %w", cmd.Wait()))
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		<-ended
	})
	var all strings.Builder
	for lines := bufio.NewReader(read); ; {
		line, err := lines.ReadString('\n')
		all.WriteString(line)
		if strings.Contains(line, text) {
			go io.Copy(io.Discard, lines)
			return line
		}
		if err != nil {
			t.Fatalf("%s %q: %v\n%s", filepath.Base(program), args, err, all.String())
		}
	}
}

// blockNamed returns the content of the block of the page about the gateway that names a file.
func blockNamed(t *testing.T, name string) string {
	t.Helper()
	for _, b := range parse(gatewayPage, []byte(repository(t).text(gatewayPage))).blocks {
		if nameOf(b) == name {
			return b.text
		}
	}
	t.Fatalf("%s has no block with the name %s", gatewayPage, name)
	return ""
}

// TestGatewayPageFile: the gateway of the work tree starts with the gateway file of the page. Its servers and its database do
// not exist, so it does not get ready.
func TestGatewayPageFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := strings.Replace(blockNamed(t, "gateway.yaml"), `address: ":8443"`, `address: "localhost:0"`, 1) + "internal: {address: \"localhost:0\"}\n"
	certificate, key := selfSigned(t)
	schema, err := os.ReadFile("../../examples/gateway/catalog.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"gateway.yaml": strings.ReplaceAll(text, "greet.binpb", "catalog.json"),
		"cors.yaml":    blockNamed(t, "cors.yaml"), "staff.yaml": blockNamed(t, "tenants.yaml"), "catalog.json": string(schema),
		"tls.crt": certificate, "client.crt": certificate, "ca.crt": certificate, "tls.key": key, "client.key": key,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if line := startProgram(t, dir, "msg=listening", builtProgram(t), "gateway", "--config", "gateway.yaml"); !strings.Contains(line, "tls=true") {
		t.Error(line)
	}
}

// selfSigned returns a certificate and its key in PEM form.
func selfSigned(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}

// nginxServer has gaps for a folder, and for the page's location block. The test tells nginx the address of its client.
const nginxServer = `daemon off;
master_process off;
pid %[1]s/pid;
error_log stderr notice;
events {}
http {
  access_log off;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
  server {
    listen unix:%[1]s/socket;
    set_real_ip_from unix:;
    real_ip_header X-Test-Client;
%[2]s
  }
}
`

// TestGatewayBehindNginx: with the page's block for nginx, the gateway knows the client and the host that the browser used, and a
// client that sends forwarded fields itself pretends nothing.
func TestGatewayBehindNginx(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Host+" "+r.Header.Get("X-Forwarded-For")+" "+r.Header.Get("X-Forwarded-Host"))
	}))
	defer backend.Close()
	dir, err := os.MkdirTemp("", "nginx") // not t.TempDir, whose paths are too long for a socket's
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "cors.yaml"), []byte(blockNamed(t, "cors.yaml")), 0o600); err != nil {
		t.Fatal(err)
	}
	line := startProgram(t, dir, "msg=listening", builtProgram(t), "gateway", "--policy", "cors.yaml", "--upstream", backend.URL,
		"--listen", "127.0.0.1:0", "--internal", "127.0.0.1:0", "--trusted-proxy", "127.0.0.1", "--access-log", "access.log")
	location := strings.Replace(blockNamed(t, "corsrpc.conf"), "127.0.0.1:8080", "127.0.0.1:"+listeningRE.FindStringSubmatch(line)[1], 1)
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, nginxServer, dir, location), 0o600); err != nil {
		t.Fatal(err)
	}
	startProgram(t, dir, "event method", nginxProgram(t), "-c", config, "-p", dir, "-e", "stderr")
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, "socket"))
	}}}
	call := func(origin string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://front.example/greet.v1.GreetService/Greet", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{
			"Content-Type": {"application/json"}, "Origin": {origin}, "X-Test-Client": {"203.0.113.7"},
			"Forwarded": {"for=198.51.100.1;host=evil.example;proto=http"}, "X-Forwarded-For": {"198.51.100.1"}, "X-Forwarded-Host": {"evil.example"},
		}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
	if status, body := call("http://front.example"); status != http.StatusOK || body != "front.example 203.0.113.7, 127.0.0.1 front.example" {
		t.Errorf("a page of the gateway's own origin: %d %s", status, body)
	}
	if status, body := call("http://evil.example"); status != http.StatusForbidden {
		t.Errorf("a page that pretends to be of the gateway's origin: %d %s", status, body)
	}
	log, err := os.ReadFile(filepath.Join(dir, "access.log"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(log)) {
		var entry struct{ Client, Host string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Client != "203.0.113.7" || entry.Host != "front.example" {
			t.Errorf("the access log has %s, %v", line, err)
		}
	}
}

// nginxProgram returns Debian's nginx, which is outside of the PATH of users other than root.
func nginxProgram(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"nginx", "/usr/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("nginx is missing: run `make packages`, or: apt-get install --yes --no-install-recommends nginx-light")
	return ""
}
