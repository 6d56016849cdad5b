// Package probed proves the subcommand probe of the command corsrpc. It has only tests.
//
// The tests start servers, each with one planted fault, and servers without a fault. They run the
// built command against each over a socket, as users do. Each planted fault has to be found, and
// none may be invented. The results are in PROBED.md.
package probed
