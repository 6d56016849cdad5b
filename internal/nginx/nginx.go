// Package nginx runs Debian's nginx for tests. Its functions are safe for concurrent use.
package nginx

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Program returns the path of nginx, which Debian installs outside of the PATH of users other than root. The test fails
// if it is missing.
func Program(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"nginx", "/usr/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("nginx is missing: run `make packages`, or: apt-get install --yes --no-install-recommends nginx-light")
	return ""
}

// Server is a running nginx.
type Server struct {
	// Socket is the path of the Unix socket that it listens at.
	Socket string

	log log
}

// endTimeout is the time after which nginx is killed. In one process, it misses a signal that comes just before it waits
// for connections.
const endTimeout = 2 * time.Second

// Socket stands in a configuration for the path of the socket.
const Socket = "SOCKET"

// Start starts nginx with the content of its http block, in which it replaces Socket, and waits until it listens. The program
// ends with the test.
func Start(t testing.TB, http string) *Server {
	t.Helper()
	s, err := start(t, http)
	if err != nil {
		t.Fatalf("nginx does not start: %v\n%s", err, s.log.text())
	}
	return s
}

// Starts reports whether nginx takes the content of an http block, and the log if it does not.
func Starts(t testing.TB, http string) (*Server, string, bool) {
	t.Helper()
	s, err := start(t, http)
	return s, s.log.text(), err == nil
}

func start(t testing.TB, http string) (*Server, error) {
	t.Helper()
	dir, err := os.MkdirTemp("", "nginx") // not t.TempDir, whose paths are too long for a socket's
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &Server{Socket: filepath.Join(dir, "socket")}
	config := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(configuration, dir, strings.ReplaceAll(http, Socket, s.Socket))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, Program(t), "-c", config, "-p", dir, "-e", "stderr")
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = endTimeout
	stderr, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	listens, ended := make(chan struct{}), make(chan struct{})
	var end error
	go func() {
		said := sync.OnceFunc(func() { close(listens) })
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			s.log.add(lines.Text())
			if strings.Contains(lines.Text(), "using the \"epoll\" event method") {
				said()
			}
		}
		end = command.Wait()
		close(ended)
	}()
	select {
	case <-listens:
		t.Cleanup(func() {
			interrupt()
			<-ended
			if t.Failed() {
				t.Logf("nginx says:\n%s", s.log.text())
			}
		})
		return s, nil
	case <-ended:
		interrupt()
		return s, fmt.Errorf("it ends: %w", end)
	}
}

// Transport returns a transport whose connections go to the server, whatever the host of a request. Those of https
// URLs have no TLS, as behind another proxy.
func (s *Server) Transport() *http.Transport {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", s.Socket)
	}
	return &http.Transport{DialContext: dial, DialTLSContext: dial, DisableCompression: true}
}

// Log returns what nginx has said.
func (s *Server) Log() string { return s.log.text() }

// configuration has gaps for a folder and the content of the http block.
const configuration = `daemon off;
master_process off;
pid %[1]s/pid;
error_log stderr notice;
events { worker_connections 4096; }
http {
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
  access_log off;
  default_type application/octet-stream;
%[2]s
}
`

// log keeps the last lines of a program.
type log struct {
	mu    sync.Mutex
	lines []string
}

// maxLines is the number of lines that log keeps.
const maxLines = 200

func (l *log) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
	if len(l.lines) > maxLines {
		l.lines = l.lines[1:]
	}
}

func (l *log) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}
