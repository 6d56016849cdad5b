package e2e

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// delayedRelay passes TCP connections on to a server until the test ends. Every byte arrives after the delay, in both
// directions. It returns the origin at which the relay listens, and its address.
func delayedRelay(t *testing.T, server string, delay time.Duration) (origin, address string) {
	t.Helper()
	listener, origin, err := browser.Listen()
	if err != nil {
		t.Fatal(err)
	}
	var relays sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	relays.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // closed
			}
			upstream, err := net.Dial("tcp", server)
			if err != nil {
				client.Close()
				continue
			}
			mu.Lock()
			open = append(open, client, upstream)
			mu.Unlock()
			relays.Go(func() { copyLater(upstream, client, delay) })
			relays.Go(func() { copyLater(client, upstream, delay) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		relays.Wait()
	})
	return origin, listener.Addr().String()
}

// copyLater copies from one connection to another, each piece after the delay, and closes both at the end.
func copyLater(to, from net.Conn, delay time.Duration) {
	type piece struct {
		bytes []byte
		due   time.Time
	}
	pieces := make(chan piece, 1024) // on the way
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(pieces)
		for {
			buffer := make([]byte, 16<<10)
			n, err := from.Read(buffer)
			pieces <- piece{buffer[:n], time.Now().Add(delay)}
			if err != nil {
				return
			}
		}
	})
	for p := range pieces {
		time.Sleep(time.Until(p.due)) // the delay is what the relay is for
		if _, err := to.Write(p.bytes); err != nil {
			break
		}
	}
	to.Close()
	from.Close()
	for range pieces { // the other side has ended
	}
	reading.Wait()
}
