//go:build fleet

package hosts_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
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
	dial := func(within time.Duration) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		return left.Dial(ctx, "tcp", l.Addr().String())
	}
	echo := func(conn net.Conn, text string, within time.Duration) error {
		_ = conn.SetDeadline(time.Now().Add(within))
		if _, err := conn.Write([]byte(text)); err != nil {
			return err
		}
		got := make([]byte, len(text))
		if _, err := io.ReadFull(conn, got); err != nil {
			return err
		}
		if string(got) != text {
			return fmt.Errorf("the answer is %q", got)
		}
		return nil
	}
	const long, short = 10 * time.Second, 500 * time.Millisecond
	conn, err := dial(long)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := echo(conn, "whole", long); err != nil {
		t.Fatalf("over a whole link: %v", err)
	}
	left.Cut()
	var timeout net.Error
	if err := echo(conn, "cut", short); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("over a cut link: %v, want a timeout", err)
	}
	if _, err := dial(short); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("a new connection over a cut link: %v, want a timeout", err)
	}
	left.Mend()
	if err := echo(conn, "cut", long); err != nil {
		t.Errorf("after the link was mended: %v", err)
	}
	right.Lose(100)
	if _, err := dial(short); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("a host that loses each packet: %v, want a timeout", err)
	}
	right.Lose(0)
	again, err := dial(long)
	if err != nil {
		t.Fatalf("after the loss: %v", err)
	}
	again.Close()
	out, err := left.Command("ip", "-brief", "address", "show", "eth0").CombinedOutput()
	if err != nil || !strings.Contains(string(out), left.Address) {
		t.Errorf("a program on the host: %s, %v", out, err)
	}
}

// TestRelay: the bytes and the end arrive after one delay, not after one for each of some hundred pieces, which would
// take minutes.
func TestRelay(t *testing.T) {
	all := hosts.New(t, "left", "relay", "right")
	l, err := all[2].Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<19)
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
	if took := time.Since(start); took < delay-50*time.Millisecond || took > 60*delay {
		t.Errorf("it took %s with a delay of %s", took, delay)
	}
}
