package servers

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/internal/nginx"
	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
)

// backend starts the server behind each proxy. The parameter status of a query is the status of its answer, and with
// the parameter cors it sends CORS fields of its own.
func backend(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		if query.Has("cors") {
			w.Header().Set("Access-Control-Allow-Origin", "*")
		}
		if query.Has("own") {
			w.WriteHeader(http.StatusBadGateway) // as a proxy itself answers
			return
		}
		if status, err := strconv.Atoi(query.Get("status")); err == nil {
			w.Header().Set(sidebyside.Ran, "ran")
			w.WriteHeader(status)
			return
		}
		sidebyside.API().ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// address sends requests to an address, whatever the host of their URL.
func address(t *testing.T, network, addr string) *http.Transport {
	t.Helper()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	transport := &http.Transport{DialContext: dial, DialTLSContext: dial, DisableCompression: true, MaxIdleConnsPerHost: 8}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// listens finds the address in what a program prints.
var listens = regexp.MustCompile(`(127\.0\.0\.1:[0-9]+)`)

// startGateway starts corsrpc gateway with a virtual host for each row.
func startGateway(t *testing.T, programs []program, starts []running) http.RoundTripper {
	t.Helper()
	dir := t.TempDir()
	set := &descriptorpb.FileDescriptorSet{}
	sidebyside.Schema().RangeFiles(func(f protoreflect.FileDescriptor) bool {
		set.File = append(set.File, protodesc.ToFileDescriptorProto(f))
		return true
	})
	descriptors, err := proto.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "schema.binpb"), string(descriptors))
	var config strings.Builder
	fmt.Fprintln(&config, "listen: {address: \"127.0.0.1:0\"}\ninternal: {address: \"127.0.0.1:0\"}\nupstreams:")
	for i, p := range programs {
		fmt.Fprintf(&config, "  - {name: %s, url: %q, descriptors: [schema.binpb]}\n", p.id, starts[i].upstream)
	}
	fmt.Fprintln(&config, "virtual_hosts:")
	for _, p := range programs {
		for j, r := range p.rows {
			file := fmt.Sprintf("%s-%d.yaml", p.id, j)
			write(t, filepath.Join(dir, file), p.policy(r))
			hosts := p.behind(j)
			if j == 0 {
				hosts += ", " + p.host(j) // the program keeps its configuration
			}
			fmt.Fprintf(&config, "  - {name: %s-%d, hosts: [%s], policy: %s, routes: [{upstream: %s}]}\n", p.id, j, hosts, file, p.id)
		}
	}
	write(t, filepath.Join(dir, "gateway.yaml"), config.String())
	program, err := build()
	if err != nil {
		t.Fatal(err)
	}
	addr := start(t, regexp.MustCompile(`msg=listening address=(127\.0\.0\.1:[0-9]+)`), nil, program, "gateway", "--config", filepath.Join(dir, "gateway.yaml"))
	return address(t, "tcp", addr)
}

var build = sync.OnceValues(func() (string, error) {
	program := filepath.Join(built, "corsrpc")
	command := exec.Command("go", "build", "-o", program, "./corsrpc")
	command.Dir = "../../../corsrpc/cmd"
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return program, nil
})

// built is the folder of the program that the tests build.
var built string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "servers")
	if err != nil {
		panic(err)
	}
	built = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil { // Apache reads as another user
		t.Fatal(err)
	}
}

