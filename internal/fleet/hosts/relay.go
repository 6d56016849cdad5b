package hosts

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Relay listens on a port of the host, and passes each TCP connection on to an address. Every byte arrives
// after the delay, in both directions; none is lost. It ends with the test. Relay returns its address.
func (h *Host) Relay(t testing.TB, to string, delay time.Duration) string {
	t.Helper()
	l, err := h.Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		l.Close()
		all.Wait()
	})
	all.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { h.relay(ctx, in, to, delay) })
		}
	})
	return l.Addr().String()
}

// relay passes one connection on, until both sides have ended or the context has.
func (h *Host) relay(ctx context.Context, in net.Conn, to string, delay time.Duration) {
	defer in.Close()
	out, err := h.Dial(ctx, "tcp", to)
	if err != nil {
		return
	}
	defer out.Close()
	stop := context.AfterFunc(ctx, func() {
		in.Close()
		out.Close()
	})
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { later(out, in, delay) })
	both.Go(func() { later(in, out, delay) })
	both.Wait()
}

// piece is what was read at one time.
type piece struct {
	bytes []byte
	due   time.Time
}

// inFlight is how many pieces may be on the way at a time.
const inFlight = 1024

// later copies from one connection to another, each piece after the delay. The end of one direction, and a
// broken connection, arrive after the delay too.
func later(to, from net.Conn, delay time.Duration) {
	pieces := make(chan piece, inFlight)
	broken := false // read after pieces is closed
	go func() {
		defer close(pieces)
		for {
			buffer := make([]byte, 16<<10)
			n, err := from.Read(buffer)
			if n > 0 {
				pieces <- piece{buffer[:n], time.Now().Add(delay)}
			}
			if err != nil {
				broken = !errors.Is(err, io.EOF)
				pieces <- piece{nil, time.Now().Add(delay)}
				return
			}
		}
	}()
	for p := range pieces {
		time.Sleep(time.Until(p.due)) // the delay is what the relay is for
		if _, err := to.Write(p.bytes); err != nil {
			from.Close()
		}
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok && !broken {
		_ = half.CloseWrite()
		return
	}
	to.Close()
}
