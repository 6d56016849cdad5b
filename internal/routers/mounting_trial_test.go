package routers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
)

const (
	app       = "https://app.example.com"
	api       = "https://api.example.com"
	appPolicy = `defaults: {allow_origins: [https://app.example.com], allow_headers: [x-panic, x-wait, authorization]}`
)

// newLayer returns a layer that allows app, and its log.
func (m mounting) newLayer(t *testing.T) (*corsrpc.Layer, *bytes.Buffer) {
	t.Helper()
	document, err := corsrpc.ParsePolicy("cors.yaml", []byte(appPolicy))
	if err != nil {
		t.Fatal(err)
	}
	compile := []corsrpc.CompileOption{corsrpc.WithFiles(shopSchema(t))}
	for _, o := range m.options {
		compile = append(compile, o.(corsrpc.CompileOption))
	}
	plan, err := corsrpc.Compile(document.Policy(), compile...)
	if err != nil {
		t.Fatal(err)
	}
	log := &bytes.Buffer{}
	layer, err := corsrpc.New(plan, corsrpc.WithLogger(slog.New(slog.NewTextHandler(log, nil))))
	if err != nil {
		t.Fatal(err)
	}
	return layer, log
}

// shopSchema returns the schema of the service.
func shopSchema(t *testing.T) *protoregistry.Files {
	t.Helper()
	method := func(name string, streams bool) *descriptorpb.MethodDescriptorProto {
		return &descriptorpb.MethodDescriptorProto{Name: &name, InputType: proto.String(".acme.v1.Message"), OutputType: proto.String(".acme.v1.Message"), ServerStreaming: &streams}
	}
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("acme/v1/shop.proto"), Package: proto.String("acme.v1"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("Message")}},
		Service: []*descriptorpb.ServiceDescriptorProto{{
			Name: proto.String("Shop"), Method: []*descriptorpb.MethodDescriptorProto{method("Buy", false), method("Watch", true)},
		}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	files := new(protoregistry.Files)
	if err := files.RegisterFile(file); err != nil {
		t.Fatal(err)
	}
	return files
}

// try mounts the layer and returns sentences for the documentation about the problems that a page
// in an engine has, and about the lines of the log. There are none if every call works and nothing
// is logged.
func (m mounting) try(t *testing.T, engine corsbrowser.Engine) (sentences []string) {
	t.Helper()
	layer, log := m.newLayer(t)
	server := m.mount(layer, m.with.handler())
	browser, err := corsbrowser.New(app, corsbrowser.WithHandler(server), corsbrowser.WithEngine(engine))
	if err != nil {
		t.Fatal(err)
	}
	page := &visitor{browser: browser, prefix: m.prefix}
	say := func(format string, args ...any) { sentences = append(sentences, fmt.Sprintf(format, args...)) }

	if m.runsRefused(server) {
		say("**Calls that the policy refuses run.**")
	}
	call := page.call(t, path, "application/json")
	switch {
	case call.preflight:
		say("No call is sent: the browser does not accept the answer to the preflight (%d).", call.status)
	case call.blocked != nil:
		say("The handler runs, and the page cannot read the answer.")
	case call.status != http.StatusOK:
		t.Fatalf("the call: %+v", call)
	case call.header.Get("X-Meta") == "" && call.ran && call.meta:
		say("The page cannot read the response headers.")
	}
	unknown := page.call(t, "/acme.v1.Cart/Fill", "application/json")
	if unknown.blocked != nil && !call.preflight {
		say("The page cannot read the error (404) for a path without a route.")
	}
	if m.recovers {
		broken := page.call(t, path, "application/json", panics, "1")
		if broken.blocked != nil {
			say("The page cannot read the error (500) after a panic.")
		}
	}
	if m.timesOut {
		late := page.call(t, path, "application/json", waits, "1")
		if late.blocked != nil {
			say("The page cannot read the error (503) after the timeout.")
		}
	}
	if !m.unaryOnly && !call.preflight {
		m.tryStream(t, page, say)
	}
	for line := range strings.Lines(log.String()) {
		if text := regexp.MustCompile(`msg="corsrpc: ([^"]*)"`).FindStringSubmatch(line); text != nil && !strings.HasPrefix(text[1], "refused") {
			begin, _, _ := strings.Cut(strings.TrimSuffix(text[1], "; logged once"), ",")
			sentence, remedy := "The log has: “"+begin+"”", ""
			if strings.Contains(line, "WithPathPrefix") {
				remedy = ", with the remedy `WithPathPrefix`"
			}
			if !slices.ContainsFunc(sentences, func(s string) bool { return strings.HasPrefix(s, sentence) }) {
				say("%s%s.", sentence, remedy)
			}
		}
	}
	return sentences
}

