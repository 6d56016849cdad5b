package corsgrpc_test

import (
	"context"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// service is a grpc-go service without generated code. Requests and responses
// are strings.
type service struct {
	ended   chan error    // receives the context's error when Wait returns
	release chan struct{} // Hold sends its second message, and HeadFirst returns, when it is closed
}

func newService() *service {
	return &service{ended: make(chan error, 1), release: make(chan struct{})}
}

// newServer returns a grpc-go server of the service.
func newServer(s *service, opts ...grpc.ServerOption) *grpc.Server {
	server := grpc.NewServer(opts...)
	unary := func(name string, serve func(context.Context, string) (string, error)) grpc.MethodDesc {
		return grpc.MethodDesc{MethodName: name, Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			var in wrapperspb.StringValue
			if err := decode(&in); err != nil {
				return nil, err
			}
			out, err := serve(ctx, in.GetValue())
			if err != nil {
				return nil, err
			}
			return wrapperspb.String(out), nil
		}}
	}
	stream := func(name string, serve func(grpc.ServerStream, string) error) grpc.StreamDesc {
		return grpc.StreamDesc{StreamName: name, ServerStreams: true, Handler: func(_ any, stream grpc.ServerStream) error {
			var in wrapperspb.StringValue
			if err := stream.RecvMsg(&in); err != nil {
				return err
			}
			return serve(stream, in.GetValue())
		}}
	}
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "test.v1.TestService",
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{
			unary("Greet", func(ctx context.Context, name string) (string, error) {
				_ = grpc.SetHeader(ctx, head("Greet"))
				_ = grpc.SetTrailer(ctx, trail("Greet"))
				return "Hello, " + name, nil
			}),
			unary("Fail", func(ctx context.Context, why string) (string, error) {
				_ = grpc.SetHeader(ctx, head("Fail"))
				_ = grpc.SetTrailer(ctx, trail("Fail"))
				return "", failure(why)
			}),
			unary("Metadata", func(ctx context.Context, name string) (string, error) {
				md, _ := metadata.FromIncomingContext(ctx)
				return strconv.Quote(joinValues(md.Get(name))), nil
			}),
			unary("Deadline", func(ctx context.Context, _ string) (string, error) {
				<-ctx.Done()
				return "", status.FromContextError(ctx.Err()).Err()
			}),
		},
		Streams: []grpc.StreamDesc{
			stream("Count", func(stream grpc.ServerStream, upTo string) error {
				describe(stream, "Count")
				return count(stream, upTo)
			}),
			stream("Silence", func(stream grpc.ServerStream, _ string) error {
				describe(stream, "Silence")
				return nil
			}),
			stream("FailAfter", func(stream grpc.ServerStream, after string) error {
				describe(stream, "FailAfter")
				if err := count(stream, after); err != nil {
					return err
				}
				return failure("on purpose")
			}),
			stream("HeadFirst", func(stream grpc.ServerStream, _ string) error {
				if err := stream.SendHeader(head("HeadFirst")); err != nil {
					return err
				}
				<-s.release
				stream.SetTrailer(trail("HeadFirst"))
				return nil
			}),
			stream("Hold", func(stream grpc.ServerStream, _ string) error {
				if err := stream.SendMsg(wrapperspb.String("the first")); err != nil {
					return err
				}
				<-s.release
				return stream.SendMsg(wrapperspb.String("second"))
			}),
			stream("Wait", func(stream grpc.ServerStream, _ string) error {
				if err := stream.SendMsg(wrapperspb.String("waiting")); err != nil {
					return err
				}
				<-stream.Context().Done()
				s.ended <- stream.Context().Err()
				return stream.Context().Err()
			}),
		},
	}, nil)
	return server
}

// head returns the header metadata of a method. A "-bin" key has binary values.
func head(method string) metadata.MD {
	return metadata.Pairs("x-head", "head-"+method, "x-many", "1", "x-many", "2", "x-head-bin", "\x01\x02\x03")
}

// trail returns the trailer metadata of a method.
func trail(method string) metadata.MD {
	return metadata.Pairs("x-trail", "trail-"+method, "X-Mixed-Case", "m", "x-trail-bin", "\xff\x00")
}

// describe sets the header and trailer metadata of a method.
func describe(stream grpc.ServerStream, method string) {
	_ = stream.SetHeader(head(method))
	stream.SetTrailer(trail(method))
}

// count sends the numbers from 1 to upTo as messages.
func count(stream grpc.ServerStream, upTo string) error {
	n, err := strconv.Atoi(upTo)
	if err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	for i := 1; i <= n; i++ {
		if err := stream.SendMsg(wrapperspb.String(strconv.Itoa(i))); err != nil {
			return err
		}
	}
	return nil
}

// failure returns an error with a detail, and with a message that needs percent-encoding.
func failure(why string) error {
	st, err := status.New(codes.FailedPrecondition, why+": 100 % déjà vu\r\n").WithDetails(wrapperspb.String("detail"))
	if err != nil {
		return err
	}
	return st.Err()
}

func joinValues(values []string) string {
	text := ""
	for i, v := range values {
		if i > 0 {
			text += "|"
		}
		text += v
	}
	return text
}

// wire is a version of HTTP that browsers use.
type wire struct {
	name string
	h2   bool
}

// wires lists the versions. net/http handles HTTP/2 without TLS as with TLS.
var wires = []wire{{"HTTP/1.1", false}, {"HTTP/2", true}}

// start serves a handler until the test ends, and returns its URL and a client.
func (w wire) start(t testing.TB, h http.Handler) (string, *http.Client) {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server.Config.Protocols = &protocols
	var logged serverLog
	server.Config.ErrorLog = logged.logger()
	server.Start()
	t.Cleanup(func() {
		server.Close()
		if logged.String() != "" {
			t.Errorf("the server logged %s", logged.String())
		}
	})
	transport := &http.Transport{Protocols: new(http.Protocols)}
	if w.h2 {
		transport.Protocols.SetUnencryptedHTTP2(true)
	} else {
		transport.Protocols.SetHTTP1(true)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return server.URL, &http.Client{Transport: transport}
}

// onWires runs a subtest over each version of HTTP.
func onWires(t *testing.T, test func(t *testing.T, w wire)) {
	for _, w := range wires {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			test(t, w)
		})
	}
}

// serverLog collects the log of a server.
type serverLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *serverLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *serverLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *serverLog) logger() *log.Logger { return log.New(l, "", 0) }
