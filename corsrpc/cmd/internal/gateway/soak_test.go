//go:build soak

package gateway_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/corsrpc/corsrpc-go/internal/figures"
)

const (
	soakCalls   = 1_000_000
	soakRound   = 100_000 // the first round is the warm-up
	soakCallers = 16      // half of them over HTTP/1.1, half over HTTP/2

	goroutineAllowance = 4       // of the Go runtime's own, such as workers of the garbage collector
	heapAllowance      = 1 << 20 // bytes, of a heap that has about 2 MiB
)

// soakServer is an upstream that counts its connections and its cancelled streams.
type soakServer struct {
	net.Listener
	open, most, all atomic.Int64 // connections: now, at the same time, in total
	ended           atomic.Int64 // streams whose context has ended
}

func (s *soakServer) Accept() (net.Conn, error) {
	conn, err := s.Listener.Accept()
	if err != nil {
		return nil, err
	}
	s.all.Add(1)
	for n := s.open.Add(1); ; {
		if most := s.most.Load(); n <= most || s.most.CompareAndSwap(most, n) {
			break
		}
	}
	return &soakConn{Conn: conn, closed: sync.OnceFunc(func() { s.open.Add(-1) })}, nil
}

type soakConn struct {
	net.Conn
	closed func()
}

func (c *soakConn) Close() error {
	c.closed()
	return c.Conn.Close()
}

func listenForSoak(t *testing.T) *soakServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return &soakServer{Listener: l}
}

// serveSoakGRPC serves the greeter over gRPC, with a stream that sends one message and waits.
func serveSoakGRPC(t *testing.T) *soakServer {
	t.Helper()
	s := listenForSoak(t)
	desc := greeterDesc
	desc.Streams = []grpc.StreamDesc{{StreamName: "Wait", ServerStreams: true, Handler: func(_ any, stream grpc.ServerStream) error {
		defer s.ended.Add(1)
		if err := stream.SendMsg(wrapperspb.String("first")); err != nil {
			return err
		}
		<-stream.Context().Done()
		return stream.Context().Err()
	}}}
	server := grpc.NewServer()
	server.RegisterService(&desc, greeter{})
	go func() { _ = server.Serve(s) }()
	t.Cleanup(server.Stop)
	return s
}

// serveSoakConnect serves Connect's wire format over HTTP/1.1.
func serveSoakConnect(t *testing.T) *soakServer {
	t.Helper()
	s := listenForSoak(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/soak.v1.Soak/Greet", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})
	mux.HandleFunc("/soak.v1.Soak/Wait", func(w http.ResponseWriter, r *http.Request) {
		defer s.ended.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/connect+json")
		_, _ = io.WriteString(w, "\x00\x00\x00\x00\x07\"first\"")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/soak.v1.Soak/Fail", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"code":"resource_exhausted"}`)
	})
	mux.HandleFunc("/soak.v1.Soak/Break", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	server := httptest.NewUnstartedServer(mux)
	_ = server.Listener.Close()
	server.Listener = s
	server.Start()
	t.Cleanup(server.Close)
	return s
}

// startBuilt builds the gateway, runs it as a process of its own, and returns its addresses when it is ready.
func startBuilt(t *testing.T, folder, file string) *running {
	t.Helper()
	program := filepath.Join(folder, "corsrpc")
	if out, err := exec.Command("go", "build", "-o", program, "github.com/corsrpc/corsrpc-go/corsrpc/cmd/corsrpc").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	r := &running{t: t, folder: folder}
	r.write(file)
	cmd := exec.Command(program, "gateway", "--log", "json", "--config", filepath.Join(folder, "gateway.yaml"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Signal(syscall.SIGTERM); _ = cmd.Wait() })
	log := bufio.NewScanner(errs)
	for log.Scan() {
		var l struct{ Msg, Address string }
		_ = json.Unmarshal(log.Bytes(), &l)
		switch l.Msg {
		case "listening":
			r.public = l.Address
		case "internal port listening":
			r.internal = l.Address
		case "ready":
			go func() { _, _ = io.Copy(io.Discard, errs) }()
			return r
		}
	}
	t.Fatal("the gateway does not become ready")
	return nil
}

// soakCall is a kind of call: what a page sends, and what it has to get.
type soakCall struct {
	name         string
	share        int // of 100 calls
	method, path string
	contentType  string
	body         string
	refused      bool // whether the page has an origin of its own that the policy does not allow
	cancelled    bool // whether the page leaves after the first message
	status       int
	want         string // in the body, or in a field of the trailers-only response
}

// soakKinds returns the kinds of calls.
func soakKinds() []soakCall {
	message, _ := proto.Marshal(wrapperspb.String("Ada"))
	frame := string(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))) + string(message)
	const connect, grpcWeb = "/soak.v1.Soak/", "/test.v1.Greeter/"
	const asJSON, asGRPCWeb, asText = "application/json", "application/grpc-web+proto", "application/grpc-web-text+proto"
	const stream = "application/connect+json"
	return []soakCall{
		{"Connect", 30, "POST", connect + "Greet", asJSON, `"Ada"`, false, false, 200, `"Ada"`},
		{"gRPC-Web", 28, "POST", grpcWeb + "Greet", asGRPCWeb, frame, false, false, 200, "Hello, Ada"},
		{"gRPC-Web as text", 2, "POST", grpcWeb + "Greet", asText, base64.StdEncoding.EncodeToString([]byte(frame)), false, false, 200, ""},
		{"Connect, refused", 10, "POST", connect + "Greet", asJSON, `"Ada"`, true, false, 403, ""},
		{"gRPC-Web, refused", 10, "POST", grpcWeb + "Greet", asGRPCWeb, frame, true, false, 403, ""},
		{"preflight", 11, "OPTIONS", connect + "Greet", "", "", false, false, 204, ""},
		{"preflight, refused", 3, "OPTIONS", grpcWeb + "Greet", "", "", true, false, 403, ""},
		{"Connect stream, cancelled", 1, "POST", connect + "Wait", stream, "\x00\x00\x00\x00\x02{}", false, true, 200, "first"},
		{"gRPC-Web stream, cancelled", 1, "POST", grpcWeb + "Wait", asGRPCWeb, frame, false, true, 200, "first"},
		{"Connect, error of the upstream", 1, "POST", connect + "Fail", asJSON, `{}`, false, false, 429, "resource_exhausted"},
		{"gRPC-Web, error of the upstream", 1, "POST", grpcWeb + "Nothing", asGRPCWeb, frame, false, false, 200, "unknown method"},
		{"Connect, broken connection", 1, "POST", connect + "Break", asJSON, `{}`, false, false, 502, "unavailable"},
		{"no route", 1, "POST", "/soak.v1.Other/Greet", asJSON, `{}`, false, false, 404, ""},
	}
}

