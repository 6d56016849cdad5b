// Package sizes has the server of the programs below it, which differ in what they put around its handler. Package
// report compares the sizes of the programs; nothing runs them.
package sizes

import (
	"context"
	"log"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Procedure is the path of the server's only procedure.
const Procedure = "/acme.v1.EchoService/Echo"

// Handler returns the handler of a procedure that returns its message.
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(Procedure, connect.NewUnaryHandler(Procedure, func(_ context.Context, r *connect.Request[wrapperspb.StringValue]) (*connect.Response[wrapperspb.StringValue], error) {
		return connect.NewResponse(r.Msg), nil
	}))
	return mux
}

// Serve serves a handler on a port of the machine, and ends the program if that fails.
func Serve(port string, h http.Handler) {
	server := &http.Server{Addr: "localhost:" + port, Handler: h, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// Must returns a value, and ends the program if there is an error.
func Must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
