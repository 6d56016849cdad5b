// Package routers holds the layer against routers, proxies and servers that read a
// path in ways of their own. It has tests only.
//
// A policy is drawn at random and put in front of one server after another, each of
// which has a handler for every rule. Whatever the spelling of a path, no handler may
// run for an origin that its own rule does not allow, and the rule that decided has
// to be the handler's. The layer may refuse more than it must.
package routers
