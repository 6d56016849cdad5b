package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// relayTo passes the bytes of connections on to a server over HTTP/1.1, unchanged, until the test ends. It records every request
// before the server gets it. Browsers thus reach another program's server at a new port, which they have cached nothing of.
func relayTo(t *testing.T, server string) *api {
	t.Helper()
	listener, origin, err := browser.Listen()
	if err != nil {
		t.Fatal(err)
	}
	a := &api{URL: origin}
	var relays sync.WaitGroup
	ended := make(chan struct{})
	relays.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // closed
			}
			relays.Go(func() { a.relay(client, server, ended) })
		}
	})
	t.Cleanup(func() {
		close(ended)
		listener.Close()
		relays.Wait()
	})
	return a
}

// relay serves one connection.
func (a *api) relay(client net.Conn, server string, ended <-chan struct{}) {
	defer client.Close()
	upstream, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer upstream.Close()
	var both sync.WaitGroup
	defer both.Wait()
	done := make(chan struct{})
	defer close(done)
	both.Go(func() {
		select {
		case <-ended:
		case <-done:
		}
		client.Close()
		upstream.Close()
	})
	both.Go(func() {
		_, _ = io.Copy(client, upstream)
		client.Close() // ends the other direction
	})
	_ = a.pass(upstream, client)
}

// pass copies requests, and records each one before its last byte is passed on.
func (a *api) pass(upstream io.Writer, client io.Reader) error {
	from := &heldReader{from: client, to: upstream}
	requests := bufio.NewReader(from)
	for {
		from.held = true
		request, err := http.ReadRequest(requests)
		if err == nil {
			a.note(request)
		}
		if err := from.release(); err != nil {
			return err
		}
		switch {
		case errors.Is(err, io.EOF):
			return err
		case err != nil || request.Header.Get("Upgrade") != "": // the rest is not a request
			_, err := io.Copy(io.Discard, from)
			return err
		}
		if _, err := io.Copy(io.Discard, request.Body); err != nil {
			return err
		}
	}
}

// A heldReader writes what is read from it to a writer, or holds it back until release.
type heldReader struct {
	from io.Reader
	to   io.Writer
	held bool
	buf  bytes.Buffer
}

func (r *heldReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if r.held {
		r.buf.Write(p[:n])
		return n, err
	}
	if _, err := r.to.Write(p[:n]); err != nil {
		return n, err
	}
	return n, err
}

// release writes what was held back, and holds nothing back until the next request.
func (r *heldReader) release() error {
	r.held = false
	_, err := r.buf.WriteTo(r.to)
	return err
}