// start starts a program until the end of the test. It returns what the expression finds in a line of its output.
func start(t *testing.T, found *regexp.Regexp, environment []string, program string, arguments ...string) string {
	t.Helper()
	a, err := tryStart(t, found, environment, program, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func tryStart(t *testing.T, found *regexp.Regexp, environment []string, program string, arguments ...string) (string, error) {
	t.Helper()
	command := exec.Command(program, arguments...)
	command.Env = append(os.Environ(), environment...)
	output, err := command.StdoutPipe()
	if err != nil {
		return "", err
	}
	command.Stderr = command.Stdout
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Apache and PHP start processes, which end with the group
	if err := command.Start(); err != nil {
		return "", err
	}
	address, read := make(chan string, 1), make(chan string, 1)
	go func() {
		var log strings.Builder
		lines := bufio.NewScanner(output)
		for lines.Scan() {
			fmt.Fprintln(&log, lines.Text())
			if m := found.FindStringSubmatch(lines.Text()); m != nil && len(address) == 0 {
				address <- m[1]
			}
		}
		io.Copy(io.Discard, output)
		read <- log.String()
	}()
	t.Cleanup(func() {
		syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
		log := <-read
		command.Wait()
		if t.Failed() {
			t.Log(log)
		}
	})
	select {
	case a := <-address:
		return a, nil
	case log := <-read:
		read <- log
		return "", fmt.Errorf("%s ended: %s", filepath.Base(program), log)
	case <-time.After(30 * time.Second):
		return "", fmt.Errorf("%s does not listen", filepath.Base(program))
	}
}

// startNginx starts nginx with a server block for each row.
func startNginx(t *testing.T, p program) running {
	t.Helper()
	upstream := backend(t)
	var config strings.Builder
	fmt.Fprintln(&config, "map_hash_bucket_size 128; server_names_hash_bucket_size 128;")
	for i, r := range p.rows {
		own := func(text string) string { return strings.ReplaceAll(text, "$cors_", fmt.Sprintf("$row_%d_", i)) }
		fmt.Fprintf(&config, "%s\nserver {\n  listen unix:%s;\n  server_name %s;\n  proxy_http_version 1.1;\n%s\n}\n", own(r.outer), nginx.Socket, p.host(i), strings.ReplaceAll(own(r.text), "http://127.0.0.1:9090", upstream))
	}
	server := nginx.Start(t, config.String())
	return running{address(t, "unix", server.Socket), upstream}
}

// startApache starts Apache with a virtual host for each row. Apache cannot choose a free port, so that this tries
// several.
func startApache(t *testing.T, p program) running {
	t.Helper()
	program := find(t, "apache2-bin", "apache2", "/usr/sbin/apache2")
	upstream := backend(t)
	dir := t.TempDir()
	var problem error
	for range 5 {
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := listener.Addr().String()
		listener.Close()
		var config strings.Builder
		fmt.Fprintf(&config, apacheConfiguration, addr, dir)
		for i, r := range p.rows {
			fmt.Fprintf(&config, "<VirtualHost %s>\nServerName %s\n%s\n</VirtualHost>\n", addr, p.host(i), strings.ReplaceAll(r.text, "http://127.0.0.1:9090", upstream))
		}
		file := filepath.Join(dir, "apache.conf")
		write(t, file, config.String())
		var found string
		if found, problem = tryStart(t, regexp.MustCompile(`resuming (normal) operations`), nil, program, "-f", file, "-DFOREGROUND"); found != "" {
			return running{address(t, "tcp", addr), upstream}
		}
	}
	t.Fatal(problem)
	return running{}
}

// apacheConfiguration has gaps for the address and a folder.
const apacheConfiguration = `ServerName localhost
Listen %[1]s
ServerRoot /usr/lib/apache2
PidFile %[2]s/pid
Mutex file:%[2]s
ErrorLog /dev/stderr
LogLevel notice
User nobody
Group nogroup
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule headers_module modules/mod_headers.so
LoadModule setenvif_module modules/mod_setenvif.so
LoadModule rewrite_module modules/mod_rewrite.so
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
DefaultRuntimeDir %[2]s
ServerLimit 1
StartServers 1
ThreadsPerChild 16
MaxRequestWorkers 16
`

// startExpress starts Node.js with an application for each row.
func startExpress(t *testing.T, p program) running {
	t.Helper()
	node := find(t, "", "node")
	if _, err := os.Stat("node/node_modules/cors"); err != nil {
		t.Fatal("Express is missing: run `make peers-node`")
	}
	var text strings.Builder
	fmt.Fprintln(&text, "module.exports = (cors) => ({")
	for i, r := range p.rows {
		fmt.Fprintf(&text, "%q: (app) => {\n%s\n},\n", p.host(i), r.text)
	}
	fmt.Fprintln(&text, "});")
	file := filepath.Join(t.TempDir(), "rows.js")
	write(t, file, text.String())
	addr := start(t, listens, nil, node, "node/main.js", file)
	return running{address(t, "tcp", addr), "http://" + addr}
}

// startFlask starts Python with an application for each row.
func startFlask(t *testing.T, p program) running {
	t.Helper()
	python := find(t, "python3", "python3")
	library, err := filepath.Abs("../../../.tmp/flask")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(library, "flask_cors")); err != nil {
		t.Fatal("Flask-CORS is missing: run `make peers-flask`")
	}
	var text strings.Builder
	fmt.Fprintln(&text, "import re\nfrom datetime import timedelta\nfrom flask_cors import CORS")
	fmt.Fprintln(&text, "hosts = {}")
	for i, r := range p.rows {
		fmt.Fprintf(&text, "def use(app):\n    %s\nhosts[%q] = use\n", strings.ReplaceAll(r.text, "\n", "\n    "), p.host(i))
	}
	file := filepath.Join(t.TempDir(), "rows.py")
	write(t, file, text.String())
	addr := start(t, listens, []string{"PYTHONPATH=" + library, "PYTHONDONTWRITEBYTECODE=1"}, python, "flask/main.py", file)
	return running{address(t, "tcp", addr), "http://" + addr}
}

// startPHP starts PHP's built-in server with a file for each row.
func startPHP(t *testing.T, p program) running {
	t.Helper()
	program := find(t, "php-cli", "php")
	dir := t.TempDir()
	for i, r := range p.rows {
		write(t, filepath.Join(dir, p.host(i)+".php"), "<?php\n"+r.text+"\n")
	}
	addr := start(t, regexp.MustCompile(`Development Server \(http://(127\.0\.0\.1:[0-9]+)\) started`), []string{"ROWS=" + dir, "PHP_CLI_SERVER_WORKERS=4"}, program, "-q", "-S", "127.0.0.1:0", "php.php")
	return running{address(t, "tcp", addr), "http://" + addr}
}

// find returns the path of a program, which the test fails without.
func find(t *testing.T, pkg string, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("%s is missing: run `make packages`, or: apt-get install --yes --no-install-recommends %s", names[0], pkg)
	return ""
}
