//go:build fleet

package fleet_test

import (
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http/httpguts"
	"google.golang.org/grpc"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsenvoy"
	"github.com/corsrpc/corsrpc-go/internal/fleet/envoy"
)

// besideWrap sends requests through Envoys with the external processor, and to Wrap in this process, and compares. It takes
// one request at a time.
type besideWrap struct {
	addrs    map[bool]string // of the Envoys, by whether they speak TLS
	upstream *upstream
	layer    atomic.Pointer[corsrpc.Layer]
	handler  atomic.Pointer[http.HandlerFunc] // of the server
	expected int                              // the requests that Wrap passes to the handler
}

// startBesideWrap starts two Envoys with one processor and one server. The Envoy with TLS does not send the responses
// that need no look.
func startBesideWrap(t *testing.T) *besideWrap {
	t.Helper()
	b := new(besideWrap)
	b.upstream = serveUpstream(t, func(w http.ResponseWriter, r *http.Request) { (*b.handler.Load())(w, r) })
	p, err := corsenvoy.NewForRoutes(func(corsenvoy.Route) corsenvoy.Policy { return b.layer.Load() })
	if err != nil {
		t.Fatal(err)
	}
	config := envoy.Config{
		Upstream: b.upstream.addr, UpstreamHTTP1: true, Upgrades: []string{"websocket"},
		// use_remote_address, since X-Forwarded-Proto of the client would be the scheme without it.
		Manager:   "use_remote_address: true\ndelayed_close_timeout: 0.05s",
		Processor: &envoy.Processor{Socket: servePolicies(t, p)},
	}
	b.addrs = map[bool]string{false: envoy.Start(t, config.YAML(t)).Addr(envoy.Listener)}
	config.TLS, config.Processor.AllowOverride = selfSigned(t), true
	b.addrs[true] = envoy.Start(t, config.YAML(t)).Addr(envoy.Listener)
	return b
}

// servePolicies serves a processor until the end of the test, and returns the path of its Unix socket.
func servePolicies(t *testing.T, p *corsenvoy.Processor) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "processor") // shorter than TempDir: the path of a socket has few bytes
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "socket")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	p.Register(server)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = os.RemoveAll(dir)
	})
	return socket
}

// exchange is a request, and the handler of the server that it is for.
type exchange struct {
	layer   *corsrpc.Layer
	handler http.HandlerFunc
	raw     rawRequest
}

// difference is a part of two answers that differs: status, body, reached (whether the request reached the server), "no answer", or the name of
// a field in small letters.
type difference struct{ part, text string }

// String returns the part and its two values.
func (d difference) String() string { return d.part + " " + d.text }

// differences sends an exchange through Envoy in one protocol, and through Wrap. It returns how the answers differ.
// Two differences are errors in any case: a request reaches the server that Wrap refuses, and an answer grants what Wrap does not.
func (b *besideWrap) differences(t failer, protocol string, x exchange) (all []difference) {
	t.Helper()
	ran := false
	w := httptest.NewRecorder()
	if r := x.raw.asHandled(); r != nil {
		x.layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ran = true
			x.handler(w, r)
		})).ServeHTTP(w, r)
	} else {
		w.WriteHeader(http.StatusBadRequest) // as net/http does
	}
	if x.raw.method == http.MethodHead {
		w.Body.Reset()
	}
	want := response{w.Code, w.Result().Header, w.Body.String()}

	b.layer.Store(x.layer)
	b.handler.Store(&x.handler)
	before := b.upstream.hits()
	var got response
	var err error
	for _, p := range protocols {
		if p.name == protocol {
			conn := connect(t, b.addrs[x.raw.secure], protocol, x.raw.secure)
			got, err = p.send(conn, x.raw)
			conn.Close()
		}
	}
	reached := b.upstream.hits() - before
	if !ran && reached > 0 {
		t.Errorf("%s: the request reached the server, and Wrap answers %d: %q", protocol, want.status, want.body)
	}
	if reached > 0 {
		b.expected += reached
	}
	wantFields, gotFields := fieldsToCompare(want.header), fieldsToCompare(got.header)
	for _, name := range []string{"access-control-allow-origin", "access-control-allow-credentials", "timing-allow-origin"} {
		if value := gotFields[name]; value != "" && value != wantFields[name] {
			t.Errorf("%s: %s: %q, and Wrap has %q", protocol, name, value, wantFields[name])
		}
	}
	if err != nil {
		return []difference{{"no answer", err.Error()}}
	}
	add := func(what string, got, want any) {
		if got != want {
			all = append(all, difference{what, apart(fmt.Sprint(got), fmt.Sprint(want))})
		}
	}
	add("status", got.status, want.status)
	add("reached", reached, map[bool]int{true: 1}[ran])
	add("body", got.body, want.body)
	names := maps.Clone(wantFields)
	maps.Copy(names, gotFields)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		add(name, gotFields[name], wantFields[name])
	}
	return all
}

// apart describes two texts that differ: whole if they are short, and otherwise from where they differ.
func apart(got, want string) string {
	const short = 30
	if i := 0; len(got) > short || len(want) > short {
		for i < min(len(got), len(want)) && got[i] == want[i] {
			i++
		}
		got, want = got[i:min(len(got), i+short)], want[i:min(len(want), i+short)]
	}
	return fmt.Sprintf("%q, Wrap %q", got, want)
}

// finish checks that no request reached the server after its answer.
func (b *besideWrap) finish(t *testing.T) {
	t.Helper()
	if got := b.upstream.hits(); got != b.expected {
		t.Errorf("%d requests reached the server, and %d of them before their answers", got, b.expected)
	}
}

// transport are the fields that servers and Envoy write on their own, whatever the policy says.
var transport = []string{"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding", "x-envoy-upstream-service-time"}

// asHandled returns the request as net/http gives it to a handler, or nil if net/http refuses it.
func (r rawRequest) asHandled() *http.Request {
	u, err := url.ParseRequestURI(r.path)
	if err != nil || !httpguts.ValidHostHeader(r.host) {
		return nil
	}
	out := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(r.body))
	out.Method, out.Host, out.URL, out.RequestURI, out.Header = r.method, r.host, u, r.path, http.Header{}
	if u.Host != "" {
		out.Host = u.Host
	}
	for _, f := range r.fields {
		out.Header.Add(f[0], f[1])
	}
	if r.secure {
		out.TLS = &tls.ConnectionState{}
	}
	return out
}

// fieldsToCompare returns the fields of a header in small letters, without those of the transport. The lines of a field, and the items of
// its lists, are joined in one way.
func fieldsToCompare(h http.Header) map[string]string {
	fields := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		lower := strings.ToLower(name)
		if slices.Contains(transport, lower) {
			continue
		}
		for _, line := range h[name] {
			items := strings.Split(line, ",")
			for i, item := range items {
				items[i] = strings.TrimSpace(item)
			}
			if line = strings.Join(items, ", "); fields[lower] != "" {
				line = fields[lower] + ", " + line
			}
			fields[lower] = line
		}
	}
	return fields
}
