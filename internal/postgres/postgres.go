// Package postgres starts PostgreSQL servers for tests. A server runs as an unprivileged user in a
// temporary directory, and listens on a socket in that directory, not on a port.
package postgres

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

// Server is a PostgreSQL server. It is not safe for concurrent use.
type Server struct {
	dir, bin string
	log      *bytes.Buffer
	command  *exec.Cmd
}

// binaries returns Debian's folder of the newest server's programs.
func binaries(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		t.Fatal("PostgreSQL is missing: run `make packages`, or: apt-get install --yes --no-install-recommends postgresql")
	}
	slices.Sort(found)
	return filepath.Dir(found[len(found)-1])
}

// New creates a cluster and runs its server until the test ends. The user corsrpc may do everything, without a
// password.
func New(t *testing.T) *Server {
	t.Helper()
	p := &Server{bin: binaries(t), log: &bytes.Buffer{}}
	dir, err := os.MkdirTemp("", "corsrpc-postgres") // not t.TempDir, which other users cannot access
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	p.dir = dir
	if os.Geteuid() == 0 { // PostgreSQL refuses to run as root
		if err := os.Chown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := p.run("initdb", "--pgdata", p.data(), "--username", "corsrpc", "--auth", "trust", "--no-sync").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	p.Start(t)
	t.Cleanup(func() { p.Stop(t) })
	return p
}

const nobody = 65534

// run returns a command for a program of PostgreSQL, which runs as nobody if the test runs as
// root.
func (p *Server) run(name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(context.Background(), filepath.Join(p.bin, name), args...)
	c.Dir = os.TempDir()
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if os.Geteuid() == 0 {
		c.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	return c
}

// Start starts the server and waits until it answers.
func (p *Server) Start(t *testing.T) {
	t.Helper()
	p.command = p.run("postgres", "-D", p.data(), "-c", "listen_addresses=", "-c", "unix_socket_directories="+p.dir, "-c", "fsync=off")
	p.command.Stdout, p.command.Stderr = p.log, p.log
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	ready := p.run("pg_isready", "-h", p.dir, "-q")
	for deadline := time.Now().Add(30 * time.Second); ; {
		if ready.Run() == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("PostgreSQL does not answer:\n%s", p.log)
		}
		<-time.After(20 * time.Millisecond)
		ready = p.run("pg_isready", "-h", p.dir, "-q")
	}
}

// Stop ends the server at once, as in a crash.
func (p *Server) Stop(t *testing.T) {
	t.Helper()
	if p.command == nil {
		return
	}
	_ = p.command.Process.Signal(syscall.SIGQUIT)
	_ = p.command.Wait()
	p.command = nil
}

// Process returns the server's process; nil if it has been stopped.
func (p *Server) Process() *os.Process {
	if p.command == nil {
		return nil
	}
	return p.command.Process
}

// Authenticate replaces the rules of pg_hba.conf. The server follows them after SELECT pg_reload_conf().
func (p *Server) Authenticate(t *testing.T, rules string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(p.data(), "pg_hba.conf"), []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (p *Server) data() string { return filepath.Join(p.dir, "data") }

// URL returns the URL of the database postgres for the user corsrpc.
func (p *Server) URL() string { return p.URLOf("corsrpc") }

// URLOf returns the URL of the database postgres for a user, as URLs contain it, with or without a password.
func (p *Server) URLOf(user string) string {
	return "postgres://" + user + "@/postgres?sslmode=disable&host=" + url.QueryEscape(p.dir)
}
