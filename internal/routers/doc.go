// Package routers tests the layer with routers, proxies and servers that interpret paths in
// different ways. It has only tests.
//
// The tests draw random policies. A server has a handler for each rule of a policy, and the
// layer is in front of it. For any spelling of a path, a handler must not run for an origin
// that the handler's rule does not allow, and the layer must decide by the handler's rule. The
// layer may refuse more requests than necessary.
package routers
