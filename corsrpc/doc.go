// Package corsrpc lets browser pages on other origins call RPC services, and
// nobody else: a CORS layer that knows the protocols (Connect, gRPC-Web) and
// the schema.
//
// A policy, a protobuf message usually written in YAML, says who may call:
//
//	defaults:
//	  allow_origins: [https://app.example.com]
//
// Load checks it whole and returns a Layer, which wraps the handlers that
// connect-go or grpc-go generate:
//
//	layer, err := corsrpc.Load("cors.yaml")
//	if err != nil {
//		log.Fatal(err) // lists every problem with file, line and column
//	}
//	http.ListenAndServe(addr, layer.Wrap(mux))
//
// The layer answers preflights, refuses calls that no rule grants before the
// handler runs, and exposes to scripts what each response carries: metadata,
// trailers, errors. What the clients of the protocols send needs no mention.
//
// While it runs, Layer.Watch follows the policy's file and the origin sources, such
// as a table of customers' domains (package corssql): what changes is checked whole
// and put in force in one step.
//
// What it refuses is in the log, with the place in the policy; package corsinspect is a
// page that shows all of it and tries requests, package corsotel has metrics, and
// WithExplain has answers say what to write. Layer.CheckOrigin guards WebSockets.
//
// The parts: ParsePolicy reads text into a Document, Compile makes a Plan of a
// policy and the linked-in services, Plan.Decide says what becomes of a
// request, Decision.Apply what its answer carries, and Layer.Wrap carries both
// out. Decide and Apply are pure, so that tests and tools can ask what the
// layer would do.
package corsrpc
