package corsenvoy_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	filterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsenvoy"
)

// envoy is a model of Envoy with the filter ext_proc, in front of a server. It does what Envoy does with the
// processor's answers, the dangerous things too: a stream that ends well lets the request through.
// The tests of internal/fleet hold the model's behaviour against the real Envoy.
type envoy struct {
	client   extprocv3.ExternalProcessorClient
	upstream http.Handler
	metadata metadata.MD // grpc_initial_metadata
	override bool        // allow_mode_override
	adds     http.Header // response_headers_to_add, which Envoy puts on its own answers before the processor's fields
}

// startProcessor serves a processor, and returns a client of it.
func startProcessor(t *testing.T, p *corsenvoy.Processor) (extprocv3.ExternalProcessorClient, *grpc.Server) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	p.Register(server)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return extprocv3.NewExternalProcessorClient(conn), server
}

// result is what the browser gets.
type result struct {
	status int
	header http.Header
	body   string
	// ran is whether the request reached the server. trips is the number of messages that Envoy sent.
	ran   bool
	trips int
}

// do passes a request through Envoy. If the processor's stream ends with an error, Envoy answers 500.
func (e *envoy) do(ctx context.Context, r *http.Request) result {
	ctx, cancel := context.WithCancel(metadata.NewOutgoingContext(ctx, e.metadata))
	defer cancel()
	stream, err := e.client.Process(ctx)
	if err != nil {
		return result{status: http.StatusInternalServerError}
	}
	answer, err := ask(stream, &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestHeaders{
		RequestHeaders: &extprocv3.HttpHeaders{Headers: requestFields(r)},
	}})
	var got result
	got.trips = 1
	done := errors.Is(err, io.EOF) // Envoy takes a stream that ends well for consent
	switch {
	case done:
	case err != nil:
		return result{status: http.StatusInternalServerError, trips: 1}
	case answer.GetImmediateResponse() != nil:
		i := answer.GetImmediateResponse()
		got.status, got.body, got.header = int(i.GetStatus().GetCode()), string(i.GetBody()), http.Header{}
		maps.Copy(got.header, e.adds)
		apply(got.header, i.GetHeaders())
		return got
	case answer.GetRequestHeaders() == nil:
		return result{status: http.StatusInternalServerError, trips: 1}
	}
	w := httptest.NewRecorder()
	e.upstream.ServeHTTP(w, r)
	res := w.Result()
	got.ran, got.status, got.header, got.body = true, res.StatusCode, res.Header, w.Body.String()
	if done || e.override && answer.GetModeOverride().GetResponseHeaderMode() == filterv3.ProcessingMode_SKIP {
		return got
	}
	got.trips++
	answer, err = ask(stream, &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseHeaders{
		ResponseHeaders: &extprocv3.HttpHeaders{Headers: responseFields(res)},
	}})
	switch {
	case errors.Is(err, io.EOF):
		return got
	case err != nil || answer.GetResponseHeaders() == nil:
		return result{status: http.StatusInternalServerError, ran: true, trips: 2}
	}
	apply(got.header, answer.GetResponseHeaders().GetResponse().GetHeaderMutation())
	return got
}

// ask sends a message, and returns the answer.
func ask(stream extprocv3.ExternalProcessor_ProcessClient, m *extprocv3.ProcessingRequest) (*extprocv3.ProcessingResponse, error) {
	if err := stream.Send(m); err != nil && !errors.Is(err, io.EOF) { // the reason of io.EOF is that of Recv
		return nil, err
	}
	return stream.Recv()
}

// requestFields returns the fields of a request as Envoy sends them: in lower case, pseudo-header fields first.
func requestFields(r *http.Request) *corev3.HeaderMap {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	m := &corev3.HeaderMap{Headers: []*corev3.HeaderValue{
		{Key: ":method", RawValue: []byte(r.Method)}, {Key: ":authority", RawValue: []byte(r.Host)},
		{Key: ":scheme", RawValue: []byte(scheme)}, {Key: ":path", RawValue: []byte(r.RequestURI)},
	}}
	addFields(m, r.Header)
	return m
}

// responseFields returns the fields of a response.
func responseFields(r *http.Response) *corev3.HeaderMap {
	m := &corev3.HeaderMap{Headers: []*corev3.HeaderValue{{Key: ":status", RawValue: []byte(strconv.Itoa(r.StatusCode))}}}
	addFields(m, r.Header)
	return m
}

func addFields(m *corev3.HeaderMap, h http.Header) {
	for name, values := range h {
		for _, v := range values {
			m.Headers = append(m.Headers, &corev3.HeaderValue{Key: strings.ToLower(name), RawValue: []byte(v)})
		}
	}
}

// apply carries out changes of a header.
func apply(h http.Header, m *extprocv3.HeaderMutation) {
	remove := func(name string) {
		for key := range h {
			if strings.EqualFold(key, name) {
				delete(h, key)
			}
		}
	}
	for _, name := range m.GetRemoveHeaders() {
		remove(name)
	}
	for _, o := range m.GetSetHeaders() {
		if !o.GetAppend().GetValue() { //nolint:staticcheck // Envoy heeds this field, and not append_action
			remove(o.GetHeader().GetKey())
		}
		h.Add(o.GetHeader().GetKey(), string(o.GetHeader().GetRawValue()))
	}
}

// canonical returns a header under canonical names, and without names that have no value.
func canonical(h http.Header) http.Header {
	c := http.Header{}
	for name, values := range h {
		for _, v := range values {
			c.Add(name, v)
		}
	}
	for _, values := range c {
		slices.Sort(values)
	}
	return c
}
