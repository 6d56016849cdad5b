package proxies

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// Corsrpc is the program corsrpc.
type Corsrpc struct {
	// Folder is the folder of the program and of its policy, which allows Page.
	Folder string

	program, policy string
}

// BuildCorsrpc builds the program into a folder. The working directory is internal/bench.
func BuildCorsrpc(ctx context.Context, folder string) (*Corsrpc, error) {
	c := &Corsrpc{folder, filepath.Join(folder, "corsrpc"), filepath.Join(folder, "cors.yaml")}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", c.program, "./corsrpc")
	build.Dir, build.Env = "../../corsrpc/cmd", append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, text)
	}
	return c, os.WriteFile(c.policy, []byte("defaults: {allow_origins: ["+Page+"]}\n"), 0o600)
}

// Gateway starts `corsrpc gateway` in front of the server. The scheme of the upstream is http or grpc. The process has
// begun if it is not nil, also with an error.
func (c *Corsrpc) Gateway(ctx context.Context, scheme string, server *Server) (*Proxy, error) {
	process, address, err := c.start(ctx, "gateway", "--upstream", scheme+"://"+server.Address, "--listen", "127.0.0.1:0")
	if process == nil {
		return nil, err
	}
	return &Proxy{address, []*exec.Cmd{process}}, err
}

// Processor starts `corsrpc extproc` at a Unix socket. The process has begun if it is not nil, also with an error.
func (c *Corsrpc) Processor(ctx context.Context, socket string) (*exec.Cmd, error) {
	process, _, err := c.start(ctx, "extproc", "--listen", "unix:"+socket)
	return process, err
}

// start starts a subcommand with the policy, waits until it is ready, and returns the address of its port.
func (c *Corsrpc) start(ctx context.Context, subcommand string, args ...string) (process *exec.Cmd, address string, err error) {
	process = exec.CommandContext(ctx, c.program, append([]string{subcommand, "--policy", c.policy, "--internal", "127.0.0.1:0", "--log", "json"}, args...)...)
	log, err := process.StderrPipe()
	if err != nil {
		return nil, "", err
	}
	if err := Start(process); err != nil {
		return nil, "", err
	}
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			address = line.Address
		}
		if line.Msg == "ready" {
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return process, address, nil
		}
	}
	return process, "", fmt.Errorf("corsrpc %s ended", subcommand)
}
