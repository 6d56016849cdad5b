package docs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// gatewayServers are the servers that the page about the gateway starts.
var gatewayServers = []pageServer{
	{"python3 server.py", "python3 server.py 0", "127.0.0.1:9090"},
	{
		"corsrpc gateway --policy cors.yaml --profile dev --upstream grpc://127.0.0.1:9090 --descriptors greet.binpb --listen localhost:8080",
		"corsrpc gateway --policy cors.yaml --profile dev --upstream grpc://127.0.0.1:9090 --descriptors greet.binpb --listen localhost:0 --internal localhost:0",
		"localhost:8080",
	},
	{"python3 -u -m http.server --bind 127.0.0.1 8081", "python3 -u -m http.server --bind 127.0.0.1 0", "localhost:8081"},
}

// TestGatewayPage: the page about the gateway works, from an empty folder: its Python server, the gateway of the work tree and
// its page run, and the page shows the server's answer in Chromium. The packages of npm are those of examples/gateway.
func TestGatewayPage(t *testing.T) {
	t.Parallel()
	start := time.Now()
	example, err := filepath.Abs("../../examples/gateway")
	if err != nil {
		t.Fatal(err)
	}
	w := &walkthrough{
		dir: t.TempDir(), servers: gatewayServers,
		env: append(os.Environ(), "PATH="+filepath.Dir(builtProgram(t))+string(os.PathListSeparator)+os.Getenv("PATH"), "NO_COLOR=1"),
		replace: map[string]string{
			"python3 ":     pythonWithGRPC(t) + " ",
			"npm install ": fmt.Sprintf("cp %[1]s/package.json %[1]s/package-lock.json . && npm ci --ignore-scripts --silent # ", example),
		},
	}
	p := parse(gatewayPage, []byte(repository(t).text(gatewayPage)))
	defer w.stop()
	report(t, w.steps(t.Context(), p))
	if t.Failed() {
		return
	}
	for origin, want := range map[string]string{"localhost": "Hello, browser!", "127.0.0.1": "Failed to fetch"} {
		page := strings.Replace("http://"+w.addresses["localhost:8081"], "localhost", origin, 1)
		if shown := chromiumShows(t, page); !strings.Contains(shown, want) {
			t.Errorf("Chromium shows of %s:\n%s\nwant %q", page, shown, want)
		}
	}
	fmt.Printf("stage %s: %.1f s\n", t.Name(), time.Since(start).Seconds())
	if n := commandsShown(p); n < 3 {
		t.Errorf("the page shows what %d blocks print", n)
	}
}

// TestGatewayExamplePolicy: the tests of the policy of examples/gateway pass, and nothing in it deserves a look.
func TestGatewayExamplePolicy(t *testing.T) {
	t.Parallel()
	program := builtProgram(t)
	for _, command := range []string{"corsrpc test cors_test.yaml", "corsrpc check --strict --descriptors catalog.json --descriptors orders.json cors.yaml"} {
		if code, out := bash(t, "../../examples/gateway", program, command); code != 0 {
			t.Errorf("%s: exit code %d\n%s", command, code, out)
		}
	}
}

// builtProgram builds the program corsrpc of the work tree.
func builtProgram(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "corsrpc")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-C", "../../corsrpc/cmd", "-o", program, "./corsrpc").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// pythonWithGRPC returns the program of a Python that has grpcio: Debian's package is for Debian's own Python.
func pythonWithGRPC(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"python3", "/usr/bin/python3"} {
		if exec.CommandContext(t.Context(), program, "-c", "import grpc").Run() == nil {
			return program
		}
	}
	t.Fatal("no Python has grpcio: internal/tools/setup.sh installs it")
	return ""
}

// chromiumShows returns the document of a page in Chromium, after its script has made its calls.
func chromiumShows(t *testing.T, url string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	profile := t.TempDir()
	cmd := exec.CommandContext(ctx, "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--user-data-dir="+profile, "--virtual-time-budget=20000", "--dump-dom", url)
	cmd.Env = append(os.Environ(), "HOME="+profile)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("chromium: %v", err)
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // the processes that it has left behind
	return string(out)
}
