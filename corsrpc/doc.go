// Package corsrpc lets scripts on other origins call an RPC server, as far as
// a policy allows it. It is a CORS middleware for Connect, gRPC-Web and
// grpc-go servers that knows these protocols and the server's schema.
//
// # Getting started
//
// Write a policy, usually as YAML. The message corsrpc.v1.Policy in
// proto/corsrpc/v1/policy.proto documents every field:
//
//	defaults:
//	  allow_origins: [https://app.example.com]
//
// Load checks the policy against the services that are linked into the program
// and returns a Layer. Wrap it around the handlers that connect-go or
// grpc-go generate:
//
//	layer, err := corsrpc.Load("cors.yaml")
//	if err != nil {
//		log.Fatal(err) // lists every problem with file, line and column
//	}
//	http.ListenAndServe(addr, layer.Wrap(mux))
//
// The layer answers preflights, refuses calls that the policy does not allow
// before the handler runs, and exposes the headers of each response to the
// script: metadata, trailers and the status of errors. A policy does not list
// the headers that the protocols need: the layer grants these by itself.
//
// # While the server runs
//
// Layer.Watch reloads the policy file when it changes, and origin sources
// (WithOriginSource), such as a table of customers' domains (package corssql).
// A change is checked as a whole and put in force in one step; an invalid
// policy changes nothing.
//
// # When a call fails
//
// The log has every reason for a refusal, the place in the policy, and a
// remedy. Package corsinspect serves a page that shows recent decisions and
// tries requests. Package corsotel records metrics. WithExplain lets the page's
// script read the reason and the remedy, for development. Layer.CheckOrigin
// checks the origin of a WebSocket handshake.
//
// # Parts
//
// ParsePolicy parses a text into a Document. Compile checks a policy and
// compiles it into a Plan. Plan.Findings returns what deserves a look in a
// policy that loads. Plan.Decide returns the Decision on a request, and
// Decision.Apply writes the header fields of its response. Layer.Wrap is a
// handler that does both. Decide and Apply have no side effects, so tests and
// tools can call them to find out what the layer does.
package corsrpc
