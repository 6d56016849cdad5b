package corsenvoy

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// exchange is one request and its response. It is the ResponseWriter that the policy writes to: either its own
// answer, or the header of the response that Envoy has received. One goroutine uses it.
type exchange struct {
	processor *Processor
	stream    grpc.BidiStreamingServer[extprocv3.ProcessingRequest, extprocv3.ProcessingResponse]

	header http.Header
	status int // of the response; 0 until it is written
	body   []byte

	forwarded bool        // whether Envoy was told to forward the request
	untouched bool        // whether the response needs no look
	response  http.Header // of the server, as Envoy has received it
	received  int         // its status
	failed    error       // why the stream ends without a decision
}

// Header returns the header of the response.
func (x *exchange) Header() http.Header { return x.header }

// WriteHeader notes the status of the response.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		x.status = status
	}
}

// Write notes a part of the body.
func (x *exchange) Write(p []byte) (int, error) {
	x.WriteHeader(http.StatusOK)
	x.body = append(x.body, p...)
	return len(p), nil
}

// forward is the handler behind the policy: it tells Envoy to forward the request. If the policy wants to
// change the response, it waits for the header of the response, and writes it.
func (x *exchange) forward(w http.ResponseWriter, _ *http.Request) {
	x.forwarded = true
	x.untouched = w == http.ResponseWriter(x) // the policy has not put a writer of its own in front
	x.check(x.stream.Send(continueRequest(x.untouched)))
	if x.untouched {
		return
	}
	for x.response == nil {
		message, err := x.stream.Recv()
		switch {
		case errors.Is(err, io.EOF): // Envoy ends its side if it needs no answer any more
			x.fail(status.Error(codes.Canceled, "corsrpc: the client went away before the response"))
		case err != nil:
			x.processor.unseen(err)
			x.fail(undecided(err))
		}
		x.receive(message)
	}
	maps.Copy(w.Header(), clone(x.response))
	w.WriteHeader(x.received)
}

// receive takes a message that follows the header of the request. Bodies and trailers pass, although a filter
// that is configured as the documentation says does not send them.
func (x *exchange) receive(message *extprocv3.ProcessingRequest) {
	switch m := message.GetRequest().(type) {
	case *extprocv3.ProcessingRequest_ResponseHeaders:
		header, text := responseOf(m.ResponseHeaders.GetHeaders())
		code, err := strconv.Atoi(text)
		if err != nil || code < 100 || code > 999 {
			x.fail(status.Error(codes.InvalidArgument, "corsrpc: the header of the response has no valid :status"))
		}
		x.response, x.received = header, code
		x.processor.seen.Store(true)
	case *extprocv3.ProcessingRequest_RequestBody:
		x.check(x.stream.Send(&extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_RequestBody{RequestBody: &extprocv3.BodyResponse{}}}))
	case *extprocv3.ProcessingRequest_RequestTrailers:
		x.check(x.stream.Send(&extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_RequestTrailers{RequestTrailers: &extprocv3.TrailersResponse{}}}))
	default:
		x.fail(x.processor.misconfigured(codes.InvalidArgument, fmt.Sprintf("a %T came before the header of a response: set response_header_mode to SEND in processing_mode", m)))
	}
}

// check ends the exchange if there is an error.
func (x *exchange) check(err error) {
	if err != nil {
		x.fail(err)
	}
}

// fail ends the exchange. The policy's handlers are left as those of a server whose client is gone.
func (x *exchange) fail(err error) {
	x.failed = err
	panic(http.ErrAbortHandler)
}

// finish sends what the policy has decided, if it has not been sent yet.
func (x *exchange) finish() error {
	switch {
	case !x.forwarded:
		return x.stream.Send(immediate(max(x.status, http.StatusOK), x.header, x.body))
	case x.untouched:
		return nil
	case x.status != x.received || len(x.body) > 0:
		return status.Error(codes.Internal, "corsrpc: the policy has replaced the response of the server, which this processor does not do")
	}
	return x.stream.Send(continueResponse(mutation(x.response, x.header)))
}

// clone copies a header, with slices that its owner may change.
func clone(h http.Header) http.Header {
	c := make(http.Header, len(h))
	for name, values := range h {
		c[name] = slices.Clone(values)
	}
	return c
}
