// Package proxies measures what proxies cost, each of them one or more processes between a client and a server of this
// process. One client calls them in turn, in rounds, so that a slow moment of the machine affects all of them.
package proxies
