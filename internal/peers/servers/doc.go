// Package servers proves the tables of corsrpc/docs/coming-from-servers.md. It has only tests.
//
// Each row of a table is a line of CORS configuration of a server that is not in Go, and the lines of a policy that
// take its place. The tests start the real program, with a virtual host for each row, and corsrpc gateway, with a
// policy for each row. A simulated browser makes the same calls to both. Each difference has to be one that the row
// names, or one that the page names for the whole program, and each that is named has to occur.
//
// The rows of Envoy run under the build tag fleet (make fleet).
package servers
