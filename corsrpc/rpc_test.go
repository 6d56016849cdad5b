package corsrpc_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// connectHandlers are handlers of connect-go: a unary call, a stream, and errors of both.
func connectHandlers() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(getRPC, connect.NewUnaryHandler(getRPC,
		func(_ context.Context, r *connect.Request[wrapperspb.StringValue]) (*connect.Response[wrapperspb.StringValue], error) {
			res := connect.NewResponse(wrapperspb.String("hello " + r.Msg.Value))
			res.Header().Set("X-Head", "h")
			res.Trailer().Set("X-Trail", "t")
			return res, nil
		}, connect.WithIdempotency(connect.IdempotencyNoSideEffects)))
	mux.Handle(listRPC, connect.NewUnaryHandler(listRPC,
		func(context.Context, *connect.Request[wrapperspb.StringValue]) (*connect.Response[wrapperspb.StringValue], error) {
			err := connect.NewError(connect.CodeFailedPrecondition, errors.New("nope"))
			err.Meta().Set("X-Error", "e")
			if d, e := connect.NewErrorDetail(wrapperspb.String("detail")); e == nil {
				err.AddDetail(d)
			}
			return nil, err
		}))
	mux.Handle(watchRPC, connect.NewServerStreamHandler(watchRPC,
		func(_ context.Context, _ *connect.Request[wrapperspb.StringValue], s *connect.ServerStream[wrapperspb.StringValue]) error {
			s.ResponseHeader().Set("X-Head", "h")
			if err := s.Send(wrapperspb.String("one")); err != nil {
				return err
			}
			s.ResponseTrailer().Set("X-Trail", "t")
			return nil
		}))
	return mux
}

const watchRPC = "/acme.catalog.v1.CatalogService/Watch"

// frame returns a message with the prefix of streams and of gRPC.
func frame(body string) string {
	b := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(body)))
	return string(b) + body
}

// TestConnectServer checks over every HTTP version that a script can read what connect-go sends: metadata,
// trailers and errors, where each protocol puts them.
func TestConnectServer(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, method, path, contentType, body string
		status                                int
		exposed                               string
	}{
		{"unary", "POST", getRPC, "application/json", `"you"`, 200, "trailer-x-trail, x-head"},
		{"GET", "GET", getRPC + `?connect=v1&encoding=json&message=%22you%22`, "", "", 200, "trailer-x-trail, x-head"},
		{"unary error", "POST", listRPC, "application/json", `"you"`, 400, "x-error"},
		{"stream", "POST", watchRPC, "application/connect+json", frame(`"you"`), 200, "x-head"},
		{"gRPC-Web unary", "POST", getRPC, "application/grpc-web+json", frame(`"you"`), 200,
			"grpc-message, grpc-status, grpc-status-details-bin, x-head"},
		{"gRPC-Web error, which commits by Flush alone", "POST", listRPC, "application/grpc-web+json", frame(`"you"`), 200,
			"grpc-message, grpc-status, grpc-status-details-bin, x-error"},
		{"gRPC-Web stream", "POST", watchRPC, "application/grpc-web+json", frame(`"you"`), 200,
			"grpc-message, grpc-status, grpc-status-details-bin, x-head"},
		{"unsupported content type", "POST", getRPC, "text/csv", "you", 415, "accept-post"},
		{"unsupported method", "PUT", getRPC, "application/json", "{}", 405, "allow"},
		{"not found", "POST", "/acme.catalog.v1.CatalogService/Nothing", "application/json", "{}", 404, "x-content-type-options"},
	}
	for _, wire := range wires {
		for _, test := range tests {
			t.Run(wire.name+"/"+test.name, func(t *testing.T) {
				t.Parallel()
				layer, log := newLayer(t, allowPage)
				server, client := wire.start(t, layer.Wrap(connectHandlers()))
				header := fromPage()
				header.Set("Content-Type", test.contentType)
				if test.contentType == "" {
					header.Del("Content-Type")
				}
				r, err := http.NewRequestWithContext(t.Context(), test.method, server.URL+test.path, bytes.NewReader([]byte(test.body)))
				if err != nil {
					t.Fatal(err)
				}
				if test.body == "" {
					r.Body = http.NoBody
				}
				r.Header = header
				res, err := client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != test.status {
					t.Errorf("status %d, want %d: %q %v", res.StatusCode, test.status, body, err)
				}
				expectReadable(t, res, test.exposed)
				if log.String() != "" {
					t.Errorf("log: %s", log)
				}
			})
		}
	}
}

