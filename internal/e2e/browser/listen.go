package browser

import (
	"fmt"
	"net"
	"sync"
)

var (
	usedMu sync.Mutex
	used   = map[int]bool{}
)

// Listen listens on a loopback port that it has not returned before, and returns its origin,
// http://localhost:PORT. The system can reuse the port of a closed server, but browsers cache
// preflights by port.
func Listen() (net.Listener, string, error) {
	usedMu.Lock()
	defer usedMu.Unlock()
	var taken []net.Listener // kept open until a new port is found, so that the system does not return their ports again
	defer func() {
		for _, l := range taken {
			_ = l.Close()
		}
	}()
	for {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, "", err
		}
		port := l.Addr().(*net.TCPAddr).Port
		if !used[port] {
			used[port] = true
			return l, fmt.Sprintf("http://localhost:%d", port), nil
		}
		taken = append(taken, l)
	}
}