// do makes the call, and returns an error if the page does not get what it has to get.
func (c *soakCall) do(client *http.Client, address string, n int64) error {
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	r, _ := http.NewRequestWithContext(ctx, c.method, "http://"+address+c.path, strings.NewReader(c.body))
	origin := page
	if c.refused {
		origin = fmt.Sprintf("https://evil-%d.example", n)
	}
	r.Header.Set("Origin", origin)
	if c.method == http.MethodOptions {
		r.Header.Set("Access-Control-Request-Method", "POST")
		r.Header.Set("Access-Control-Request-Headers", "content-type")
	} else {
		r.Header.Set("Content-Type", c.contentType)
	}
	response, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	defer response.Body.Close()
	var body []byte
	if c.cancelled {
		body = make([]byte, 12)
		_, err = io.ReadFull(response.Body, body)
	} else {
		body, err = io.ReadAll(response.Body)
	}
	allowed := response.Header.Get("Access-Control-Allow-Origin") == origin
	if err != nil || response.StatusCode != c.status || allowed == c.refused || !strings.Contains(string(body)+response.Header.Get("Grpc-Message"), c.want) {
		return fmt.Errorf("%s: %d %v %q, error %v", c.name, response.StatusCode, response.Header, body, err)
	}
	return nil
}

// number returns the number that follows a text on a page of the internal port.
func (r *running) number(path, text string) int64 {
	r.t.Helper()
	_, body := r.inspect(path)
	m := regexp.MustCompile(`(?m)` + text + `([0-9.e+]+)$`).FindStringSubmatch(body)
	if m == nil {
		r.t.Fatalf("%s has no %q", path, text)
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		r.t.Fatal(err)
	}
	return int64(n)
}

