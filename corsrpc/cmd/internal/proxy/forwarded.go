package proxy

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// discardLog discards what httputil.ReverseProxy logs: the gateway logs failures itself.
var discardLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)

// via is what the gateway adds to Via (RFC 9110, section 7.6.3). It differs for each process, so that a request that
// comes back is recognised.
var via = fmt.Sprintf("corsrpc-%08x", rand.Uint32())

// isBack reports whether this process has forwarded a request already: one of its upstreams leads back to it.
func isBack(r *http.Request) bool {
	return slices.ContainsFunc(r.Header["Via"], func(line string) bool { return strings.Contains(line, via) })
}

// client is what is known about the client of a request.
type client struct {
	// address is the address of the client: that of the connection, or what a trusted proxy tells.
	address string
	// peer is the address of the connection, and chain what a trusted proxy told of the hops before it.
	peer      string
	forFields []string // X-Forwarded-For
	forwarded []string // Forwarded
	sentHost  string   // the Host as it was received
	host      string   // that the browser used
	proto     string   // http or https, that the browser used
}

type clientKey struct{}

// ClientOf returns the address of the client of a request, as far as trusted proxies tell it; empty if the
// request did not pass TrustedProxies.
func ClientOf(ctx context.Context) string {
	if c, ok := ctx.Value(clientKey{}).(*client); ok {
		return c.address
	}
	return ""
}

// forwardedFields are the fields in which proxies tell of the client. Some servers believe the last three too.
var forwardedFields = []string{
	"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Server",
	"X-Forwarded-Prefix", "X-Forwarded-Scheme", "X-Forwarded-Ssl", "X-Real-Ip", "X-Original-Url", "X-Rewrite-Url",
}

// TrustedProxies returns a handler that sets Host and TLS of each request to what the browser used, for the
// layer behind it. It believes the fields Forwarded and X-Forwarded-* of connections from the prefixes, and
// drops them of all others. It also bounds the time in which a client sends the rest of a request that has been
// answered.
func TrustedProxies(prefixes []netip.Prefix, next http.Handler) http.Handler {
	believing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &client{sentHost: r.Host, host: r.Host, proto: "http"}
		if r.TLS != nil {
			c.proto = "https"
		}
		c.peer, _, _ = net.SplitHostPort(r.RemoteAddr)
		c.address = c.peer
		in := r.WithContext(context.WithValue(r.Context(), clientKey{}, c))
		if isTrusted(prefixes, c.peer) {
			if problem := c.read(r.Header, prefixes); problem != "" {
				WriteError(w, r, http.StatusBadRequest, problem)
				return
			}
			in.Host = c.host
			if c.proto == "http" {
				in.TLS = nil
			} else if in.TLS == nil {
				in.TLS = &tls.ConnectionState{HandshakeComplete: true}
			}
		}
		for name := range in.Header {
			if isForwardedField(name) {
				in.Header = r.Header.Clone()
				break
			}
		}
		for name := range in.Header {
			if isForwardedField(name) {
				delete(in.Header, name)
			}
		}
		next.ServeHTTP(w, in)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serveExchange(w, r, believing) })
}

// isForwardedField reports whether servers may take a field for one of forwardedFields: some read _ as -.
func isForwardedField(name string) bool {
	if len(name) < len("Forwarded") || name[0] != 'F' && name[0] != 'f' && name[0] != 'X' && name[0] != 'x' {
		return false
	}
	name = strings.ReplaceAll(name, "_", "-")
	return slices.ContainsFunc(forwardedFields, func(f string) bool { return strings.EqualFold(f, name) })
}

