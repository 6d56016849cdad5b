package gateway

import "context"

// front is the side of a program at which requests arrive: the public port of the gateway, or the port at which
// Envoy asks the external processor.
type front interface {
	// address returns the address at which it listens.
	address() string
	// serve begins to serve. An end without shutdown or close is sent to ended.
	serve()
	ended() <-chan error
	// shutdown takes no new request, and returns when every request has ended, or with the context's error.
	shutdown(ctx context.Context) error
	// close ends all requests.
	close() error
}
