package corsgrpc_test

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	statuspb "google.golang.org/genproto/googleapis/rpc/status"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsgrpc"
)

// webHandler returns the handler of the service for gRPC-Web in both modes, without a
// layer.
func webHandler(s *service, opts ...grpc.ServerOption) http.Handler {
	return corsgrpc.Text(corsgrpc.Handler(newServer(s, opts...)))
}

const (
	wantHead    = "x-head: head-%, x-head-bin: AQID, x-many: 1|2"
	wantTrail   = ", x-mixed-case: m, x-trail: trail-%, x-trail-bin: /wA"
	wantMessage = "grpc-message: on purpose: 100 %25 d%C3%A9j%C3%A0 vu%0D%0A, grpc-status: 9, grpc-status-details-bin: DETAILS"
)

// TestCalls: over gRPC-Web, in both modes and over both versions of HTTP, a client
// gets the metadata, messages and trailers that grpc-go sent, for each kind of call.
func TestCalls(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, method, request string
		messages              []string
		head, trailers        string // % is the method
	}{
		{"unary", "Greet", "Ada", []string{"Hello, Ada"}, wantHead, "grpc-status: 0" + wantTrail},
		{"unary, empty message", "Greet", "", []string{"Hello, "}, wantHead, "grpc-status: 0" + wantTrail},
		{"unary error", "Fail", "on purpose", nil, wantHead, wantMessage + wantTrail},
		{"server stream", "Count", "3", []string{"1", "2", "3"}, wantHead, "grpc-status: 0" + wantTrail},
		{"long server stream", "Count", "1000", numbers(1000), wantHead, "grpc-status: 0" + wantTrail},
		{"empty server stream", "Silence", "", nil, wantHead, "grpc-status: 0" + wantTrail},
		{"stream error before the first message", "FailAfter", "0", nil, wantHead, wantMessage + wantTrail},
		{"stream error after two messages", "FailAfter", "2", []string{"1", "2"}, wantHead, wantMessage + wantTrail},
		{"no such method", "Nothing", "", nil, "", "grpc-message: unknown method Nothing for service test.v1.TestService, grpc-status: 12"},
	}
	onWires(t, func(t *testing.T, w wire) {
		url, client := w.start(t, webHandler(newService()))
		for _, m := range modes {
			for _, test := range tests {
				t.Run(m.name+"/"+test.name, func(t *testing.T) {
					t.Parallel()
					got := send(t, client, m.request(t, url, test.method, frame(t, test.request)))
					if got.status != http.StatusOK || got.header.Get("Content-Type") != m.contentType {
						t.Errorf("%d %s", got.status, got.header.Get("Content-Type"))
					}
					if got.header.Get("Date") == "" {
						t.Error("no Date")
					}
					if !slices.Equal(got.messages, test.messages) {
						t.Errorf("messages %q, want %q", got.messages, test.messages)
					}
					if head, want := metadataIn(got.header), strings.ReplaceAll(test.head, "%", test.method); head != want {
						t.Errorf("headers %q, want %q", head, want)
					}
					if d := got.trailers["grpc-status-details-bin"]; len(d) == 1 {
						checkDetails(t, d[0])
						got.trailers["grpc-status-details-bin"] = []string{"DETAILS"}
					}
					want := strings.ReplaceAll(test.trailers, "trail-%", "trail-"+test.method)
					if trailers := lines(got.trailers); trailers != want {
						t.Errorf("trailers %q, want %q", trailers, want)
					}
				})
			}
		}
	})
}

func numbers(n int) (texts []string) {
	for i := range n {
		texts = append(texts, itoa(i+1))
	}
	return texts
}

func checkDetails(t *testing.T, encoded string) {
	t.Helper()
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
	if err != nil {
		t.Fatal(err)
	}
	var st statuspb.Status
	var detail wrapperspb.StringValue
	if err := proto.Unmarshal(raw, &st); err != nil || len(st.GetDetails()) != 1 {
		t.Fatalf("%v, %v", &st, err)
	}
	if err := st.GetDetails()[0].UnmarshalTo(&detail); err != nil || detail.GetValue() != "detail" {
		t.Errorf("the detail is %v, %v", &detail, err)
	}
}

// TestStreamsAreNotHeldBack: the header and each message are sent at once. Otherwise
// the test would not end, since the service sends nothing more until they are read.
func TestStreamsAreNotHeldBack(t *testing.T) {
	t.Parallel()
	onWires(t, func(t *testing.T, w wire) {
		for _, m := range modes {
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				s := newService()
				url, client := w.start(t, webHandler(s))
				head, err := client.Do(m.request(t, url, "HeadFirst", frame(t, "")))
				if err != nil {
					t.Fatal(err)
				}
				defer head.Body.Close()
				if got := metadataIn(head.Header); got != strings.ReplaceAll(wantHead, "%", "HeadFirst") {
					t.Errorf("headers %q", got)
				}
				hold, err := client.Do(m.request(t, url, "Hold", frame(t, "")))
				if err != nil {
					t.Fatal(err)
				}
				defer hold.Body.Close()
				first := frame(t, "the first") // its length is not a multiple of three
				want := string(first)
				if m.text {
					want = base64.StdEncoding.EncodeToString(first)
				}
				read := make([]byte, len(want))
				if _, err := io.ReadFull(hold.Body, read); err != nil || string(read) != want {
					t.Fatalf("%q, %v", read, err)
				}
				close(s.release)
				for _, res := range []*http.Response{head, hold} {
					if _, err := io.ReadAll(res.Body); err != nil {
						t.Error(err)
					}
				}
			})
		}
	})
}

