package comingfrom

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/nginx"
)

// startTimeout bounds how long a program may take to listen.
const startTimeout = 30 * time.Second

// listening matches the line in which a program says its port.
var listening = regexp.MustCompile(`(?:^|http://127\.0\.0\.1:)([0-9]{2,5})\b`)

// program starts a program that writes its port to the standard output or the standard error, and returns a handler that
// passes requests on to it. It ends with the test.
func program(t *testing.T, missing string, name string, args ...string) http.Handler {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: run %s", name, missing)
	}
	cmd := exec.Command(path, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	port, ended := make(chan string, 1), make(chan string, 1)
	go func() {
		var text strings.Builder
		said := false
		for lines := bufio.NewScanner(out); lines.Scan(); {
			text.WriteString(lines.Text() + "\n")
			if m := listening.FindStringSubmatch(lines.Text()); m != nil && !said {
				said = true
				port <- m[1]
			}
		}
		_ = cmd.Wait() // the program is killed
		ended <- text.String()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		text := <-ended
		if t.Failed() {
			t.Logf("%s says:\n%s", name, text)
		}
	})
	select {
	case p := <-port:
		return proxyTo(t, "127.0.0.1:"+p)
	case text := <-ended:
		ended <- text
		t.Fatalf("%s ends:\n%s", name, text)
	case <-time.After(startTimeout):
		t.Fatalf("%s does not say its port", name)
	}
	return nil
}

// passOn returns a handler that passes requests on by a transport, to a server at an address. It reads each response
// as a whole, since a browser closes the body of a response that its script cannot read.
func passOn(transport http.RoundTripper, address string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := r.Clone(r.Context())
		out.URL.Scheme, out.URL.Host, out.RequestURI = "http", address, ""
		response, err := transport.RoundTrip(out)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		maps.Copy(w.Header(), response.Header)
		w.WriteHeader(response.StatusCode)
		_, _ = w.Write(body)
	})
}

// proxyTo returns a handler that passes requests on to the server at an address.
func proxyTo(t *testing.T, address string) http.Handler {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return passOn(transport, address)
}

// file writes a file of a test, and returns its path.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// express returns a server of Express with the options of its middleware cors.
func express(options string) func(*testing.T) http.Handler {
	return func(t *testing.T) http.Handler {
		t.Helper()
		modules, err := filepath.Abs("node/node_modules")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(modules, "cors")); err != nil {
			t.Fatal("Express is not installed: run make comingfrom-node")
		}
		return program(t, "make packages", "node", file(t, "server.js", fmt.Sprintf(expressServer, modules, options)))
	}
}

const expressServer = `const modules = %q;
const express = require(modules + "/express");
const cors = require(modules + "/cors");
const app = express();
app.use(cors(%s));
app.use((request, response) => response.set("X-Ran", "1").set("X-Request-Id", "1").json({}));
const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
`

// flask returns a server of Flask with the arguments of Flask-CORS.
func flask(arguments string) func(*testing.T) http.Handler {
	return func(t *testing.T) http.Handler {
		t.Helper()
		return program(t, "apt-get install --yes --no-install-recommends python3-flask-cors", "/usr/bin/python3", "-u", file(t, "server.py", fmt.Sprintf(flaskServer, arguments)))
	}
}

const flaskServer = `from flask import Flask, jsonify
from flask_cors import CORS
from werkzeug.serving import make_server

app = Flask("app")
CORS(app, %s)

@app.route("/<path:path>", methods=["GET", "POST", "PUT", "DELETE"])
def answer(path):
    response = jsonify({})
    response.headers["X-Ran"] = "1"
    response.headers["X-Request-Id"] = "1"
    return response

server = make_server("127.0.0.1", 0, app)
print(server.server_port)
server.serve_forever()
`

// php returns PHP's server with a script that begins with these lines.
func php(lines string) func(*testing.T) http.Handler {
	return func(t *testing.T) http.Handler {
		t.Helper()
		return program(t, "apt-get install --yes --no-install-recommends php-cli", "php", "-S", "127.0.0.1:0", file(t, "server.php", fmt.Sprintf(phpServer, lines)))
	}
}

const phpServer = `<?php
%s
if ($_SERVER["REQUEST_METHOD"] === "OPTIONS") {
    http_response_code(204);
    exit;
}
header("X-Ran: 1");
header("X-Request-Id: 1");
header("Content-Type: application/json");
echo "{}";
`

// upstream starts the application on a port of its own, and returns its address.
func upstream(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(application))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// nginxWith returns nginx in front of the application, with these lines in its location.
func nginxWith(lines string) func(*testing.T) http.Handler {
	return func(t *testing.T) http.Handler {
		t.Helper()
		s := nginx.Start(t, fmt.Sprintf(nginxServer, nginx.Socket, lines, upstream(t)))
		transport := s.Transport()
		t.Cleanup(transport.CloseIdleConnections)
		return passOn(transport, "nginx")
	}
}

const nginxServer = `server {
  listen unix:%s;
  location / {
    %s
    proxy_pass http://%s;
  }
}
`

// apache returns Apache in front of the application, with these lines.
func apache(lines string) func(*testing.T) http.Handler {
	return func(t *testing.T) http.Handler {
		t.Helper()
		const name = "/usr/sbin/apache2"
		if _, err := exec.LookPath(name); err != nil {
			t.Fatal("Apache is missing: run apt-get install --yes --no-install-recommends apache2-bin")
		}
		// Apache cannot say which port it got, so the test takes a free one. Another program may take it first.
		for range 5 {
			if handler, ok := startApache(t, name, lines, freePort(t)); ok {
				return handler
			}
		}
		t.Fatal("Apache does not start")
		return nil
	}
}

// freePort returns a port of the loopback address that the system has chosen.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// startApache starts Apache at a port, and reports whether it listens.
func startApache(t *testing.T, name, lines, port string) (http.Handler, bool) {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "apache.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, apacheServer, dir, port, lines, upstream(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	cmd := exec.Command(name, "-f", config, "-D", "FOREGROUND")
	var text strings.Builder
	cmd.Stderr = &text
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // the program is stopped by a signal
		close(ended)
	}()
	stop := func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // ends its children too
		<-ended
	}
	address := "127.0.0.1:" + port
	for {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			c.Close()
			t.Cleanup(stop)
			return proxyTo(t, address), true
		}
		select {
		case <-ended:
			t.Logf("Apache ends: %s", text.String())
			return nil, false
		case <-ctx.Done():
			stop()
			t.Fatalf("Apache does not listen: %s", text.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

const apacheServer = `ServerRoot %[1]q
PidFile %[1]s/pid
ServerName api.example.com
StartServers 1
ThreadsPerChild 25
MinSpareThreads 1
MaxSpareThreads 50
MaxRequestWorkers 50
Listen 127.0.0.1:%[2]s
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule headers_module /usr/lib/apache2/modules/mod_headers.so
LoadModule setenvif_module /usr/lib/apache2/modules/mod_setenvif.so
LoadModule rewrite_module /usr/lib/apache2/modules/mod_rewrite.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
ErrorLog /dev/stderr
RewriteEngine On
RewriteCond %%{REQUEST_METHOD} =OPTIONS
RewriteRule ^ - [R=204,L]
%[3]s
ProxyPass / http://%[4]s/
`