// grpcServer returns a grpc-go server with one service, without generated code.
func grpcServer(t *testing.T) *grpc.Server {
	t.Helper()
	handler := func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		if err := decode(&emptypb.Empty{}); err != nil {
			return nil, err
		}
		grpc.SetHeader(ctx, metadata.Pairs("x-head", "h"))
		grpc.SetTrailer(ctx, metadata.Pairs("x-trail", "t"))
		return &emptypb.Empty{}, nil
	}
	failing := func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		if err := decode(&emptypb.Empty{}); err != nil {
			return nil, err
		}
		return nil, status.Error(codes.FailedPrecondition, "nope")
	}
	s := grpc.NewServer()
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: "acme.catalog.v1.CatalogService", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Get", Handler: handler}, {MethodName: "List", Handler: failing}},
	}, struct{}{})
	t.Cleanup(s.Stop)
	return s
}

// TestGRPCServer checks that a native client can call a grpc-go server through the layer.
func TestGRPCServer(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, allowPage)
	server, client := wires[2].start(t, layer.Wrap(grpcServer(t)))
	roots := client.Transport.(*http.Transport).TLSClientConfig.RootCAs
	conn, err := grpc.NewClient(server.Listener.Addr().String(),
		grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(roots, "example.com")))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var header, trailer metadata.MD
	err = conn.Invoke(t.Context(), getRPC, &emptypb.Empty{}, &emptypb.Empty{}, grpc.Header(&header), grpc.Trailer(&trailer))
	if err != nil || header.Get("x-head")[0] != "h" || trailer.Get("x-trail")[0] != "t" {
		t.Errorf("%v %v %v", err, header, trailer)
	}
	if got := header.Get("access-control-allow-origin"); len(got) > 0 {
		t.Errorf("a call without Origin got CORS headers: %q", got)
	}
	err = conn.Invoke(t.Context(), listRPC, &emptypb.Empty{}, &emptypb.Empty{})
	if status.Code(err) != codes.FailedPrecondition {
		t.Errorf("%v", err)
	}

	// A browser can call it only through a bridge; the layer still answers the preflight.
	r, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+getRPC, bytes.NewReader([]byte(frame(""))))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = fromPage()
	r.Header.Set("Content-Type", "application/grpc")
	r.Header.Set("Te", "trailers")
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadAll(res.Body); err != nil {
		t.Fatal(err)
	}
	expectReadable(t, res, "x-head")
	if res.Trailer.Get("Grpc-Status") != "0" {
		t.Errorf("trailers %v", res.Trailer)
	}
}

// TestRefusedCallDoesNotRun checks that a call from an origin that is not allowed does not reach the handler,
// for a Connect GET, a POST and a stream.
func TestRefusedCallDoesNotRun(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, allowPage)
	server, client := wires[0].start(t, layer.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s reached the handler", r.Method, r.URL.Path)
	})))
	message := base64.RawURLEncoding.EncodeToString([]byte(`"x"`))
	for _, contentType := range []string{"application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/grpc-web", ""} {
		header := http.Header{"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"no-cors"}}
		if contentType != "" {
			header.Set("Content-Type", contentType)
		}
		for _, method := range []string{"POST", "GET", "PUT"} {
			res := send(t, client, method, server.URL+getRPC+"?connect=v1&encoding=json&base64=1&message="+message, header)
			if res.StatusCode != http.StatusForbidden || len(res.Header["Access-Control-Allow-Origin"]) > 0 {
				t.Errorf("%s %q: %d %v", method, contentType, res.StatusCode, res.Header)
			}
		}
	}
}
