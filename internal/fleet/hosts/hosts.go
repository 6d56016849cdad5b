// Package hosts gives a test hosts of its own: network namespaces of Linux, joined by a bridge. Their links
// can be cut, lose packets, or lead through a relay that delays. It needs root, iproute2 and nftables.
package hosts

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vishvananda/netns"
)

// Host is a network namespace with one interface and one address. Its methods are safe for concurrent use.
type Host struct {
	// Name is the name that New was given.
	Name string
	// Address is the IPv4 address.
	Address string

	t         testing.TB
	namespace string
	hub       string // the namespace of the bridge
	port      string // the bridge's side of the link
}

// made counts the networks of this process, for names that are unique.
var made atomic.Int64

// New makes a host for each name, in the order of the names. Each reaches all others. The end of the test
// ends the processes in them and removes them.
func New(t testing.TB, names ...string) []*Host {
	t.Helper()
	need(t)
	prefix := fmt.Sprintf("corsrpc-%d-%d-", os.Getpid(), made.Add(1))
	hub := prefix + "hub"
	add(t, hub)
	run(t, "ip", "-n", hub, "link", "add", "bridge", "type", "bridge")
	run(t, "ip", "-n", hub, "link", "set", "bridge", "up")
	hosts := make([]*Host, len(names))
	for i, name := range names {
		h := &Host{Name: name, Address: fmt.Sprintf("10.83.0.%d", i+1), t: t, namespace: prefix + name, hub: hub, port: "port" + strconv.Itoa(i)}
		hosts[i] = h
		add(t, h.namespace)
		run(t, "ip", "-n", hub, "link", "add", h.port, "type", "veth", "peer", "name", "eth0", "netns", h.namespace)
		run(t, "ip", "-n", hub, "link", "set", h.port, "master", "bridge", "up")
		run(t, "ip", "-n", h.namespace, "link", "set", "eth0", "address", hardwareAddress(i), "up")
		run(t, "ip", "-n", h.namespace, "link", "set", "lo", "up")
		run(t, "ip", "-n", h.namespace, "address", "add", h.Address+"/24", "dev", "eth0")
	}
	for i, h := range hosts {
		for j, other := range hosts {
			if i != j { // a permanent entry, since an unanswered question for an address would tell of a cut
				run(t, "ip", "-n", h.namespace, "neighbour", "replace", other.Address, "lladdr", hardwareAddress(j), "dev", "eth0", "nud", "permanent")
			}
		}
	}
	return hosts
}

// hardwareAddress returns the address of the interface of a host.
func hardwareAddress(i int) string { return fmt.Sprintf("02:00:00:00:00:%02x", i+1) }

// install is the command that installs the programs that hosts need.
const install = "apt-get install --no-install-recommends iproute2 nftables"

// need fails the test if the machine cannot make hosts.
func need(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("hosts are network namespaces, which only root can make: run the test as root")
	}
	for _, program := range []string{"ip", "bridge", "nft"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%v: %s", err, install)
		}
	}
}

// add makes a namespace, and removes it at the end of the test.
func add(t testing.TB, namespace string) {
	t.Helper()
	run(t, "ip", "netns", "add", namespace)
	t.Cleanup(func() {
		for _, pid := range strings.Fields(run(t, "ip", "netns", "pids", namespace)) {
			if n, err := strconv.Atoi(pid); err == nil && n != os.Getpid() {
				if p, err := os.FindProcess(n); err == nil {
					_ = p.Kill() // it may have ended by now
				}
			}
		}
		run(t, "ip", "netns", "delete", namespace)
	})
}

// run runs a program and returns its output.
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(context.Background(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Command returns a command that runs a program on the host. Its process is that of the program.
func (h *Host) Command(name string, args ...string) *exec.Cmd {
	return exec.CommandContext(context.Background(), "ip", append([]string{"netns", "exec", h.namespace, name}, args...)...)
}

// Cut loses every packet to and from the host in silence: the interface stays up, and neither side is told.
func (h *Host) Cut() {
	h.t.Helper()
	run(h.t, "bridge", "-n", h.hub, "link", "set", "dev", h.port, "state", "0") // disabled
}

// Mend ends a cut.
func (h *Host) Mend() {
	h.t.Helper()
	run(h.t, "bridge", "-n", h.hub, "link", "set", "dev", h.port, "state", "3") // forwarding
}

// Lose drops percent of the packets that arrive at the host, at random. 0 ends that.
func (h *Host) Lose(percent int) {
	h.t.Helper()
	drop := fmt.Sprintf("numgen random mod 100 < %d drop", percent)
	if percent >= 100 {
		drop = "drop" // nftables refuses a condition that is always true
	}
	run(h.t, "ip", "netns", "exec", h.namespace, "nft",
		"add table inet loss; delete table inet loss; add table inet loss;"+
			"add chain inet loss input { type filter hook input priority 0; };"+
			"add rule inet loss input iifname eth0 "+drop)
}

// Dial connects from the host to an address, which is an IP address with a port. It fits
// http.Transport.DialContext.
func (h *Host) Dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	inside := h.inside(func() { conn, err = new(net.Dialer).DialContext(ctx, network, address) })
	if inside != nil {
		return nil, inside
	}
	return conn, err
}

// Listen opens a TCP port of the host for the test's own process. Port 0 is a free one.
func (h *Host) Listen(port int) (l net.Listener, err error) {
	inside := h.inside(func() {
		l, err = new(net.ListenConfig).Listen(context.Background(), "tcp4", net.JoinHostPort(h.Address, strconv.Itoa(port)))
	})
	if inside != nil {
		return nil, inside
	}
	return l, err
}

// inside runs a function on a thread that is in the host's namespace. Sockets that it makes stay there.
func (h *Host) inside(f func()) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and no unlock: the thread, which is in the namespace, ends with the goroutine
		ns, err := netns.GetFromName(h.namespace)
		if err == nil {
			if err = netns.Set(ns); err == nil {
				f()
			}
			ns.Close()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		return fmt.Errorf("the host %s: %w", h.Name, err)
	}
	return nil
}
