// Package corsenvoy is the layer of package corsrpc as an external processor of Envoy. Envoy sends it the
// header of each request and of each response over gRPC, and carries out what the layer decides: it answers
// preflights, refuses calls before they reach the server, and writes the CORS fields of responses.
//
//	processor, err := corsenvoy.New(layer)
//	server := grpc.NewServer()
//	processor.Register(server)
//
// Envoy's filter envoy.filters.http.ext_proc has to be the first HTTP filter, with headers sent in both
// directions, without bodies and trailers, and with failure_mode_allow false (the default). Filters that
// answer requests themselves, such as jwt_authn, and grpc_web and connect_grpc_bridge stand behind it.
// The command `corsrpc extproc` is this package as a program.
//
// A stream that ends before the layer has decided ends with an error, since Envoy lets a request through
// whose stream ends well.
//
// See https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/ext_proc_filter.
package corsenvoy
