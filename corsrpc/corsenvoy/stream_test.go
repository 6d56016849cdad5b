package corsenvoy_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	filterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsenvoy"
)

const (
	page = "https://app.example.com"
	get  = "/acme.v1.CatalogService/Get"
)

// newPlan compiles a policy that allows one origin.
func newPlan(t testing.TB, origin string) *corsrpc.Plan {
	t.Helper()
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte("defaults: {allow_origins: [\""+origin+"\"]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithFiles(new(protoregistry.Files)))
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// newProcessor returns a processor with a policy that allows the page.
func newProcessor(t testing.TB, options ...corsenvoy.Option) *corsenvoy.Processor {
	t.Helper()
	p, err := corsenvoy.New(newPlan(t, page), options...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// call is a Connect call from an origin.
func call(origin string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "https://api.example.com"+get, strings.NewReader("{}"))
	r.RequestURI = get
	r.Header.Set("Origin", origin)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.Header.Set("Sec-Fetch-Mode", "cors")
	r.Header.Set("Content-Type", "application/json")
	return r
}

func headersOf(r *http.Request) *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestHeaders{RequestHeaders: &extprocv3.HttpHeaders{Headers: requestFields(r)}}}
}

func responseOf(status int, header http.Header) *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseHeaders{
		ResponseHeaders: &extprocv3.HttpHeaders{Headers: responseFields(&http.Response{StatusCode: status, Header: header})},
	}}
}

// TestStreams checks the messages of streams: what follows what, and how a stream ends. Envoy takes a stream that
// ends well (io.EOF) for consent, so only one that is decided may end so.
func TestStreams(t *testing.T) {
	t.Parallel()
	body := &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestBody{RequestBody: &extprocv3.HttpBody{Body: []byte("{}")}}}
	trailers := &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestTrailers{RequestTrailers: &extprocv3.HttpTrailers{}}}
	watched := headersOf(call(page))
	watched.ObservabilityMode = true
	malformed := call(page)
	malformed.RequestURI = "/a%zz"
	twice := headersOf(call(page))
	twice.GetRequestHeaders().Headers.Headers = append(twice.GetRequestHeaders().Headers.Headers, twice.GetRequestHeaders().Headers.Headers[3])
	native := httptest.NewRequest(http.MethodPost, "https://api.example.com"+get, nil)
	native.RequestURI = get
	native.Header.Set("Content-Type", "application/grpc")
	for _, c := range []struct {
		name     string
		messages []*extprocv3.ProcessingRequest
		answers  []string   // the kinds of the answers
		end      codes.Code // of the stream after Envoy has closed its side
	}{
		{"an allowed call", []*extprocv3.ProcessingRequest{headersOf(call(page)), responseOf(200, nil)}, []string{"request headers", "response headers"}, codes.OK},
		{"a refused call", []*extprocv3.ProcessingRequest{headersOf(call("https://evil.example"))}, []string{"403"}, codes.OK},
		{"the client goes away before the response", []*extprocv3.ProcessingRequest{headersOf(call(page))}, []string{"request headers"}, codes.Canceled},
		{"Envoy goes away at once", nil, nil, codes.Aborted},
		{"a call without a browser takes one round trip", []*extprocv3.ProcessingRequest{headersOf(native)}, []string{"request headers, skip the response"}, codes.OK},
		{"a filter before this one has answered", []*extprocv3.ProcessingRequest{responseOf(401, nil)}, []string{"response headers"}, codes.OK},
		{"body and trailers before the response", []*extprocv3.ProcessingRequest{headersOf(call(page)), body, trailers, responseOf(200, nil)},
			[]string{"request headers", "request body", "request trailers", "response headers"}, codes.OK},
		{"a server has answered a request that was not sent", []*extprocv3.ProcessingRequest{responseOf(200, http.Header{"X-Envoy-Upstream-Service-Time": {"1"}})}, nil, codes.FailedPrecondition},
		{"a body first", []*extprocv3.ProcessingRequest{body}, nil, codes.InvalidArgument},
		{"an empty message first", []*extprocv3.ProcessingRequest{{}}, nil, codes.InvalidArgument},
		{"the request twice", []*extprocv3.ProcessingRequest{headersOf(call(page)), headersOf(call(page))}, []string{"request headers"}, codes.InvalidArgument},
		{"a response without a status", []*extprocv3.ProcessingRequest{headersOf(call(page)), {Request: &extprocv3.ProcessingRequest_ResponseHeaders{}}}, []string{"request headers"}, codes.InvalidArgument},
		{"an Envoy that does not enforce", []*extprocv3.ProcessingRequest{watched}, nil, codes.FailedPrecondition},
		{"a malformed path", []*extprocv3.ProcessingRequest{headersOf(malformed)}, []string{"400"}, codes.OK},
		{"two paths", []*extprocv3.ProcessingRequest{twice}, []string{"400"}, codes.OK},
		{"an empty header", []*extprocv3.ProcessingRequest{{Request: &extprocv3.ProcessingRequest_RequestHeaders{}}}, []string{"400"}, codes.OK},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client, _ := startProcessor(t, newProcessor(t, corsenvoy.WithLogger(slog.New(slog.DiscardHandler))))
			stream, err := client.Process(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for i, m := range c.messages {
				answer, err := ask(stream, m)
				if i >= len(c.answers) {
					if code := codeOf(err); code != c.end {
						t.Fatalf("the stream ends with %v (%v), want %v", code, err, c.end)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if got := kindOf(answer); got != c.answers[i] {
					t.Fatalf("answer %d is %q, want %q", i, got, c.answers[i])
				}
			}
			_ = stream.CloseSend()
			if _, err := stream.Recv(); codeOf(err) != c.end {
				t.Errorf("the stream ends with %v, want %v", err, c.end)
			}
		})
	}
}

