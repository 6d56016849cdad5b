//go:build fleet

package hosts_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/fleet/hosts"
)

// TestHosts: a host reaches another one, in time only while its link is whole.
func TestHosts(t *testing.T) {
	all := hosts.New(t, "left", "right")
	left, right := all[0], all[1]
	l, err := right.Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	conn, err := left.Dial(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	echo := func(within time.Duration) error {
		_ = conn.SetDeadline(time.Now().Add(within))
		if _, err := conn.Write([]byte("x")); err != nil {
			return err
		}
		_, err := io.ReadFull(conn, make([]byte, 1))
		return err
	}
	if err := echo(5 * time.Second); err != nil {
		t.Fatalf("over a whole link: %v", err)
	}
	left.Cut()
	if err := echo(500 * time.Millisecond); err == nil || !strings.Contains(err.Error(), "timeout") {
		t.Errorf("over a cut link: %v, want a timeout", err)
	}
	left.Mend()
	if err := echo(5 * time.Second); err != nil {
		t.Errorf("after the link was mended: %v", err)
	}
	right.Lose(100)
	if err := echo(500 * time.Millisecond); err == nil {
		t.Error("a host that loses each packet answered")
	}
	right.Lose(0)
	if err := echo(5 * time.Second); err != nil {
		t.Errorf("after the loss: %v", err)
	}
	out, err := left.Command("ip", "-brief", "address", "show", "eth0").CombinedOutput()
	if err != nil || !strings.Contains(string(out), left.Address) {
		t.Errorf("a program on the host: %s, %v", out, err)
	}
}

// TestRelay: the bytes arrive whole, after the delay and not twice of it, and so does the end.
func TestRelay(t *testing.T) {
	all := hosts.New(t, "left", "relay", "right")
	l, err := all[2].Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	go func() {
		if conn, err := l.Accept(); err == nil {
			_, _ = conn.Write(sent)
			conn.Close()
		}
	}()
	const delay = 300 * time.Millisecond
	address := all[1].Relay(t, l.Addr().String(), delay)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := all[0].Dial(ctx, "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	start := time.Now()
	got, err := io.ReadAll(conn)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes of %d, %v", len(got), len(sent), err)
	}
	if took := time.Since(start); took < delay-50*time.Millisecond || took > 10*delay {
		t.Errorf("it took %s with a delay of %s", took, delay)
	}
}
