// Package conformance runs the suite of connectrpc.com/conformance against the suite's own
// servers. go.mod replaces their CORS and gRPC-Web middleware by corsrpc.
package conformance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/figures"
)

const page = "https://app.example.com"

// variant is a run of the suite: the environment of its server, and the expected result.
type variant struct {
	name string
	env  []string
	want string
}

// TestCorsgrpc: grpc-go behind corsgrpc conforms to gRPC-Web. The suite lists the known failures:
// grpc-go responds with another code.
func TestCorsgrpc(t *testing.T) {
	const want = "343 cases, 335 passed, 0 failed, 8 known"
	bin, suite := build(t, "grpcserver"), suite(t)
	test(t, "corsgrpc", bin, suite+"/grpc-web-server-impl-config.yaml", suite+"/grpcserver-web-known-failing.txt", []string{bin + "/grpcserver"}, []variant{
		{"called by programs", nil, want},
		{"called by a page", []string{"PAGE_ORIGIN=" + page}, want},
		{"called by a page in text mode", []string{"PAGE_ORIGIN=" + page, "TEXT=1"}, want},
		// A control: the suite fails if the layer refuses its calls.
		{"called by a page that may not", []string{"PAGE_ORIGIN=https://evil.example"}, "343 cases, 0 passed, 335 failed, 8 known"},
	})
}

// TestLayer: connect-go behind the layer conforms to Connect, gRPC and gRPC-Web, over HTTP/1.1,
// HTTP/2 and HTTP/3, with and without TLS.
func TestLayer(t *testing.T) {
	const want = "13022 cases, 13022 passed, 0 failed, 0 known"
	bin, suite := build(t, "referenceserver"), suite(t)
	test(t, "layer", bin, suite+"/reference-impls-config.yaml", suite+"/referenceserver-known-failing.txt", []string{bin + "/referenceserver"}, []variant{
		{"called by programs", nil, want},
		{"called by a page", []string{"PAGE_ORIGIN=" + page}, want},
		{"called by a page in text mode", []string{"PAGE_ORIGIN=" + page, "TEXT=1"}, want},
	})
}

// test runs the suite in bin against a server's command, with two files: the features of the server, and the cases that
// are known to fail. It fails too if one of these passes.
func test(t *testing.T, figure, bin, config, knownFailing string, server []string, variants []variant) {
	t.Helper()
	for i, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "connectconformance"),
				append([]string{"--mode", "server", "--conf", config, "--known-failing", "@" + knownFailing, "--"}, server...)...)
			cmd.Env = append(os.Environ(), v.env...)
			// The suite's servers are in its process group, and are ended with it.
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
			cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
			output, err := cmd.CombinedOutput()
			got := sums(string(output))
			if got.String() != v.want {
				t.Errorf("%s, want %s\n%v\n%s", got, v.want, err, last(string(output), 4000))
			}
			if i == 0 { // the others want the same, or are meant to fail
				figures.Check(t, "conformance."+figure+".cases", figures.Count(got.cases))
				figures.Check(t, "conformance."+figure+".passed", figures.Count(got.passed))
				figures.Check(t, "conformance."+figure+".known-failures", figures.Count(got.known))
			}
		})
	}
}

// sum holds the numbers in the suite's summary.
type sum struct{ cases, passed, failed, known int }

func (s sum) String() string {
	return fmt.Sprintf("%d cases, %d passed, %d failed, %d known", s.cases, s.passed, s.failed, s.known)
}

// sums returns the numbers in the suite's summary, 0 for a number that is missing.
func sums(output string) sum {
	number := func(pattern string) int {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(output); m != nil {
			n, _ := strconv.Atoi(m[1]) // digits
			return n
		}
		return 0
	}
	return sum{
		number(`Total cases: (\d+)`), number(`(\d+) passed`),
		number(`(\d+) failed\n`), number(`Another (\d+) failed as expected`),
	}
}

// suite returns the folder of the suite's own configurations.
func suite(t *testing.T) string {
	t.Helper()
	return filepath.Join(strings.TrimSpace(run(t, exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "connectrpc.com/conformance"))), "testing")
}

// build builds the suite and one of its servers, and returns their folder.
func build(t *testing.T, server string) string {
	t.Helper()
	bin := t.TempDir()
	const commands = "connectrpc.com/conformance/cmd/"
	run(t, exec.Command("go", "build", "-o", bin+"/", commands+"connectconformance", commands+server))
	return bin
}

func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, stderr.String())
	}
	return string(output)
}

func last(s string, n int) string { return s[max(0, len(s)-n):] }