// TestResponsesThatAreNotSent checks that the log names the fault of a filter without responses: Envoy resets the stream.
func TestResponsesThatAreNotSent(t *testing.T) {
	t.Parallel()
	for _, seen := range []bool{false, true} {
		logged := make(chan string, 1)
		p := newProcessor(t, corsenvoy.WithLogger(slog.New(slog.NewTextHandler(lines(logged), nil))))
		client, server := startProcessor(t, p)
		if seen {
			e := &envoy{client: client, upstream: http.NotFoundHandler()}
			e.do(t.Context(), call(page))
		}
		ctx, cancel := context.WithCancel(t.Context())
		stream, err := client.Process(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ask(stream, headersOf(call(page))); err != nil {
			t.Fatal(err)
		}
		cancel()
		server.GracefulStop() // returns when the stream has ended
		select {
		case line := <-logged:
			if seen || !strings.Contains(line, "response_header_mode") {
				t.Errorf("after a response (%v), the log has %s", seen, line)
			}
		default:
			if !seen {
				t.Error("the log is empty")
			}
		}
	}
}

// lines receives the lines of a log.
type lines chan<- string

func (l lines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

// codeOf returns the code that a stream has ended with.
func codeOf(err error) codes.Code {
	if errors.Is(err, io.EOF) {
		return codes.OK
	}
	return status.Code(err)
}

// kindOf describes an answer.
func kindOf(m *extprocv3.ProcessingResponse) string {
	switch r := m.GetResponse().(type) {
	case *extprocv3.ProcessingResponse_RequestHeaders:
		if m.GetModeOverride().GetResponseHeaderMode() == filterv3.ProcessingMode_SKIP {
			return "request headers, skip the response"
		}
		return "request headers"
	case *extprocv3.ProcessingResponse_ResponseHeaders:
		return "response headers"
	case *extprocv3.ProcessingResponse_RequestBody:
		return "request body"
	case *extprocv3.ProcessingResponse_RequestTrailers:
		return "request trailers"
	case *extprocv3.ProcessingResponse_ImmediateResponse:
		return map[int32]string{400: "400", 403: "403", 421: "421"}[int32(r.ImmediateResponse.GetStatus().GetCode())]
	}
	return "?"
}

// TestShutdown checks that streams which wait for their response end with an error when the server stops, and
// that a graceful stop waits for them.
func TestShutdown(t *testing.T) {
	t.Parallel()
	for _, graceful := range []bool{true, false} {
		client, server := startProcessor(t, newProcessor(t))
		stream, err := client.Process(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := ask(stream, headersOf(call(page))); err != nil || kindOf(answer) != "request headers" {
			t.Fatal(answer, err)
		}
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			if graceful {
				server.GracefulStop()
			} else {
				server.Stop()
			}
		}()
		if graceful {
			answer, err := ask(stream, responseOf(200, nil))
			if err != nil || kindOf(answer) != "response headers" {
				t.Errorf("after a graceful stop began: %v, %v", answer, err)
			}
		} else if _, err := stream.Recv(); err == nil || codeOf(err) == codes.OK {
			t.Errorf("after the server stopped: %v", err)
		}
		<-stopped
	}
}

// panics is a policy one of whose observers panics.
type panics struct{}

func (panics) Wrap(http.Handler) http.Handler {
	return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("an observer's fault") })
}

