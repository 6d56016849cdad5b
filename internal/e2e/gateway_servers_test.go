package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/corsrpc/corsrpc-go/examples/showcase/service"
)

// A gatewayServer is the showcase service as an upstream of the gateway.
type gatewayServer struct {
	implementation
	upstream func(t *testing.T) string // starts the server, and returns its URL for the gateway
	reflects bool                      // the gateway asks the server for the schema, and has no file with it
}

// gatewayServers are the upstreams of the gateway. The gateway translates gRPC-Web for all of them but the one over HTTP/1.1, which
// speaks it.
var gatewayServers = []gatewayServer{
	{upstream: func(t *testing.T) string { return "h2c://" + serveHTTP2(t, showcaseV1()) },
		implementation: implementation{name: "connect v1", version: 1, translated: true}},
	{upstream: func(t *testing.T) string { return "h2c://" + serveHTTP2(t, service.NewConnectV2()) },
		implementation: implementation{name: "connect v2", version: 2, translated: true}},
	{upstream: func(t *testing.T) string {
		server := httptest.NewServer(implementations[0].handler())
		t.Cleanup(server.Close)
		return server.URL
	}, implementation: implementation{name: "connect v1, HTTP 1.1", version: 1}},
	{upstream: func(t *testing.T) string { return "grpc://" + serveHTTP2(t, service.NewGRPC()) },
		implementation: implementation{name: "grpc-go", translated: true}},
	{upstream: servePython, implementation: implementation{name: "Python", translated: true}},
	{upstream: serveNode, implementation: implementation{name: "Node.js", translated: true, escaped: true}, reflects: true},
}

// behindGateway reaches the server through the gateway.
func (s gatewayServer) behindGateway(t *testing.T, origin, policy string) *api {
	t.Helper()
	return serveAPI(t, gatewayTo(t, s.upstream(t), origin, policy, s.schema()...))
}

// schema returns the flags of the gateway for the server's schema.
func (s gatewayServer) schema() []string {
	if s.reflects {
		return []string{"--reflect"}
	}
	return []string{"--descriptors", "image.binpb"}
}

// serveHTTP2 serves a handler over HTTP/2 without TLS, and returns its address.
func serveHTTP2(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// pythonCode generates the code of the server in Python once, and returns the folder with it.
var pythonCode = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(temporary, "python")
	plugin, err := exec.LookPath("grpc_python_plugin")
	if err == nil {
		err = os.Mkdir(dir, 0o700)
	}
	if err != nil {
		return "", err
	}
	out, err := exec.CommandContext(context.Background(), "protoc",
		"--python_out="+dir, "--plugin=protoc-gen-grpc_python="+plugin, "--grpc_python_out="+dir,
		"-I"+examples+"/showcase/proto", "-I"+examples+"/gateway/proto",
		"showcase/v1/showcase.proto", "bookshop/rpc/v1/status.proto").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("protoc: %w\n%s", err, out)
	}
	return dir, nil
})

// servePython runs the server in Python until the test ends, and returns its URL for the gateway.
func servePython(t *testing.T) string {
	t.Helper()
	code, err := pythonCode()
	if err != nil {
		t.Fatal(err)
	}
	python := "python3"
	if exec.CommandContext(t.Context(), python, "-c", "import grpc").Run() != nil {
		python = "/usr/bin/python3" // Debian's grpcio is for Debian's Python
	}
	cmd := exec.Command(python, "servers/server.py")
	cmd.Env = append(os.Environ(), "PYTHONPATH="+code, "PYTHONDONTWRITEBYTECODE=1")
	return serveProgram(t, cmd)
}

// serveNode runs the server in Node.js until the test ends, and returns its URL for the gateway.
func serveNode(t *testing.T) string {
	t.Helper()
	return serveProgram(t, exec.Command("node", "servers/server.js"))
}

// serveProgram runs a gRPC server until the test ends, and returns its URL for the gateway.
func serveProgram(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var complaints strings.Builder
	cmd.Stderr = &complaints
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a test that panics runs no cleanup
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v\n%s", cmd, err, complaints.String())
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		t.Fatalf("%s printed %q, want its address: %v\n%s", cmd, line, err, complaints.String())
	}
	return "grpc://" + address
}
