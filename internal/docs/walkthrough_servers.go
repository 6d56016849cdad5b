package docs

import (
	"bufio"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"regexp"
	"strings"
	"syscall"
)

// pageServer is a program that a page starts in a shell block of its own, and that goes on while later blocks run.
type pageServer struct {
	// command is the whole block.
	command string
	// run is what runs in its place, on a port that the system chooses.
	run string
	// address is where the server listens, as the page has it. Later blocks get the address of the test.
	address string
}

// goServer is the server of a page that builds one in Go.
var goServer = pageServer{"go run .", "go run . -addr localhost:0", pageAddress}

// serverOf returns the server that a shell block starts.
func (w *walkthrough) serverOf(b block) (pageServer, bool) {
	for _, s := range w.servers {
		if strings.TrimSpace(b.text) == s.command {
			return s, true
		}
	}
	return pageServer{}, false
}

var listeningRE = regexp.MustCompile(`(?:localhost|127\.0\.0\.1|\[::1?\]):(\d+)`)

// start starts a server on a port that the system chooses, and returns what it prints up to the line with its address.
func (w *walkthrough) start(ctx context.Context, s pageServer) (string, error) {
	cmd := w.command(ctx, "bash", "-c", "exec "+w.replaced(s.run))
	read, write := io.Pipe()
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		return "", err
	}
	w.running = append(w.running, cmd)
	go func() { write.CloseWithError(errors.Join(errors.New("the server has ended"), cmd.Wait())) }()
	var text strings.Builder
	lines := bufio.NewReader(read)
	for {
		line, err := lines.ReadString('\n')
		text.WriteString(line)
		if err != nil {
			return text.String(), err
		}
		if m := listeningRE.FindStringSubmatch(line); m != nil {
			go io.Copy(io.Discard, lines) //nolint:errcheck // ends with the server
			host, port, err := net.SplitHostPort(s.address)
			if err != nil {
				return text.String(), err
			}
			w.addresses = maps.Clone(w.addresses)
			if w.addresses == nil {
				w.addresses = map[string]string{}
			}
			w.addresses[s.address] = net.JoinHostPort(host, m[1])
			return strings.ReplaceAll(text.String(), ":"+m[1], ":"+port), nil
		}
	}
}

// stop ends the servers that the walkthrough has started.
func (w *walkthrough) stop() {
	for _, cmd := range w.running {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // fails if it has ended
	}
	w.running = nil
}
