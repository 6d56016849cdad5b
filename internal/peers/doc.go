// Package peers compares how corsrpc and five other libraries treat dangerous CORS
// configurations. It has only tests.
//
// The tests load each configuration, open a page of an attacker's origin in a simulated
// browser, and call the server with the visitor's cookies. The result of each configuration is
// in MISCONFIGURATIONS.md.
package peers
