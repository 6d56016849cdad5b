package gatewayfile

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// schemes are those of upstreams.
var schemes = []string{"grpc", "grpcs", "h2c", "http", "https"}

// checkUpstreams checks the upstreams.
func (c *checker) checkUpstreams() {
	if len(c.gateway.GetUpstreams()) == 0 {
		c.missing("upstreams", `a list such as [{name: api, url: "grpc://127.0.0.1:9090"}]`)
	}
	names := map[string]string{}
	for i, u := range c.gateway.GetUpstreams() {
		field := fmt.Sprintf("upstreams[%d]", i)
		c.checkName(field+".name", u.GetName(), names)
		secure := c.checkURL(field+".url", u.GetUrl())
		if tls := u.GetTls(); tls != nil {
			if !secure {
				c.fail(field+".tls", CodeFieldMisplaced, "", "is for upstreams with TLS", "a url with the scheme grpcs or https, or leave tls out")
			}
			c.checkPair(field+".tls", tls.GetCertificate(), tls.GetKey(), false)
			if tls.GetCa() != "" {
				c.checkFile(field+".tls.ca", tls.GetCa())
			}
			if name := tls.GetServerName(); name != "" && !isHostName(strings.ToLower(name)) && !isAddress(name) {
				c.fail(field+".tls.server_name", CodeHost, name, "is neither a name nor an IP address", "a name such as api.internal")
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
	for i, u := range c.gateway.GetUpstreams() {
		used := slices.ContainsFunc(c.gateway.GetVirtualHosts(), func(h *corsrpcv1.VirtualHost) bool {
			return slices.ContainsFunc(h.GetRoutes(), func(r *corsrpcv1.Route) bool { return r.GetUpstream() == u.GetName() })
		})
		if !used && isName(u.GetName()) {
			c.fail(fmt.Sprintf("upstreams[%d].name", i), CodeUpstreamUnused, u.GetName(), "is an upstream without a route", "a route to it, or remove the upstream")
		}
	}
}

func isAddress(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

// checkURL checks the URL of an upstream, and reports whether it is one with TLS.
func (c *checker) checkURL(field, text string) (secure bool) {
	if text == "" {
		c.missing(field, "a URL such as grpc://127.0.0.1:9090")
		return false
	}
	fail := func(reason, fix string) bool {
		c.fail(field, CodeURL, withoutUser(text), reason, fix)
		return false
	}
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		fix := "grpc://" + text + " for a gRPC server, or http://" + text
		if u, err := url.Parse("grpc://" + text); err != nil || u.Host != text {
			fix = "a URL such as grpc://127.0.0.1:9090"
		}
		return fail("has no scheme, which says how the server is called: grpc, grpcs, h2c, http or https", fix)
	}
	if !slices.Contains(schemes, scheme) {
		return fail("has a scheme that is none of grpc, grpcs, h2c, http and https", "grpc:// for a gRPC server without TLS, grpcs:// with TLS, or http:// or https:// for another server")
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return fail("does not name a host", "a URL such as grpc://127.0.0.1:9090")
	}
	host := strings.ToLower(u.Hostname())
	port := u.Port()
	n, err := strconv.ParseUint(port, 10, 16)
	switch {
	case !isHostName(host) && !isAddress(host):
		return fail("has a host that is neither a name nor an IP address", "a URL such as grpc://127.0.0.1:9090")
	case port == "" && strings.HasSuffix(u.Host, ":"), port != "" && (err != nil || n == 0):
		return fail("has no valid port, which is a number from 1 to 65535", scheme+"://"+bracketed(host)+":9090")
	case u.User != nil:
		return fail("has a user name, which is not sent to upstreams", scheme+"://"+u.Host)
	case u.Path != "" || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(rest, "?#"):
		return fail("has more than a scheme, a host and a port; strip_prefix of a route removes a prefix from paths", scheme+"://"+u.Host)
	}
	return scheme == "grpcs" || scheme == "https"
}

// bracketed returns a host as a URL has it.
func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// withoutUser returns a URL without a user name and a password.
func withoutUser(text string) string {
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		scheme, _, _ := strings.Cut(text, "://")
		return scheme + "://" + text[at+1:]
	}
	return text
}
