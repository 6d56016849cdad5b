package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/gateway"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/gatewayfile"
)

// running is a gateway that runs in the test.
type running struct {
	t                *testing.T
	folder           string
	public, internal string // addresses
	log              *lines
	terminate        chan struct{}
	reload           chan os.Signal
	interrupt        context.CancelFunc
	ended            chan error
}

// lines collects the lines of a log.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// eventually calls ok until it returns true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	again, deadline := time.NewTicker(5*time.Millisecond), time.After(30*time.Second)
	defer again.Stop()
	for !ok() {
		select {
		case <-again.C:
		case <-deadline:
			t.Fatalf("%s does not happen", what)
		}
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	next := name + ".next"
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, name); err != nil {
		t.Fatal(err)
	}
}

// start runs a gateway with a gateway file, in a folder with a policy that allows the page everything, and waits
// until it is ready. PORTS in the file stands for free ports.
func start(t *testing.T, folder, file string) *running {
	t.Helper()
	return startProgram(t, gatewayfile.Gateway, folder, file)
}

// startProgram is start for one of the programs.
func startProgram(t *testing.T, program gatewayfile.Program, folder, file string) *running {
	t.Helper()
	write(t, filepath.Join(folder, "cors.yaml"), `defaults: {allow_origins: ["`+page+`"], allow_credentials: true}
rules: [{path: /any/, allow_methods: [GET, POST, PUT]}]
`)
	r := &running{t: t, folder: folder, log: &lines{}, terminate: make(chan struct{}), reload: make(chan os.Signal, 1), ended: make(chan error, 1)}
	r.write(file)
	name := filepath.Join(folder, "gateway.yaml")
	read, err := gatewayfile.Read(name, program)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.interrupt = cancel
	go func() {
		r.ended <- gateway.Run(ctx, read, gateway.Options{
			Program:   program,
			Read:      func() (*gatewayfile.File, error) { return gatewayfile.Read(name, program) },
			Terminate: r.terminate, Reload: r.reload, Retry: 50 * time.Millisecond, Log: slog.New(slog.NewJSONHandler(r.log, nil)), Out: r.log,
		})
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case <-r.ended:
		case <-time.After(30 * time.Second):
			t.Error("the gateway does not end")
		}
	})
	eventually(t, "ready", func() bool {
		for line := range strings.Lines(r.log.String()) {
			var l struct{ Msg, Address string }
			_ = json.Unmarshal([]byte(line), &l)
			switch l.Msg {
			case "listening":
				r.public = l.Address
			case "internal port listening":
				r.internal = l.Address
			case "ready":
				return true
			}
		}
		select {
		case err := <-r.ended:
			r.ended <- err
			t.Fatalf("the gateway ended: %v\n%s", err, r.log)
		default:
		}
		return false
	})
	return r
}

func fetch(t *testing.T, client *http.Client, r *http.Request) (int, string) {
	t.Helper()
	r.Close = true
	response, err := client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(body)
}

// saying returns a server that answers with a text.
func saying(t *testing.T, text string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }))
	t.Cleanup(s.Close)
	return s.URL
}

// streaming returns a server whose streams send "first", and "last" when end is closed. GET /any/socket is upgraded.
func streaming(t *testing.T, end <-chan struct{}) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst\n")
			<-end
			_, _ = io.WriteString(conn, "last\n")
			return
		}
		if r.URL.Path != "/any/stream" {
			_, _ = io.WriteString(w, "old")
			return
		}
		_, _ = io.WriteString(w, "first\n")
		_ = http.NewResponseController(w).Flush()
		<-end
		_, _ = io.WriteString(w, "last\n")
	}))
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// openStreams opens streams over HTTP/2, reads the first line of each, and returns a function that reads the rest of all
// and returns how many are complete.
func openStreams(t *testing.T, address string, n int) func() int {
	t.Helper()
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	t.Cleanup(transport.CloseIdleConnections)
	readers := make([]*bufio.Reader, n)
	var opening sync.WaitGroup
	slots := make(chan struct{}, 64)
	for i := range readers {
		opening.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			r, _ := http.NewRequestWithContext(t.Context(), "POST", "http://"+address+"/any/stream", nil)
			r.Header.Set("Origin", page)
			response, err := transport.RoundTrip(r)
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { response.Body.Close() })
			readers[i] = bufio.NewReader(response.Body)
			if line, err := readers[i].ReadString('\n'); line != "first\n" {
				t.Errorf("%q, %v", line, err)
			}
		})
	}
	opening.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return func() (complete int) {
		for _, r := range readers {
			if rest, err := io.ReadAll(r); err == nil && string(rest) == "last\n" {
				complete++
			}
		}
		return complete
	}
}

// write writes the gateway file.
func (r *running) write(file string) {
	write(r.t, filepath.Join(r.folder, "gateway.yaml"), strings.Replace(file, "PORTS", `listen: {address: "127.0.0.1:0"}
internal: {address: "127.0.0.1:0"}`, 1))
}

// get sends a request of the page and returns the status and the body of the response.
func (r *running) get(path string) (int, string) {
	r.t.Helper()
	request, _ := http.NewRequestWithContext(r.t.Context(), "GET", "http://"+r.public+path, nil)
	request.Header.Set("Origin", page)
	return fetch(r.t, http.DefaultClient, request)
}

// inspect gets a path of the internal port.
func (r *running) inspect(path string) (int, string) {
	r.t.Helper()
	request, _ := http.NewRequestWithContext(r.t.Context(), "GET", "http://"+r.internal+path, nil)
	return fetch(r.t, http.DefaultClient, request)
}