// tryStream reads a stream.
func (m mounting) tryStream(t *testing.T, page *visitor, say func(string, ...any)) {
	t.Helper()
	stream := page.call(t, m.with.watched(), "application/connect+json")
	switch problem := regexp.MustCompile(`[^ "]+ does not implement http\.Flusher`).FindString(stream.body); {
	case stream.blocked != nil:
		say("The page cannot read a stream.")
	case problem != "":
		say("Streams fail: “%s”.", problem)
	case !strings.Contains(stream.body, "second"):
		t.Fatalf("the stream: %+v", stream)
	case !stream.streamed:
		say("The messages of a stream arrive when it ends.")
	}
}

// runsRefused reports whether the handler runs for a call of an origin that the policy does not
// allow, which a page can send without a preflight, or with one that another server answered.
func (m mounting) runsRefused(server http.Handler) bool {
	r := httptest.NewRequest("POST", api+m.prefix+path, strings.NewReader("{}"))
	r.Header = http.Header{
		"Origin": {evil}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"cors"},
		"Content-Type": {"application/json"}, "Authorization": {"Bearer t"},
	}
	record := &calls{}
	server.ServeHTTP(httptest.NewRecorder(), r.WithContext(context.WithValue(r.Context(), callsKey{}, record)))
	return record.ran
}

// visitor is a page that calls a server.
type visitor struct {
	browser *corsbrowser.Browser
	prefix  string
}

// seen is what a page sees of a call.
type seen struct {
	calls
	blocked   *corsbrowser.BlockedError
	preflight bool // the call was not sent, because of its preflight
	status    int  // of the preflight if that blocked the call
	header    http.Header
	meta      bool // the server sent X-Meta
	body      string
}

// call makes a call of the Connect protocol, with headers in pairs of names and values.
func (v *visitor) call(t *testing.T, path, contentType string, header ...string) (result seen) {
	t.Helper()
	v.browser.Forget()
	body := "{}"
	if strings.Contains(contentType, "connect+") {
		body = "\x00\x00\x00\x00\x02{}"
	}
	var arrived atomic.Bool
	result.arrived, result.turn = arrived.Load, make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), callsKey{}, &result.calls))
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "POST", api+v.prefix+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Connect-Protocol-Version", "1")
	r.Header.Set("Authorization", "Bearer t")
	res, err := v.browser.RoundTrip(r)
	for _, e := range v.browser.Log() {
		result.status = e.Status
		result.meta = result.meta || e.Answer.Get("X-Meta") != ""
	}
	if err != nil {
		if !errors.As(err, &result.blocked) {
			t.Fatal(err)
		}
		result.preflight = result.blocked.Preflight
		cancel()
		result.wait()
		return result
	}
	defer res.Body.Close()
	result.header = res.Header
	first := make([]byte, 1)
	n, err := io.ReadFull(res.Body, first)
	if err == nil {
		arrived.Store(true)
		var rest []byte
		rest, err = io.ReadAll(res.Body)
		result.body = string(first[:n]) + string(rest)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	result.wait()
	return result
}