// TestCancellation: the handler's context is cancelled when the client disconnects.
func TestCancellation(t *testing.T) {
	t.Parallel()
	onWires(t, func(t *testing.T, w wire) {
		for _, m := range modes {
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				s := newService()
				url, client := w.start(t, webHandler(s))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				res, err := client.Do(m.request(t, url, "Wait", frame(t, "")).WithContext(ctx))
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				if _, err := io.ReadFull(res.Body, make([]byte, 5)); err != nil {
					t.Fatal(err)
				}
				cancel()
				if err := <-s.ended; err != context.Canceled {
					t.Errorf("the handler's context ended with %v", err)
				}
			})
		}
	})
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	onWires(t, func(t *testing.T, w wire) {
		url, client := w.start(t, webHandler(newService()))
		for _, m := range modes {
			r := m.request(t, url, "Deadline", frame(t, ""))
			r.Header.Set("Grpc-Timeout", "20m")
			if got := send(t, client, r); lines(got.trailers) != "grpc-message: context deadline exceeded, grpc-status: 4" {
				t.Errorf("%+v", got)
			}
			r = m.request(t, url, "Deadline", frame(t, ""))
			r.Header.Set("Grpc-Timeout", "soon")
			if got := send(t, client, r); got.status != http.StatusBadRequest || got.header.Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("a malformed timeout: %+v", got)
			}
		}
	})
}

// TestMessageSizeLimit: grpc-go's limit on the size of a message applies to gRPC-Web
// requests, and the client gets its status.
func TestMessageSizeLimit(t *testing.T) {
	t.Parallel()
	onWires(t, func(t *testing.T, w wire) {
		url, client := w.start(t, webHandler(newService(), grpc.MaxRecvMsgSize(1000), grpc.MaxSendMsgSize(2000)))
		for _, m := range modes {
			got := send(t, client, m.request(t, url, "Greet", frame(t, strings.Repeat("x", 990))))
			if len(got.messages) != 1 {
				t.Errorf("within the limit: %+v", got)
			}
			got = send(t, client, m.request(t, url, "Greet", frame(t, strings.Repeat("x", 200_000))))
			if want := "grpc-message: grpc: received message larger than max (200004 vs. 1000), grpc-status: 8"; lines(got.trailers) != want {
				t.Errorf("%q, want %q", lines(got.trailers), want)
			}
		}
	})
}

// TestNativeGRPCPassesThrough: gRPC requests reach the handler unchanged, on the same
// port as gRPC-Web requests.
func TestNativeGRPCPassesThrough(t *testing.T) {
	t.Parallel()
	base, _ := wires[1].start(t, webHandler(newService()))
	conn, err := grpc.NewClient(strings.TrimPrefix(base, "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var header, trailer metadata.MD
	var out wrapperspb.StringValue
	err = conn.Invoke(t.Context(), "/test.v1.TestService/Greet", wrapperspb.String("Ada"), &out, grpc.Header(&header), grpc.Trailer(&trailer))
	if err != nil || out.GetValue() != "Hello, Ada" || header.Get("x-head")[0] != "head-Greet" || trailer.Get("x-trail")[0] != "trail-Greet" {
		t.Errorf("%v %v %v %v", err, &out, header, trailer)
	}
	err = conn.Invoke(t.Context(), "/test.v1.TestService/Fail", wrapperspb.String("why"), &out)
	if st := status.Convert(err); st.Code() != codes.FailedPrecondition || len(st.Details()) != 1 {
		t.Errorf("%v", err)
	}
	// The handler gets the same request and writer, not copies.
	var same bool
	r, w := httptestRequest("POST", "application/grpc+proto", "")
	corsgrpc.Text(corsgrpc.Handler(http.HandlerFunc(func(gotW http.ResponseWriter, gotR *http.Request) {
		same = gotW == http.ResponseWriter(w) && gotR == r
	}))).ServeHTTP(w, r)
	if !same {
		t.Error("the handler got another request or writer")
	}
}

// TestProxy: the handler can be a reverse proxy to a gRPC server.
func TestProxy(t *testing.T) {
	t.Parallel()
	upstream, viaH2 := wires[1].start(t, newServer(newService()))
	target, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = viaH2.Transport
	onWires(t, func(t *testing.T, w wire) {
		base, client := w.start(t, corsgrpc.Text(corsgrpc.Handler(proxy)))
		for _, m := range modes {
			got := send(t, client, m.request(t, base, "FailAfter", frame(t, "2")))
			if !slices.Equal(got.messages, []string{"1", "2"}) || got.trailers["grpc-status"] == nil || got.trailers["x-trail"] == nil ||
				metadataIn(got.header) != strings.ReplaceAll(wantHead, "%", "FailAfter") {
				t.Errorf("%+v", got)
			}
			got = send(t, client, m.request(t, base, "Count", frame(t, "2")))
			if !slices.Equal(got.messages, []string{"1", "2"}) || !strings.HasPrefix(lines(got.trailers), "grpc-status: 0, x-mixed-case: m") {
				t.Errorf("%+v", got)
			}
		}
	})
}
