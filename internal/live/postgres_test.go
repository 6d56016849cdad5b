package live

import (
	"bytes"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/examples/tenants/domains"
)

// postgres is a PostgreSQL server that a test starts. It runs as an unprivileged user in a
// temporary directory, and listens on a socket in that directory, not on a port.
type postgres struct {
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

// newPostgres creates a cluster and runs its server until the test ends.
func newPostgres(t *testing.T) *postgres {
	t.Helper()
	p := &postgres{bin: binaries(t), log: &bytes.Buffer{}}
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
	p.start(t)
	t.Cleanup(func() { p.stop(t) })
	return p
}

const nobody = 65534

// run returns a command for a program of PostgreSQL, which runs as nobody if the test runs as
// root.
func (p *postgres) run(name string, args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(p.bin, name), args...)
	c.Dir = os.TempDir()
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if os.Geteuid() == 0 {
		c.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	return c
}

// start starts the server and waits until it answers.
func (p *postgres) start(t *testing.T) {
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

// stop ends the server at once, as in a crash.
func (p *postgres) stop(t *testing.T) {
	t.Helper()
	if p.command == nil {
		return
	}
	_ = p.command.Process.Signal(syscall.SIGQUIT)
	_ = p.command.Wait()
	p.command = nil
}

func (p *postgres) data() string { return filepath.Join(p.dir, "data") }

func (p *postgres) url() string {
	return "postgres:///postgres?sslmode=disable&user=corsrpc&host=" + url.QueryEscape(p.dir)
}

// table opens the example's table on the server.
func (p *postgres) table(t *testing.T) *domains.Table {
	t.Helper()
	table, err := domains.OpenPostgres(t.Context(), p.url())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := table.Close(); err != nil {
			t.Error(err)
		}
	})
	return table
}
