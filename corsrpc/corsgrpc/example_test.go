package corsgrpc_test

import (
	"fmt"
	"net/http/httptest"
	"strings"

	"google.golang.org/grpc"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsgrpc"
)

// A grpc-go server answers a gRPC-Web call to a service that it does not have. A
// server also needs layer.Wrap around the handler, with the layer of corsrpc.New,
// which decides which pages may call it.
func Example() {
	server := grpc.NewServer()
	handler := corsgrpc.Text(corsgrpc.Handler(server))

	request := httptest.NewRequest("POST", "/greet.v1.GreetService/Greet", strings.NewReader("\x00\x00\x00\x00\x00"))
	request.Header.Set("Content-Type", "application/grpc-web+proto")
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)

	fmt.Println(answer.Header().Get("Content-Type"))
	trailers := answer.Body.String()[5:] // after the frame's header
	fmt.Print(strings.ReplaceAll(trailers, "\r", ""))
	// Output:
	// application/grpc-web+proto
	// grpc-status: 12
	// grpc-message: unknown service greet.v1.GreetService
}
