package corsgrpc_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsgrpc"
)

// connectHandler serves two methods of the service with connect-go.
func connectHandler() http.Handler {
	mux := http.NewServeMux()
	const greet, count = "/test.v1.TestService/Greet", "/test.v1.TestService/Count"
	mux.Handle(greet, connect.NewUnaryHandler(greet, func(_ context.Context, r *connect.Request[wrapperspb.StringValue]) (*connect.Response[wrapperspb.StringValue], error) {
		if r.Msg.GetValue() == "" {
			err := connect.NewError(connect.CodeNotFound, errors.New("nobody"))
			err.Meta().Set("X-Error", "e")
			return nil, err
		}
		res := connect.NewResponse(wrapperspb.String("Hello, " + r.Msg.GetValue()))
		res.Header().Set("X-Head", "h")
		res.Trailer().Set("X-Trail", "t")
		return res, nil
	}))
	mux.Handle(count, connect.NewServerStreamHandler(count, func(_ context.Context, r *connect.Request[wrapperspb.StringValue], s *connect.ServerStream[wrapperspb.StringValue]) error {
		s.ResponseHeader().Set("X-Head", "h")
		s.ResponseTrailer().Set("X-Trail", "t")
		for _, n := range strings.Fields(r.Msg.GetValue()) {
			if err := s.Send(wrapperspb.String(n)); err != nil {
				return err
			}
		}
		return connect.NewError(connect.CodeAborted, errors.New("enough"))
	}))
	return mux
}

// TestTextBeforeConnect: Text adds the text mode to connect-go's handlers, and does
// not change other protocols.
func TestTextBeforeConnect(t *testing.T) {
	t.Parallel()
	onWires(t, func(t *testing.T, w wire) {
		url, client := w.start(t, corsgrpc.Text(connectHandler()))
		tests := []struct {
			method, request string
			messages        []string
			header          string
			trailers        string
		}{
			{"Greet", "Ada", []string{"Hello, Ada"}, "x-head: h", "grpc-status: 0, x-trail: t"},
			{"Greet", "", nil, "x-error: e", ""}, // connect-go sends the whole status in the header, with Flush
			{"Count", "1 22 333 4444", []string{"1", "22", "333", "4444"}, "x-head: h", "grpc-message: enough, grpc-status: 10, x-trail: t"},
		}
		for _, m := range modes {
			for _, test := range tests {
				got := send(t, client, m.request(t, url, test.method, frame(t, test.request)))
				delete(got.trailers, "grpc-status-details-bin")
				if !slices.Equal(got.messages, test.messages) || metadataIn(got.header) != test.header || lines(got.trailers) != test.trailers {
					t.Errorf("%s, %s %q: %+v", m.name, test.method, test.request, got)
				}
				if got.header.Get("Content-Type") != m.contentType {
					t.Errorf("%s", got.header.Get("Content-Type"))
				}
				if code := got.header.Get("Grpc-Status"); test.trailers == "" && code != "5" {
					t.Errorf("%s: the status in the headers is %q, want 5", m.name, code)
				}
			}
		}
		call := connect.NewClient[wrapperspb.StringValue, wrapperspb.StringValue](client, url+"/test.v1.TestService/Greet")
		if res, err := call.CallUnary(t.Context(), connect.NewRequest(wrapperspb.String("Ada"))); err != nil || res.Trailer().Get("X-Trail") != "t" {
			t.Errorf("over Connect: %v", err)
		}
		for _, body := range []string{"====", "AAAA", "A"} { // the second decodes to a part of a frame header
			r := textMode.request(t, url, "Greet", nil)
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
			got := send(t, client, r)
			if status := got.header.Get("Grpc-Status") + strings.Join(got.trailers["grpc-status"], ""); status != "3" && status != "13" {
				t.Errorf("%q gives %+v, want a protocol error", body, got)
			}
		}
	})
}

// TestTextOfAHandlerWithALength: the Content-Length of the handler, which is that of
// the decoded body, is not sent.
func TestTextOfAHandlerWithALength(t *testing.T) {
	t.Parallel()
	url, client := wires[0].start(t, corsgrpc.Text(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Content-Type", "application/grpc-web+proto")
		w.Header().Set("Content-Length", "5")
		_, _ = w.Write(rawFrame(0, nil))
	})))
	if got := send(t, client, textMode.request(t, url, "Greet", nil)); len(got.messages) != 1 {
		t.Errorf("%+v", got)
	}
}

// TestConnectClient: connect-go's client, which checks the protocol strictly, reads
// grpc-go's metadata, messages and errors.
func TestConnectClient(t *testing.T) {
	t.Parallel()
	onWires(t, func(t *testing.T, w wire) {
		url, client := w.start(t, webHandler(newService()))
		dial := func(method string, opts ...connect.ClientOption) *connect.Client[wrapperspb.StringValue, wrapperspb.StringValue] {
			return connect.NewClient[wrapperspb.StringValue, wrapperspb.StringValue](client, url+"/test.v1.TestService/"+method, append(opts, connect.WithGRPCWeb())...)
		}
		res, err := dial("Greet").CallUnary(t.Context(), connect.NewRequest(wrapperspb.String("Ada")))
		if err != nil || res.Msg.GetValue() != "Hello, Ada" || res.Header().Get("X-Head") != "head-Greet" || res.Trailer().Get("X-Trail") != "trail-Greet" {
			t.Errorf("%v %v", res, err)
		}
		_, err = dial("Fail").CallUnary(t.Context(), connect.NewRequest(wrapperspb.String("why")))
		var failure *connect.Error
		if !errors.As(err, &failure) || failure.Code() != connect.CodeFailedPrecondition || failure.Message() != "why: 100 % déjà vu\r\n" || len(failure.Details()) != 1 {
			t.Errorf("%v", err)
		}
		stream, err := dial("FailAfter").CallServerStream(t.Context(), connect.NewRequest(wrapperspb.String("3")))
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		read := 0
		for stream.Receive() {
			read++
		}
		if connect.CodeOf(stream.Err()) != connect.CodeFailedPrecondition || read != 3 {
			t.Errorf("%d messages, %v", read, stream.Err())
		}
	})
}