// isTrusted reports whether an address is one of a trusted proxy.
func isTrusted(prefixes []netip.Prefix, address string) bool {
	if len(prefixes) == 0 {
		return false
	}
	a, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

// read reads what a trusted proxy tells of the client. It returns what is wrong with that; empty if it is
// not ambiguous.
func (c *client) read(h http.Header, prefixes []netip.Prefix) (problem string) {
	c.forFields, c.forwarded = h["X-Forwarded-For"], h["Forwarded"]
	host, ok := single(h["X-Forwarded-Host"])
	if !ok || host != "" && !isHost(host) {
		return "X-Forwarded-Host does not name one host"
	}
	proto, ok := single(h["X-Forwarded-Proto"])
	proto = strings.ToLower(proto)
	if !ok || !isProto(proto) {
		return "X-Forwarded-Proto is neither http nor https"
	}
	address := firstUntrusted(split(c.forFields), prefixes)
	if len(c.forwarded) > 0 {
		elements, ok := parseForwarded(c.forwarded)
		if !ok {
			return "the field Forwarded is malformed"
		}
		// The last elements are those of trusted proxies; the element before them is about the client.
		at := len(elements) - 1
		for at > 0 && isTrusted(prefixes, addressOf(elements[at]["for"])) {
			at--
		}
		e := elements[at]
		e["proto"] = strings.ToLower(e["proto"])
		switch {
		case e["host"] != "" && !isHost(e["host"]), !isProto(e["proto"]):
			return "the field Forwarded has a host or a proto that is not valid"
		case differ(e["host"], host), differ(e["proto"], proto):
			return "the fields Forwarded and X-Forwarded-* contradict each other"
		}
		host, proto = cmp.Or(e["host"], host), cmp.Or(e["proto"], proto)
		address = cmp.Or(addressOf(e["for"]), address)
	}
	c.host, c.proto, c.address = cmp.Or(host, c.host), cmp.Or(proto, c.proto), cmp.Or(address, c.address)
	return ""
}

func differ(a, b string) bool { return a != "" && b != "" && !strings.EqualFold(a, b) }

func isProto(text string) bool { return text == "" || text == "http" || text == "https" }

// isHost reports whether a text is a host with an optional port.
func isHost(text string) bool {
	return len(text) <= 300 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:[]") == ""
}

// single returns the only value of a field whose lines are lists; empty if it is not there. It is false if
// there are values that differ.
func single(lines []string) (value string, ok bool) {
	for i, v := range split(lines) {
		if i > 0 && !strings.EqualFold(v, value) {
			return "", false
		}
		value = v
	}
	return value, true
}

// split returns the items of a field whose lines are lists.
func split(lines []string) (items []string) {
	for _, line := range lines {
		for item := range strings.SplitSeq(line, ",") {
			if item = strings.Trim(item, " \t"); item != "" {
				items = append(items, item)
			}
		}
	}
	return items
}

// firstUntrusted returns the last of the addresses that is not one of a trusted proxy; the first one if all are.
func firstUntrusted(addresses []string, prefixes []netip.Prefix) string {
	for i := len(addresses) - 1; i >= 0; i-- {
		if a := addressOf(addresses[i]); i == 0 || !isTrusted(prefixes, a) {
			return a
		}
	}
	return ""
}

// addressOf returns the address of a node without its port and brackets; empty if it is not an address.
//
// See https://www.rfc-editor.org/rfc/rfc7239#section-6.
func addressOf(node string) string {
	if a, err := netip.ParseAddrPort(node); err == nil {
		return a.Addr().String()
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(node, "["), "]"))
	if err != nil {
		return ""
	}
	return a.String()
}

// parseForwarded parses the field Forwarded into its elements, which map parameters in lower case to values.
//
// See https://www.rfc-editor.org/rfc/rfc7239#section-4.
func parseForwarded(lines []string) (elements []map[string]string, ok bool) {
	rest := strings.Join(lines, ",")
	element := map[string]string{}
	for {
		rest = strings.TrimLeft(rest, " \t")
		name, after, found := strings.Cut(rest, "=")
		if !found || name == "" || !fetch.IsToken(name) {
			return nil, false
		}
		name = strings.ToLower(name)
		var value string
		if strings.HasPrefix(after, `"`) {
			if value, rest, ok = quoted(after); !ok {
				return nil, false
			}
		} else {
			end := strings.IndexAny(after+",", ";, \t")
			value, rest = after[:end], after[end:]
			if !fetch.IsToken(value) {
				return nil, false
			}
		}
		if _, twice := element[name]; twice {
			return nil, false
		}
		element[name] = value
		rest = strings.TrimLeft(rest, " \t")
		switch {
		case rest == "":
			return append(elements, element), true
		case rest[0] == ',':
			elements, element = append(elements, element), map[string]string{}
		case rest[0] != ';':
			return nil, false
		}
		rest = rest[1:]
	}
}

// quoted returns the value of the quoted string that a text begins with, and the text behind it.
func quoted(text string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return b.String(), text[i+1:], true
		case '\\':
			if i++; i == len(text) {
				return "", "", false
			}
		}
		b.WriteByte(text[i])
	}
	return "", "", false
}

// setForwarded sets the fields in which the gateway tells the upstream of the client. httputil.ReverseProxy
// has removed those of the request.
func setForwarded(r *httputil.ProxyRequest) {
	r.Out.Host = r.In.Host
	r.Out.Header.Add("Via", strings.TrimPrefix(r.In.Proto, "HTTP/")+" "+via)
	c, ok := r.In.Context().Value(clientKey{}).(*client)
	if !ok {
		r.SetXForwarded()
		return
	}
	r.Out.Host = c.sentHost
	node := c.peer
	if strings.Contains(node, ":") {
		node = `"[` + node + `]"`
	}
	element := "for=" + node + ";host=" + quote(c.host) + ";proto=" + c.proto
	h := r.Out.Header
	h["Forwarded"] = []string{appended(c.forwarded, element)}
	h["X-Forwarded-For"] = []string{appended(c.forFields, c.peer)}
	h["X-Forwarded-Host"] = []string{c.host}
	h["X-Forwarded-Proto"] = []string{c.proto}
}

// appended returns a list with one more item.
func appended(lines []string, item string) string {
	if len(lines) == 0 {
		return item
	}
	return strings.Join(lines, ", ") + ", " + item
}

// quote returns a value of Forwarded, in quotes if it is not a token.
func quote(value string) string {
	switch {
	case fetch.IsToken(value):
		return value
	case strings.ContainsAny(value, `"\`):
		value = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value)
	}
	return `"` + value + `"`
}
