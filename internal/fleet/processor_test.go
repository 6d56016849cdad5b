//go:build fleet

package fleet_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// answer is what a processor of these tests does with a message: it sends a response, ends the
// stream with an error, or ends it with OK if both are nil.
type answer func(request *extprocv3.ProcessingRequest) (*extprocv3.ProcessingResponse, error)

// errSilence is the error of an answer that leaves a message unanswered and its stream open.
var errSilence = errors.New("no answer")

// processor is an external processor. It records all messages.
type processor struct {
	extprocv3.UnimplementedExternalProcessorServer

	socket string
	server *grpc.Server
	answer answer

	mu       sync.Mutex
	messages []*extprocv3.ProcessingRequest
	arrived  chan struct{} // buffers one signal: a message
	ended    chan struct{} // buffers one signal: the end of a stream
}

// serveProcessor serves an external processor on a Unix socket until the end of the test.
func serveProcessor(t *testing.T, a answer) *processor {
	t.Helper()
	p := &processor{
		socket:  filepath.Join(shortDir(t), "socket"),
		server:  grpc.NewServer(),
		answer:  a,
		arrived: make(chan struct{}, 1),
		ended:   make(chan struct{}, 1),
	}
	listener, err := net.Listen("unix", p.socket)
	if err != nil {
		t.Fatal(err)
	}
	extprocv3.RegisterExternalProcessorServer(p.server, p)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = p.server.Serve(listener) // ends by Stop
	}()
	t.Cleanup(func() {
		p.server.Stop()
		<-ended
	})
	return p
}

// shortDir returns a directory whose path is short enough for Unix sockets in it.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "processor")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// Process implements the service.
func (p *processor) Process(stream extprocv3.ExternalProcessor_ProcessServer) error {
	defer signal(p.ended)
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		p.mu.Lock()
		p.messages = append(p.messages, request)
		p.mu.Unlock()
		signal(p.arrived)
		response, err := p.answer(request)
		switch {
		case errors.Is(err, errSilence):
			continue
		case err != nil:
			return err
		case response == nil:
			return nil
		}
		if err := stream.Send(response); err != nil {
			return err
		}
	}
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// kinds returns the kinds of the messages until now, in their order.
func (p *processor) kinds() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var kinds []string
	for _, m := range p.messages {
		switch m.Request.(type) {
		case *extprocv3.ProcessingRequest_RequestHeaders:
			kinds = append(kinds, "request_headers")
		case *extprocv3.ProcessingRequest_ResponseHeaders:
			kinds = append(kinds, "response_headers")
		default:
			kinds = append(kinds, "other")
		}
	}
	return kinds
}

// request returns the headers of the last request, and response those of the last answer.
func (p *processor) request(t *testing.T) fields {
	t.Helper()
	return p.last(t, (*extprocv3.ProcessingRequest).GetRequestHeaders)
}

func (p *processor) response(t *testing.T) fields {
	t.Helper()
	return p.last(t, (*extprocv3.ProcessingRequest).GetResponseHeaders)
}

func (p *processor) last(t *testing.T, get func(*extprocv3.ProcessingRequest) *extprocv3.HttpHeaders) fields {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range slices.Backward(p.messages) {
		if h := get(m); h != nil {
			return fieldsOf(h)
		}
	}
	t.Fatal("the processor has not seen such headers")
	return fields{}
}

// fields are headers as the processor gets them.
type fields struct {
	list        []string // "name: value", in order
	endOfStream bool
}

func fieldsOf(h *extprocv3.HttpHeaders) fields {
	f := fields{endOfStream: h.GetEndOfStream()}
	for _, header := range h.GetHeaders().GetHeaders() {
		value := string(header.GetRawValue())
		if value == "" {
			value = header.GetValue()
		}
		f.list = append(f.list, header.GetKey()+": "+value)
	}
	return f
}

// get returns the values of all fields with a name.
func (f fields) get(name string) []string {
	var values []string
	for _, field := range f.list {
		if value, found := strings.CutPrefix(field, name+": "); found {
			values = append(values, value)
		}
	}
	return values
}

// proceed lets requests and answers pass, answers with header mutations.
func proceed(onResponse ...*corev3.HeaderValueOption) answer {
	return func(request *extprocv3.ProcessingRequest) (*extprocv3.ProcessingResponse, error) {
		if request.GetResponseHeaders() != nil {
			return responseStep(onResponse...), nil
		}
		return requestStep(), nil
	}
}

// always gives one answer to every message.
func always(response *extprocv3.ProcessingResponse, err error) answer {
	return func(*extprocv3.ProcessingRequest) (*extprocv3.ProcessingResponse, error) { return response, err }
}

func requestStep() *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_RequestHeaders{
		RequestHeaders: &extprocv3.HeadersResponse{},
	}}
}

func responseStep(set ...*corev3.HeaderValueOption) *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_ResponseHeaders{
		ResponseHeaders: &extprocv3.HeadersResponse{Response: &extprocv3.CommonResponse{
			HeaderMutation: &extprocv3.HeaderMutation{SetHeaders: set},
		}},
	}}
}

func immediate(status int, body string, set ...*corev3.HeaderValueOption) *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_ImmediateResponse{
		ImmediateResponse: &extprocv3.ImmediateResponse{
			Status:  &typev3.HttpStatus{Code: typev3.StatusCode(status)},
			Headers: &extprocv3.HeaderMutation{SetHeaders: set},
			Body:    []byte(body),
			Details: "test",
		},
	}}
}

// overwrite is a mutation that replaces all values of a header.
func overwrite(name, value string) *corev3.HeaderValueOption {
	return &corev3.HeaderValueOption{Header: &corev3.HeaderValue{Key: name, RawValue: []byte(value)}}
}

// add is a mutation that adds a value to a header, by the field that is deprecated.
func add(name, value string) *corev3.HeaderValueOption {
	option := overwrite(name, value)
	option.Append = wrapperspb.Bool(true) //nolint:staticcheck // Envoy's external processing knows no other
	return option
}

// byAction is a mutation that adds a value to a header, by the field that replaces the deprecated one.
func byAction(name, value string) *corev3.HeaderValueOption {
	option := overwrite(name, value)
	option.AppendAction = corev3.HeaderValueOption_APPEND_IF_EXISTS_OR_ADD
	return option
}

// answerPreflight answers every request with 204, and lets answers pass.
func answerPreflight(request *extprocv3.ProcessingRequest) (*extprocv3.ProcessingResponse, error) {
	if request.GetResponseHeaders() != nil {
		return responseStep(), nil
	}
	return immediate(204, "", overwrite("access-control-allow-origin", "https://a.test")), nil
}
