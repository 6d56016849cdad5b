package gatewayfile

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// schemes are those of upstreams.
var schemes = []string{"grpc", "grpcs", "h2c", "http", "https"}

// checkUpstreams checks the upstreams.
func (c *checker) checkUpstreams() {
	if len(c.gateway.GetUpstreams()) == 0 && c.program == Gateway {
		c.missing("upstreams", `a list such as [{name: api, url: "grpc://127.0.0.1:9090"}]`)
	}
	names := map[string]string{}
	for i, u := range c.gateway.GetUpstreams() {
		field := fmt.Sprintf("upstreams[%d]", i)
		c.checkName(field+".name", u.GetName(), names)
		secure := false
		if c.program == Gateway || u.GetReflect() || u.GetUrl() != "" {
			secure = c.checkURL(field+".url", u.GetUrl())
		}
		if tls := u.GetTls(); tls != nil {
			if !secure && !c.reported[field+".url"] {
				c.fail(field+".tls", CodeFieldMisplaced, "", "is for upstreams with TLS", c.secureURL(u.GetUrl()))
			}
			c.checkPair(field+".tls", tls.GetCertificate(), tls.GetKey(), false)
			if tls.GetCa() != "" {
				c.checkFile(field+".tls.ca", tls.GetCa())
			}
			if name := tls.GetServerName(); name != "" && !isHostName(strings.ToLower(name)) && !isAddress(name) {
				fix := "a name such as api.internal"
				if plain, ok := canonicalHost(name, false); ok {
					fix = plain
				}
				c.fail(field+".tls.server_name", CodeHost, name, "is neither a name nor an IP address", fix)
			}
		}
		for j, name := range u.GetDescriptors() {
			c.checkFile(fmt.Sprintf("%s.descriptors[%d]", field, j), name)
		}
		c.checkDuration(field+".connect_timeout", u.GetConnectTimeout(), 1e6)
		c.checkDuration(field+".response_timeout", u.GetResponseTimeout(), 0)
		if n := u.GetMaxResponseHeaderBytes(); n < 0 || n > 0 && n < 4096 || n > 64<<20 {
			c.fail(field+".max_response_header_bytes", CodeRange, strconv.FormatInt(n, 10), "is not between 4096 and 67108864", "1048576")
		}
	}
}

// checkUnused checks that each upstream has a route. If a route has a problem, it may be the one that is missing.
func (c *checker) checkUnused() {
	used := map[string]bool{}
	for i, h := range c.gateway.GetVirtualHosts() {
		if c.program == Processor && len(h.GetRoutes()) == 0 {
			return // the virtual host has the schema of all upstreams
		}
		for j, r := range h.GetRoutes() {
			used[r.GetUpstream()] = true
			if r.GetUpstream() == "" || c.reported[fmt.Sprintf("virtual_hosts[%d].routes[%d].upstream", i, j)] {
				return
			}
		}
	}
	if c.unreadable("virtual_hosts") || len(used) == 0 {
		return
	}
	for i, u := range c.gateway.GetUpstreams() {
		if !used[u.GetName()] && isName(u.GetName()) {
			c.fail(fmt.Sprintf("upstreams[%d].name", i), CodeUpstreamUnused, u.GetName(), "is an upstream without a route", "a route to it, or remove the upstream")
		}
	}
}

// checkURL checks the URL of an upstream, and reports whether it is one with TLS.
func (c *checker) checkURL(field, text string) (secure bool) {
	if text == "" {
		c.missing(field, "a URL such as grpc://127.0.0.1:9090")
		return false
	}
	fail := func(reason, fix string) bool {
		c.fail(field, CodeURL, text, reason, fix)
		return false
	}
	const example = "a URL such as grpc://127.0.0.1:9090"
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		fix := example
		if u, err := url.Parse("grpc://" + text); err == nil && u.Host == text && isUpstreamHost(u.Hostname()) {
			fix = "grpc://" + text + " for a gRPC server, or http://" + text
		}
		return fail("has no scheme, which says how the server is called: grpc, grpcs, h2c, http or https", fix)
	}
	if !slices.Contains(schemes, scheme) {
		fix := "grpc:// for a gRPC server without TLS, grpcs:// with TLS, or http:// or https:// for another server"
		if meant, ok := meantScheme(scheme); ok {
			fix = meant + "://" + rest
		}
		return fail("has another scheme than grpc, grpcs, h2c, http and https", fix)
	}
	u, err := url.Parse(text)
	if err != nil && strings.Contains(rest, "${") {
		return fail("has ${, but only the URLs of origin sources have environment variables", example)
	}
	if err == nil && strings.HasPrefix(u.Host, ":") && isPort(u.Host[1:]) {
		return fail("does not name a host", scheme+"://127.0.0.1"+u.Host)
	}
	if err != nil || u.Hostname() == "" {
		return fail("is not a URL with a host", scheme+"://127.0.0.1:9090, or the host and the port of the server")
	}
	host, port := u.Hostname(), u.Port()
	plain := bracketed(host)
	if port != "" {
		plain += ":" + port
	}
	switch {
	case !isUpstreamHost(host):
		return fail("has a host that is neither a name nor an IP address", example)
	case port == "" && strings.HasSuffix(u.Host, ":"), port != "" && (!isPort(port) || port == "0"):
		return fail("has no valid port, which is a number from 1 to 65535", scheme+"://"+bracketed(host)+":9090, or the port of the server")
	case u.User != nil:
		return fail("has a user name, which is not sent to upstreams", scheme+"://"+plain)
	case strings.ContainsAny(rest, "/?#"):
		return fail("has more than a scheme, a host and a port; strip_prefix of a route removes a prefix from paths", scheme+"://"+plain)
	}
	return scheme == "grpcs" || scheme == "https"
}

// isUpstreamHost reports whether a text is the name or the address of a server. A dot at the end of a name keeps the
// resolver from adding domains to it.
func isUpstreamHost(text string) bool {
	return isAddress(text) || isHostName(strings.ToLower(strings.TrimSuffix(text, ".")))
}

// meantScheme returns the scheme that another one means. Its meaning is known where a proxy or a library has it.
func meantScheme(scheme string) (meant string, ok bool) {
	scheme = strings.ToLower(scheme)
	if slices.Contains(schemes, scheme) {
		return scheme, true
	}
	meant, ok = map[string]string{
		"grpc+insecure": "grpc", "grpc-insecure": "grpc", "grpc+tls": "grpcs", "grpc+ssl": "grpcs", "grpctls": "grpcs", "http2": "h2c", "h2": "https", "tcp": "grpc",
	}[scheme]
	return meant, ok
}

// secureURL says how to make TLS of an upstream fit its URL.
func (c *checker) secureURL(text string) string {
	out := ", or leave tls out"
	if c.flags {
		out = ", or leave it out"
	}
	scheme, rest, _ := strings.Cut(text, "://")
	if scheme = map[string]string{"grpc": "grpcs", "h2c": "https", "http": "https"}[scheme]; scheme != "" {
		return scheme + "://" + rest + " as its URL" + out
	}
	return "a URL with the scheme grpcs or https" + out
}

// bracketed returns a host as a URL has it.
func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}
