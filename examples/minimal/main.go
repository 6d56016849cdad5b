// Minimal is the shortest complete program: a Connect server that pages of another
// origin may call.
package main

import (
	"context"
	"flag"
	"log"
	"net/http"

	"connectrpc.com/connect"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	greetv1 "github.com/corsrpc/corsrpc-go/examples/minimal/gen/greet/v1"
	"github.com/corsrpc/corsrpc-go/examples/minimal/gen/greet/v1/greetv1connect"
)

// greeter implements the service.
type greeter struct{}

func (greeter) Greet(_ context.Context, r *connect.Request[greetv1.GreetRequest]) (*connect.Response[greetv1.GreetResponse], error) {
	response := connect.NewResponse(&greetv1.GreetResponse{Greeting: "Hello, " + r.Msg.GetName() + "!"})
	response.Trailer().Set("X-Cost", "3") // scripts can read all headers and trailers
	return response, nil
}

// newHandler returns the service with the CORS layer around it.
func newHandler(policy string) (http.Handler, error) {
	layer, err := corsrpc.Load(policy) // err lists every problem with file, line and column
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(greetv1connect.NewGreetServiceHandler(greeter{}))
	return layer.Wrap(mux), nil
}

func main() {
	addr := flag.String("addr", "localhost:8080", "the address to listen on")
	policy := flag.String("policy", "minimal/cors.yaml", "the policy file")
	flag.Parse()
	handler, err := newHandler(*policy)
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening on http://%s", *addr)
	log.Fatal(http.ListenAndServe(*addr, handler))
}
