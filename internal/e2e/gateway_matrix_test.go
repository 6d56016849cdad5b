package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"

	showcasev1 "github.com/corsrpc/corsrpc-go/examples/showcase/gen/showcase/v1"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// allEngines makes the tests of the gateway use all engines instead of Chromium only.
var allEngines = flag.Bool("gateway", false, "test the gateway in all engines")

// program builds the command once, and returns its name.
var program = sync.OnceValues(func() (string, error) {
	name := filepath.Join(temporary, "corsrpc")
	build := exec.CommandContext(context.Background(), "go", "build", "-C", "../../corsrpc/cmd", "-o", name, "./corsrpc")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as in a release
	out, err := build.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return name, nil
})

// TestGatewayMatrix makes every call of the table through the gateway, as a user runs it, to each server: the same is asserted as
// behind the layer. It runs in Chromium, and in all engines with -gateway.
func TestGatewayMatrix(t *testing.T) {
	tested := 0
	inGatewayEngines(t, func(t *testing.T, page *browser.Page) {
		setCookie(t, page)
		for _, server := range gatewayServers {
			for _, credentials := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, credentials %t", server.name, credentials), func(t *testing.T) {
					tested += testCells(t, "TestGatewayMatrix", page, server.implementation, credentials, server.behindGateway)
				})
			}
		}
	})
	t.Logf("result: %d cells through the gateway", tested)
}

// inGatewayEngines runs a test in the engines that are used for the gateway.
func inGatewayEngines(t *testing.T, test func(t *testing.T, page *browser.Page)) {
	t.Helper()
	forEachEngine(t, func(t *testing.T, engine browser.Engine) {
		if engine != browser.Chromium && !*allEngines {
			return
		}
		page := pool.Page(t, engine)
		warmUp(t, page)
		test(t, page)
	})
}

// startGateway starts the gateway in front of an upstream. It returns its URL, and a folder with cors.yaml, the policy, and
// image.binpb, the schema.
func startGateway(t *testing.T, upstream, origin, policy string, flags ...string) (server, dir string) {
	t.Helper()
	dir = policyFolder(t, origin, policy)
	address := startProgram(t, dir, append([]string{"gateway", "--upstream", upstream, "--listen", "127.0.0.1:0"}, flags...)...)
	return "http://" + address, dir
}

// policyFolder makes a folder with cors.yaml, the policy, and image.binpb, the schema. Its path is short enough for Unix sockets in
// it.
func policyFolder(t *testing.T, origin, policy string) string {
	t.Helper()
	dir, err := os.MkdirTemp(temporary, "")
	if err != nil {
		t.Fatal(err)
	}
	image, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{
		protodesc.ToFileDescriptorProto(showcasev1.File_showcase_v1_showcase_proto),
	}})
	if err != nil {
		t.Fatal(err)
	}
	for file, content := range map[string][]byte{"cors.yaml": []byte(strings.ReplaceAll(policy, "ORIGIN", origin)), "image.binpb": image} {
		if err := os.WriteFile(filepath.Join(dir, file), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// startProgram starts a subcommand that serves, in a folder with cors.yaml, and returns the address at which it listens.
func startProgram(t *testing.T, dir string, args ...string) (address string) {
	t.Helper()
	name, err := program()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), name, append(args,
		"--policy", "cors.yaml", "--internal", "127.0.0.1:0", "--drain-delay", "0s", "--log", "json")...)
	cmd.Dir = dir
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // the test's context has ended it
	if address, err = addressOf(out); err != nil {
		t.Fatal(err)
	}
	return address
}

// gatewayTo starts the gateway in front of an upstream, and returns a handler that passes each request on to it
// unchanged.
func gatewayTo(t *testing.T, upstream, origin, policy string, flags ...string) http.Handler {
	t.Helper()
	server, _ := startGateway(t, upstream, origin, policy, flags...)
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	pass := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
		},
		FlushInterval: -1, ErrorLog: log.New(io.Discard, "", 0),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		pass.ServeHTTP(w, r)
	})
}

// addressOf reads the log of a program until it is ready, and returns the address of its public port.
func addressOf(log io.Reader) (address string, err error) {
	lines := bufio.NewScanner(log)
	text := ""
	for lines.Scan() {
		text += lines.Text() + "\n"
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			continue
		}
		switch line.Msg {
		case "listening":
			address = line.Address
		case "ready":
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return address, nil
		}
	}
	return "", errors.New("the program ended:\n" + text)
}