// TestSoakGateway: after a million calls of every kind through the program, it has as many goroutines as after the
// first 100,000, and its heap has not grown. It has no more connections to an upstream than it has calls for them.
func TestSoakGateway(t *testing.T) {
	overGRPC, overHTTP := serveSoakGRPC(t), serveSoakConnect(t)
	folder := t.TempDir()
	write(t, filepath.Join(folder, "cors.yaml"), `defaults: {allow_origins: ["`+page+`"]}`)
	g := startBuilt(t, folder, strings.Replace(fmt.Sprintf(`PORTS
upstreams: [{name: greeter, url: "grpc://%s"}, {name: soak, url: "http://%s"}]
virtual_hosts: [{policy: cors.yaml, routes: [{service: test.v1.Greeter, upstream: greeter}, {service: soak.v1.Soak, upstream: soak}]}]
`, overGRPC.Addr(), overHTTP.Addr()), "PORTS", "listen: {address: \"127.0.0.1:0\"}\ninternal: {address: \"127.0.0.1:0\", pprof: true}", 1))

	var kinds []*soakCall
	for _, kind := range soakKinds() {
		for range kind.share {
			kinds = append(kinds, &kind)
		}
	}
	if len(kinds) != 100 {
		t.Fatalf("the shares of the kinds add up to %d", len(kinds))
	}
	h2 := new(http.Protocols)
	h2.SetUnencryptedHTTP2(true)
	clients := []*http.Client{
		{Transport: &http.Transport{MaxIdleConnsPerHost: soakCallers, DisableCompression: true}},
		{Transport: &http.Transport{Protocols: h2, DisableCompression: true}},
	}
	var next, cancelled atomic.Int64
	round := func(n int) (rate float64) {
		start, until := time.Now(), next.Load()+int64(n)
		var callers sync.WaitGroup
		for i := range soakCallers {
			callers.Go(func() {
				for !t.Failed() {
					n := next.Add(1) - 1
					if n >= until {
						next.Add(-1)
						return
					}
					kind := kinds[(n*37+n/100)%100] // mixed
					if err := kind.do(clients[i%2], g.public, n); err != nil {
						t.Error(err)
					}
					if kind.cancelled {
						cancelled.Add(1)
					}
				}
			})
		}
		callers.Wait()
		return float64(n) / time.Since(start).Seconds()
	}
	goroutines := func() int64 { return g.number("/debug/pprof/goroutine?debug=1", "^goroutine profile: total ") }
	// heap is the live heap. The first collection does not free the contents of a sync.Pool.
	heap := func() int64 {
		g.inspect("/debug/pprof/heap?gc=1")
		return g.number("/debug/pprof/heap?gc=1&debug=1", "^# HeapAlloc = ")
	}
	// settle waits until every call has ended in the upstreams, and the gateway has closed the connections to them.
	settle := func() {
		for _, c := range clients {
			c.CloseIdleConnections()
		}
		eventually(t, "every cancelled stream ends, and every idle connection", func() bool {
			return overGRPC.ended.Load()+overHTTP.ended.Load() == cancelled.Load() && overGRPC.open.Load()+overHTTP.open.Load() == 0
		})
	}

	t.Logf("warm-up: %.0f calls a second", round(soakRound))
	if t.Failed() {
		t.FailNow()
	}
	settle()
	var firstGoroutines int64
	eventually(t, "the goroutines of the warm-up end", func() bool { // the same number twice
		before := firstGoroutines
		firstGoroutines = goroutines()
		return firstGoroutines == before
	})
	firstHeap := heap()
	t.Logf("after it: %d goroutines, %d KiB live", firstGoroutines, firstHeap>>10)
	for n := soakRound; n < soakCalls && !t.Failed(); n += soakRound {
		rate := round(soakRound)
		t.Logf("%d calls: %.0f a second, %d goroutines, %d KiB live, %d KiB resident, %d connections so far over HTTP/1.1, %d over HTTP/2", n+soakRound, rate, goroutines(), heap()>>10,
			g.number("/metrics", "^process_resident_memory_bytes ")>>10, overHTTP.all.Load(), overGRPC.all.Load())
	}
	if t.Failed() {
		t.FailNow()
	}
	settle()
	var lastGoroutines int64
	eventually(t, fmt.Sprintf("the gateway has at most %d goroutines", firstGoroutines+goroutineAllowance), func() bool {
		lastGoroutines = goroutines()
		return lastGoroutines <= firstGoroutines+goroutineAllowance
	})
	lastHeap := heap()
	t.Logf("at the end: %d goroutines, %d KiB live", lastGoroutines, lastHeap>>10)
	if lastHeap > firstHeap+heapAllowance {
		t.Errorf("the heap grew from %d to %d KiB", firstHeap>>10, lastHeap>>10)
	}
	for name, s := range map[string]*soakServer{"HTTP/1.1": overHTTP, "gRPC": overGRPC} {
		t.Logf("connections to the upstream over %s: at most %d at the same time, %d in all", name, s.most.Load(), s.all.Load())
	}
	// net/http begins a connection for each call that finds none idle, and may give the call another that becomes idle.
	if most := overHTTP.most.Load(); most > 2*soakCallers {
		t.Errorf("%d connections over HTTP/1.1 for %d callers", most, soakCallers)
	}
	// While no connection is open, each call opens one of its own. All later calls share one, which
	// net/http replaces after its time for idle connections.
	if most := overGRPC.most.Load(); most > soakCallers {
		t.Errorf("%d connections over HTTP/2 for %d callers", most, soakCallers)
	}
	figures.Measure(t, "soak.gateway.calls", figures.Count(soakCalls))
	figures.Measure(t, "soak.gateway.cancelled-streams", figures.Count(int(cancelled.Load())))
	figures.Measure(t, "soak.gateway.goroutines", figures.Count(int(lastGoroutines)))
	figures.Measure(t, "soak.gateway.heap", fmt.Sprintf("%.1f MiB", float64(lastHeap)/(1<<20)))
}
