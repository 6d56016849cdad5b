package e2e

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

const examples = "../../examples"

// exampleProxy proxies a program's page to the origin of a browser's page, whose port is known before the program starts, so
// that the policy can list it.
type exampleProxy struct{ target *url.URL }

func (p *exampleProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	proxy := httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(p.target) }}
	proxy.ServeHTTP(w, r)
}

// buildExample builds an example's program.
func buildExample(t *testing.T, name string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	cmd := exec.Command("go", "build", "-o", program, "./"+name)
	cmd.Dir, cmd.Env = examples, append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("examples/%s does not build: %v\n%s", name, err, output)
	}
	return program
}

// startExample runs a program in the folder of the examples until the test ends, and returns the addresses of its servers by
// the names that it prints.
func startExample(t *testing.T, program string, args ...string) map[string]*url.URL {
	t.Helper()
	return startServers(t, syscall.SIGKILL, program, args...)
}

// startServers is startExample for a program that ends by a signal.
func startServers(t *testing.T, end syscall.Signal, program string, args ...string) map[string]*url.URL {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = examples
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: end} // a test that panics runs no cleanup
	cmd.Cancel = func() error { return cmd.Process.Signal(end) }
	var complaints strings.Builder
	cmd.Stderr = &complaints
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait() // it was ended
	})
	servers := map[string]*url.URL{}
	address := regexp.MustCompile(`^(\w+) +(http://localhost:\d+)`)
	for lines := bufio.NewScanner(output); lines.Scan(); {
		m := address.FindStringSubmatch(lines.Text())
		if m == nil {
			return servers // at the first line after the list
		}
		if servers[m[1]], err = url.Parse(m[2]); err != nil {
			t.Fatal(err)
		}
	}
	_ = cmd.Wait()
	t.Fatalf("%s ended before it printed the addresses of its servers:\n%s", filepath.Base(program), complaints.String())
	return nil
}