// replaces is a policy that writes another response than that of the server.
type replaces struct{}

func (replaces) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
		_, _ = io.WriteString(w, "more")
	})
}

// TestFaultyPolicies checks that faults of a policy's code end the stream with an error, and not the program.
func TestFaultyPolicies(t *testing.T) {
	t.Parallel()
	for _, policy := range []corsenvoy.Policy{panics{}, replaces{}} {
		var log strings.Builder
		p, err := corsenvoy.New(policy, corsenvoy.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		if err != nil {
			t.Fatal(err)
		}
		client, _ := startProcessor(t, p)
		e := &envoy{client: client, upstream: http.NotFoundHandler()}
		if got := e.do(t.Context(), call(page)); got.status != http.StatusInternalServerError {
			t.Errorf("%T: %+v", policy, got)
		}
	}
}

// TestRoutes checks that a request gets the policy of its host or of its route in Envoy, and 421 if there is none.
func TestRoutes(t *testing.T) {
	t.Parallel()
	shop, other := newPlan(t, page), newPlan(t, "https://other.example")
	p, err := corsenvoy.NewForRoutes(func(r corsenvoy.Route) corsenvoy.Policy {
		switch {
		case len(r.Metadata.Get("corsrpc-policy")) > 0:
			return other
		case r.Host == "api.example.com":
			return shop
		}
		return (*corsrpc.Plan)(nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	client, _ := startProcessor(t, p)
	for _, c := range []struct {
		host     string
		metadata metadata.MD
		header   string // a request header of a page
		status   int
	}{
		{"api.example.com", nil, "", 200},
		{"api.example.com", metadata.Pairs("corsrpc-policy", "other"), "", 403},
		{"api.example.com", nil, "Corsrpc-Policy", 200}, // a page cannot choose
		{"elsewhere.example", nil, "", 421},
	} {
		ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		r := call(page)
		r.Host = c.host
		if c.header != "" {
			r.Header.Set(c.header, "other")
		}
		e := &envoy{client: client, upstream: ok, metadata: c.metadata}
		if got := e.do(t.Context(), r); got.status != c.status {
			t.Errorf("%+v: %d", c, got.status)
		}
	}
}

// TestOptions checks that meaningless options are errors.
func TestOptions(t *testing.T) {
	t.Parallel()
	_, nilPolicy := corsenvoy.New(nil)
	_, nilLayer := corsenvoy.New((*corsrpc.Layer)(nil))
	_, nilFunc := corsenvoy.NewForRoutes(nil)
	_, nilOption := corsenvoy.New(newPlan(t, page), nil)
	_, nilLogger := corsenvoy.New(newPlan(t, page), corsenvoy.WithLogger(nil))
	for _, err := range []error{nilPolicy, nilLayer, nilFunc, nilOption, nilLogger} {
		if err == nil || !strings.HasPrefix(err.Error(), "corsenvoy: ") {
			t.Errorf("%v", err)
		}
	}
}

// TestManyStreams checks that 10,000 streams wait for their responses at the same time, that all are answered,
// and that nothing of them stays.
func TestManyStreams(t *testing.T) {
	const streams = 10_000
	client, _ := startProcessor(t, newProcessor(t))
	before := runtime.NumGoroutine()
	var waiting, answered atomic.Int64
	all, release := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var running sync.WaitGroup
	for range streams {
		running.Go(func() {
			e := &envoy{client: client, upstream: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				if waiting.Add(1) == streams {
					close(all)
				}
				select {
				case <-release:
				case <-ctx.Done():
				}
			})}
			if got := e.do(ctx, call(page)); got.status == http.StatusOK && got.header.Get("Access-Control-Allow-Origin") == page {
				answered.Add(1)
			}
		})
	}
	select {
	case <-all:
	case <-ctx.Done():
		t.Errorf("%d streams wait, want %d", waiting.Load(), streams)
	}
	close(release)
	running.Wait()
	if got := answered.Load(); got != streams {
		t.Errorf("%d streams were answered, want %d", got, streams)
	}
	for runtime.NumGoroutine() > before+20 && ctx.Err() == nil {
		runtime.Gosched()
	}
	if got := runtime.NumGoroutine(); got > before+20 {
		t.Errorf("%d goroutines, before %d", got, before)
	}
}

// cookies is a policy that adds cookies to the server's.
type cookies struct{}

func (cookies) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(withCookie{w}, r) })
}

