// Package alternatives measures what corsrpc and other ways to CORS do with the same calls. It
// has only tests, which write the tables of corsrpc/docs/alternatives.md.
//
// TestTables runs the Go libraries. The rows of Envoy's own filter are in envoy.json. The test of the
// real Envoy, which needs the build tag fleet, compares them or writes them.
package alternatives
