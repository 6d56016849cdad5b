package gateway_test

import (
	"bufio"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// drained is how many streams are open in TestDrain.
var drained = flag.Int("streams", 500, "how many streams are open in TestDrain")

// TestDrain: after SIGTERM the gateway is not ready, takes no new connection after the delay, and ends when every call
// has ended: streams and upgraded connections.
func TestDrain(t *testing.T) {
	t.Parallel()
	streams := *drained
	end := make(chan struct{})
	g := start(t, t.TempDir(), fmt.Sprintf(`PORTS
upstreams: [{name: api, url: "h2c://%[1]s"}, {name: sockets, url: "http://%[1]s"}]
virtual_hosts: [{policy: cors.yaml, routes: [{upstream: api}, {path: /any/socket, upstream: sockets}]}]
drain: {delay: 0.2s}
`, streaming(t, end)))
	rest := openStreams(t, g.public, streams)
	socket, err := net.Dial("tcp", g.public)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	fmt.Fprintf(socket, "GET /any/socket HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", g.public)
	upgraded := bufio.NewReader(socket)
	for line := ""; line != "first\n"; {
		if line, err = upgraded.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	close(g.terminate)
	eventually(t, "not ready", func() bool { status, _ := g.inspect("/readyz"); return status == http.StatusServiceUnavailable })
	if status, _ := g.inspect("/livez"); status != http.StatusOK {
		t.Errorf("/livez: %d while draining", status)
	}
	eventually(t, "no new connections", func() bool {
		conn, err := net.Dial("tcp", g.public)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	select {
	case err := <-g.ended:
		t.Fatalf("the gateway ended with open calls: %v", err)
	default:
	}
	close(end)
	if n := rest(); n != streams {
		t.Errorf("%d of %d streams are complete", n, streams)
	}
	if line, err := upgraded.ReadString('\n'); line != "last\n" {
		t.Errorf("the upgraded connection: %q, %v", line, err)
	}
	socket.Close()
	select {
	case err := <-g.ended:
		g.ended <- err
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Error("the gateway does not end after the last call")
	}
}

// TestDrainClosesConnections: the response to a call that began before the drain closes its connection, so that no
// further call begins on it.
func TestDrainClosesConnections(t *testing.T) {
	t.Parallel()
	arrived, end := make(chan struct{}), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-end
	}))
	t.Cleanup(s.Close)
	g := start(t, t.TempDir(), fmt.Sprintf(`PORTS
upstreams: [{name: api, url: "%s"}]
virtual_hosts: [{policy: cors.yaml, routes: [{upstream: api}]}]
drain: {delay: 1s}
`, s.URL))
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+g.public+"/any/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan bool, 1)
	go func() {
		response, err := transport.RoundTrip(r)
		if err == nil {
			response.Body.Close()
		}
		answered <- err == nil && response.Close
	}()
	<-arrived
	close(g.terminate)
	eventually(t, "not ready", func() bool { status, _ := g.inspect("/readyz"); return status == http.StatusServiceUnavailable })
	close(end)
	if !<-answered {
		t.Error("the connection stays open after the response")
	}
	if err := <-g.ended; err != nil {
		t.Error(err)
	}
	g.ended <- nil
}

// TestDrainTimeout: calls that are open at the drain's timeout are ended.
func TestDrainTimeout(t *testing.T) {
	t.Parallel()
	end := make(chan struct{})
	defer close(end)
	g := start(t, t.TempDir(), fmt.Sprintf(`PORTS
upstreams: [{name: api, url: "h2c://%s"}]
virtual_hosts: [{policy: cors.yaml, routes: [{upstream: api}]}]
drain: {delay: 0s, timeout: 0.1s}
`, streaming(t, end)))
	rest := openStreams(t, g.public, 2)
	close(g.terminate)
	if n := rest(); n != 0 {
		t.Errorf("%d streams look complete", n)
	}
	if err := <-g.ended; err != nil {
		t.Error(err)
	}
	g.ended <- nil
}

// TestUpgradeWhileDraining checks that the handshake of an upgrade does not say that the connection ends.
func TestUpgradeWhileDraining(t *testing.T) {
	t.Parallel()
	end := make(chan struct{})
	g := start(t, t.TempDir(), fmt.Sprintf(`PORTS
upstreams: [{name: api, url: "http://%s"}]
virtual_hosts: [{policy: cors.yaml, routes: [{upstream: api}]}]
drain: {delay: 3s}
`, streaming(t, end)))
	close(g.terminate)
	eventually(t, "not ready", func() bool { status, _ := g.inspect("/readyz"); return status == http.StatusServiceUnavailable })
	socket, err := net.Dial("tcp", g.public)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	defer close(end)
	fmt.Fprintf(socket, "GET /any/socket HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", g.public)
	response, err := http.ReadResponse(bufio.NewReader(socket), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := response.Header["Connection"]; response.StatusCode != http.StatusSwitchingProtocols || len(got) != 1 || got[0] != "Upgrade" {
		t.Errorf("%d, Connection: %q", response.StatusCode, got)
	}
}