type withCookie struct{ http.ResponseWriter }

func (w withCookie) WriteHeader(status int) {
	w.Header().Add("Set-Cookie", "b=2")
	w.Header().Add("Vary", "Origin")
	w.ResponseWriter.WriteHeader(status)
}

// TestSeveralLines checks that fields with several lines arrive whole.
func TestSeveralLines(t *testing.T) {
	t.Parallel()
	p, err := corsenvoy.New(cookies{})
	if err != nil {
		t.Fatal(err)
	}
	client, _ := startProcessor(t, p)
	e := &envoy{client: client, upstream: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Set-Cookie"] = []string{"a=1"}
		w.Header()["Vary"] = []string{"Accept", "Accept-Encoding"}
	})}
	got := e.do(t.Context(), call(page))
	if cookies, vary := got.header["Set-Cookie"], got.header["Vary"]; !slices.Equal(cookies, []string{"a=1", "b=2"}) || !slices.Equal(vary, []string{"Accept", "Accept-Encoding", "Origin"}) {
		t.Errorf("Set-Cookie %q, Vary %q", cookies, vary)
	}
}

// TestAddedFields: no field of the CORS protocol that Envoy's configuration adds to all answers opens one of the processor's own.
func TestAddedFields(t *testing.T) {
	t.Parallel()
	client, _ := startProcessor(t, newProcessor(t))
	e := &envoy{client: client, adds: http.Header{"X-Added": {"yes"}}}
	for _, name := range []string{
		"Access-Control-Allow-Credentials", "Access-Control-Allow-Headers", "Access-Control-Allow-Methods", "Access-Control-Allow-Origin",
		"Access-Control-Allow-Private-Network", "Access-Control-Expose-Headers", "Access-Control-Max-Age",
	} {
		e.adds.Set(name, "*")
	}
	got := e.do(t.Context(), call("https://evil.example"))
	if got.status != http.StatusForbidden || got.header.Get("X-Added") != "yes" {
		t.Fatalf("the answer is %d %q, want a refusal with the field that is none of CORS", got.status, got.header)
	}
	for name := range got.header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("the refusal has %s: %q", name, got.header[name])
		}
	}
}
