package probed

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/nginx"
)

// newNginx returns a server of nginx before a backend. The text is the content of its location block,
// where BACKEND stands for the backend's URL. nginx listens on a socket in a folder, since it cannot
// choose a free port; a relay of bytes listens on a port.
func newNginx(t *testing.T, seen *traffic, backend server, location string) server {
	t.Helper()
	dir, err := os.MkdirTemp("", "nginx") // not t.TempDir, whose paths are too long for a socket's
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, nginxConfiguration, dir, strings.ReplaceAll(location, "BACKEND", backend.url)), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, nginx.Program(t), "-c", config, "-p", dir, "-e", "stderr")
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	listens, words := make(chan struct{}), &words{until: "event method"}
	words.said = sync.OnceFunc(func() { close(listens) })
	command.Stderr = words
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = command.Wait() // by a signal
	}()
	stop := func() {
		cancel()
		<-ended
	}
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Logf("nginx says:\n%s", words)
		}
	})
	select {
	case <-listens:
	case <-ended:
		t.Fatal("nginx does not start")
	}
	seen.later(func() {
		stop() // the log is complete
		readLog(t, seen, filepath.Join(dir, "access.log"))
	})
	return server{url: "http://" + relay(t, filepath.Join(dir, "socket"))}
}

// words keeps what a program says, and calls said when it says a text.
type words struct {
	mu    sync.Mutex
	text  strings.Builder
	until string
	said  func()
}

func (w *words) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(p)
	if strings.Contains(w.text.String(), w.until) {
		w.said()
	}
	return len(p), nil
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// relay passes bytes between a port of loopback and a Unix socket, until the test ends. It returns the
// port's address.
func relay(t *testing.T, socket string) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			front, err := listener.Accept()
			if err != nil {
				return // closed
			}
			back, err := net.Dial("unix", socket)
			if err != nil {
				_ = front.Close()
				continue
			}
			go pass(front, back)
			go pass(back, front)
		}
	}()
	return listener.Addr().String()
}

// pass copies bytes from a connection to another until one of them ends, and ends both.
func pass(from, to net.Conn) {
	_, _ = io.Copy(to, from)
	_ = from.Close()
	_ = to.Close()
}

// nginxConfiguration has gaps for a folder and the location's content.
const nginxConfiguration = `daemon off;
master_process off;
pid %[1]s/pid;
error_log stderr notice;
events {}
http {
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
  log_format probed '$request_method|$request_uri|$http_origin|$http_access_control_request_method|$http_authorization$http_content_type|$msec|$request_time';
  access_log %[1]s/access.log probed;
  server {
    listen unix:%[1]s/socket;
    location / {
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
%[2]s
    }
  }
}
`

// readLog counts the requests in a log of nginx, and how many were in it at once: a request began the
// duration before its end, both to the millisecond. Of the fields that no preflight and no simple GET has,
// the log has Authorization and Content-Type, as one.
func readLog(t *testing.T, seen *traffic, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	last := 0.0
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSpace(line), "|")
		if len(fields) != 7 {
			t.Fatalf("a line of nginx's log: %q", line)
		}
		r, err := http.NewRequestWithContext(t.Context(), fields[0], "http://api.example.com"+fields[1], nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range []string{"Origin", "Access-Control-Request-Method", "Authorization"} {
			if value := fields[i+2]; value != "-" && value != "--" {
				r.Header.Set(name, value)
			}
		}
		seen.count(r)
		end, duration := number(t, fields[5]), number(t, fields[6])
		if end-duration < last-0.002 {
			seen.enter(2)
			seen.enter(-2)
		}
		last = end
	}
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
