package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	clockv1 "github.com/corsrpc/corsrpc-go/examples/grpc/gen/clock/v1"
)

// TestGRPC: the example serves programs and pages on one port.
func TestGRPC(t *testing.T) {
	server, err := newServer("", "cors.yaml")
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()

	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := clockv1.NewClockServiceClient(conn)
	if got, err := client.Now(t.Context(), &clockv1.NowRequest{}); err != nil || !got.GetTime().IsValid() {
		t.Errorf("%v, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ticks, err := client.Tick(ctx, &clockv1.TickRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ticks.Recv(); err != nil || !got.GetTime().IsValid() {
		t.Errorf("%v, %v", got, err)
	}

	tests := []struct {
		origin, contentType, body string
		status                    int
		prefix                    string // of the response body
	}{
		{"https://app.example.com", "application/grpc-web+proto", "\x00\x00\x00\x00\x00", http.StatusOK, "\x00\x00\x00\x00"},
		{"https://app.example.com", "application/grpc-web-text+proto", "AAAAAAA=", http.StatusOK, "AAAA"},
		{"https://evil.example", "application/grpc-web+proto", "\x00\x00\x00\x00\x00", http.StatusForbidden, ""},
	}
	for _, test := range tests {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
			"http://"+listener.Addr().String()+"/clock.v1.ClockService/Now", strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", test.origin)
		r.Header.Set("Content-Type", test.contentType)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != test.status || !strings.HasPrefix(string(body), test.prefix) {
			t.Errorf("%s from %s: %d %q, %v", test.contentType, test.origin, res.StatusCode, body, err)
		}
		if allowed := res.Header.Get("Access-Control-Allow-Origin") == test.origin; allowed != (test.status == http.StatusOK) {
			t.Errorf("%s from %s: %v", test.contentType, test.origin, res.Header)
		}
	}
}
