package comingfrom

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
)

// proxyRow is a row of the table of grpcwebproxy.
type proxyRow struct {
	flags  string
	words  string // instead of flags
	policy []string
	note   string
	names  []sidebyside.Named
}

var (
	proxyEvery = []sidebyside.Named{otherProtocols, withoutMark, sidebyside.ExposeStar, sidebyside.OperationalServices}
	everyProxy = "max_age: 600s" // which grpcwebproxy always sends
	allHeaders = `allow_headers: ["*", authorization]`
	proxyRows  = []proxyRow{
		{flags: "--allowed_origins=https://app.example.com", policy: []string{"allow_origins: [https://app.example.com]", credentials, allHeaders}, names: []sidebyside.Named{sidebyside.HeaderStar}},
		{flags: "--allow_all_origins", policy: []string{`allow_origins: ["*"]`, allHeaders}, note: "Cookies need a list of origins", names: []sidebyside.Named{sidebyside.HeaderStar, cookiesOfAll}},
		{words: "neither", policy: []string{"disabled: true"}, note: "No page of another origin may call"},
		{
			flags:  "--allowed_origins=https://app.example.com --allowed_headers=content-type,x-grpc-web,x-user-agent,authorization",
			policy: []string{"allow_origins: [https://app.example.com]", credentials, "allow_headers: [authorization]"},
		},
		{flags: "--use_websockets --allowed_origins=https://app.example.com", policy: []string{"allow_origins: [https://app.example.com]", credentials, allHeaders}, note: webSockets, names: []sidebyside.Named{sidebyside.HeaderStar}},
	}
	cookiesOfAll = sidebyside.Named{Code: "COOKIES_OF_ALL", Words: "Pages of every origin could send cookies. A policy allows that to listed origins only", Explains: func(d sidebyside.Difference) bool {
		return d.Call.Credentials && !d.Wider && d.Before.Readable
	}}
)

// TestProxy runs grpcwebproxy and corsrpc gateway in front of the same gRPC server.
func TestProxy(t *testing.T) {
	t.Parallel()
	backend := grpcServer(t)
	for i, r := range proxyRows {
		t.Run(r.flags, func(t *testing.T) {
			t.Parallel()
			address := grpcwebproxy(t, backend, strings.Fields(r.flags)...)
			before := sidebyside.At(t, "http://"+address)
			policy := r.policy
			if !slices.Contains(policy, "disabled: true") {
				policy = append(slices.Clone(policy), everyProxy)
			}
			after := sidebyside.At(t, "http://"+gatewayOf(t, backend, sidebyside.Defaults(policy...)))
			diffs := sidebyside.Compare(t, before, after, sidebyside.Calls())
			sidebyside.Check(t, diffs, proxyEvery, r.names)
			if i > 0 {
				return
			}
			sidebyside.CheckOccurs(t, diffs, proxyEvery, "grpcwebproxy")
			// Only the preflight holds back the pages of other origins.
			if status := post(t, "http://"+address, "https://evil.example"); status != "200, runs" {
				t.Errorf("a call of another origin without its preflight: %s", status)
			}
		})
	}
}

// post makes a call of gRPC-Web as a program does.
func post(t *testing.T, base, origin string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+sidebyside.Buy, strings.NewReader("\x00\x00\x00\x00\x00"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{"Origin": {origin}, "Content-Type": {"application/grpc-web+proto"}, "X-Grpc-Web": {"1"}}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	status := fmt.Sprint(response.StatusCode)
	if response.Header.Get(sidebyside.Ran) != "" {
		status += ", runs"
	}
	return status
}

// proxyTable returns the table of grpcwebproxy.
func proxyTable() sidebyside.Table {
	table := sidebyside.Table{Header: []string{"grpcwebproxy", "What takes its place", "Differences"}}
	for _, r := range proxyRows {
		first := r.words
		if first == "" {
			first = "`" + r.flags + "`"
		}
		table.Rows = append(table.Rows, []string{first, sidebyside.Cell(r.policy, r.note), sidebyside.Codes(r.names)})
	}
	return table
}

// grpcServer starts a server that answers each procedure with an empty message, and shows that it ran.
func grpcServer(t *testing.T) string {
	t.Helper()
	listener := listen(t)
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		if err := stream.SetHeader(metadata.Pairs(strings.ToLower(sidebyside.Ran), "ran", "x-request-id", "1")); err != nil {
			return err
		}
		return stream.SendMsg(&emptypb.Empty{})
	}))
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// buildProxy builds grpcwebproxy once, which is a tool of this module.
var buildProxy = sync.OnceValues(func() (string, error) {
	return buildIn(".", "grpcwebproxy", "github.com/improbable-eng/grpc-web/go/grpcwebproxy")
})

// grpcwebproxy starts grpcwebproxy in front of a gRPC server, and returns its address.
func grpcwebproxy(t *testing.T, backend string, flags ...string) string {
	t.Helper()
	program, err := buildProxy()
	if err != nil {
		t.Fatal(err)
	}
	flags = append(flags, "--backend_addr="+backend, "--server_bind_address=127.0.0.1", "--server_http_debug_port=0", "--run_tls_server=false")
	return start(t, regexp.MustCompile(`listening for http on: ([0-9.:]+)`), program, flags...)
}

// gatewayOf starts corsrpc gateway with a policy in front of a gRPC server, and returns its address.
func gatewayOf(t *testing.T, backend, policy string) string {
	t.Helper()
	program, err := build()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	set := &descriptorpb.FileDescriptorSet{}
	sidebyside.Schema().RangeFiles(func(f protoreflect.FileDescriptor) bool {
		set.File = append(set.File, protodesc.ToFileDescriptorProto(f))
		return true
	})
	descriptors, err := proto.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"cors.yaml": []byte(policy), "schema.binpb": descriptors} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return start(t, regexp.MustCompile(`"?listening"? .*?(127\.0\.0\.1:[0-9]+)`), program, "gateway", "--policy", filepath.Join(dir, "cors.yaml"),
		"--upstream", "grpc://"+backend, "--descriptors", filepath.Join(dir, "schema.binpb"), "--listen", "127.0.0.1:0", "--internal", "127.0.0.1:0")
}

// start starts a program until the end of the test. It returns what the expression finds in a line of its output.
func start(t *testing.T, address *regexp.Regexp, program string, flags ...string) string {
	t.Helper()
	command := exec.Command(program, flags...)
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = command.Stdout
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	found, read := make(chan string, 1), make(chan string, 1)
	go func() {
		var log strings.Builder
		lines := bufio.NewScanner(output)
		for lines.Scan() {
			fmt.Fprintln(&log, lines.Text())
			if m := address.FindStringSubmatch(lines.Text()); m != nil && len(found) == 0 {
				found <- m[1]
			}
		}
		io.Copy(io.Discard, output)
		read <- log.String()
	}()
	t.Cleanup(func() {
		command.Process.Kill()
		log := <-read
		command.Wait()
		if t.Failed() {
			t.Log(log)
		}
	})
	select {
	case a := <-found:
		return a
	case log := <-read:
		read <- log
		t.Fatalf("%s ended", filepath.Base(program))
	case <-time.After(30 * time.Second):
		t.Fatalf("%s does not listen", filepath.Base(program))
	}
	return ""
}
