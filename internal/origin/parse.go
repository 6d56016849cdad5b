// Package origin parses the Origin header (Fetch, section "Origin header"),
// parses the patterns that a policy allows origins with, and matches the one
// against the other. Nothing here is mutable after it is made; every function
// and method is safe for concurrent use.
package origin

import "strings"

// MaxLen is the length in bytes beyond which no value is an origin. A DNS name
// has at most 253 characters, so the longest http or https origin has 268.
const MaxLen = 300

// Parsed is an Origin header value taken apart. Its fields are substrings of
// the value. It is comparable; the zero value is no origin and matches nothing.
type Parsed struct {
	// Scheme is the scheme without "://"; empty where Null is set.
	Scheme string
	// Host is the host as browsers write it: IPv6 in brackets, a trailing dot
	// kept. For schemes other than http and https it is all that follows
	// "://", a port included.
	Host string
	// Port is the port of an http or https origin, empty where the value has
	// none, which means the scheme's default.
	Port string
	// Null reports whether the value is "null", an opaque origin.
	Null bool
}

// Parse reports whether s is something that a browser or an app framework
// sends as Origin, and takes it apart: "null", or an origin in its one
// serialization (HTML, section "Origin"; URL, section "Host serializing").
//
// For http and https that is scheme://host or scheme://host:port, without a
// default port; hosts are names of labels of a-z, 0-9, '-' and '_' (punycode
// for anything else) with an optional trailing dot, IPv4 addresses as four
// decimal numbers, or IPv6 addresses in brackets, lower case and compressed.
// A last label that the URL standard reads as a number makes a host an IPv4
// address, so that "127.1" and "1.2.3.999" are refused.
//
// Any other scheme is that of an application (capacitor://localhost,
// moz-extension://uuid): visible ASCII of RFC 3986's host characters follows
// it, in any letter case. Schemes whose pages have the origin "null", and the
// WebSocket schemes, which are never an origin's, are refused.
//
// Parse does not allocate.
func Parse(s string) (Parsed, bool) {
	if len(s) > MaxLen {
		return Parsed{}, false
	}
	if s == "null" {
		return Parsed{Null: true}, true
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return Parsed{}, false
	}
	if !isWeb(scheme) {
		if !validCustomScheme(scheme) || !validCustomHost(scheme, rest) {
			return Parsed{}, false
		}
		return Parsed{Scheme: scheme, Host: rest}, true
	}
	host, port, ok := cutPort(rest)
	if !ok || !validHost(host) || port == defaultPort(scheme) {
		return Parsed{}, false
	}
	return Parsed{Scheme: scheme, Host: host, Port: port}, true
}

// String returns the value that o was parsed from; it is empty for the zero
// value.
func (o Parsed) String() string {
	switch {
	case o.Null:
		return "null"
	case o.Scheme == "":
		return ""
	case o.Port == "":
		return o.Scheme + "://" + o.Host
	}
	return o.Scheme + "://" + o.Host + ":" + o.Port
}

// SameHost reports whether an http or https origin names host, the value of an
// HTTP Host header, in any letter case. A port that is the default of the
// origin's scheme counts as none. tls says that the request came over TLS: then
// an http origin is never the same. Without it an https origin may be, since a
// proxy can have ended the TLS.
func (o Parsed) SameHost(host string, tls bool) bool {
	if !isWeb(o.Scheme) || tls && o.Scheme == "http" {
		return false
	}
	name, port, ok := cutPort(host)
	if !ok || !equalFold(name, o.Host) {
		return false
	}
	if port == defaultPort(o.Scheme) {
		port = ""
	}
	return port == o.Port
}

// isWeb reports whether origins of the scheme have a host and a port.
func isWeb(scheme string) bool { return scheme == "https" || scheme == "http" }

// defaultPort returns the port that an http or https origin never spells out.
func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// cutPort splits host[:port], where an IPv6 host is in brackets. It fails where
// there is a port that browsers do not write.
func cutPort(s string) (host, port string, ok bool) {
	end := 0
	if strings.HasPrefix(s, "[") {
		end = strings.IndexByte(s, ']') + 1
	}
	colon := strings.IndexByte(s[end:], ':')
	if colon < 0 {
		return s, "", true
	}
	host, port = s[:end+colon], s[end+colon+1:]
	return host, port, validPort(port)
}

// validPort reports whether s is a port as browsers write it: 1 to 65535
// without leading zeros. Browsers refuse to connect to port 0.
func validPort(s string) bool {
	if len(s) == 0 || len(s) > 5 || s[0] == '0' {
		return false
	}
	n := 0
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return false
		}
		n = 10*n + int(s[i]-'0')
	}
	return n <= 65535
}

// validCustomScheme reports whether scheme is well-formed and may be an
// origin's.
func validCustomScheme(scheme string) bool {
	switch scheme {
	case "ws", "wss": // a handshake carries the origin of its page
		return false
	case "about", "blob", "data", "ftp", "javascript": // null, or that of their creator
		return false
	}
	return validScheme(scheme)
}

// validScheme reports whether s is a scheme in lower case (RFC 3986, section
// 3.1).
func validScheme(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !isLower(c) && (i == 0 || !isDigit(c) && c != '+' && c != '.' && c != '-') {
			return false
		}
	}
	return s != ""
}

// validCustomHost reports whether s may follow a custom scheme. Only file: goes
// without a host. The star, the comma and the quote are left out of RFC 3986's
// set, because patterns and lists are written with them.
func validCustomHost(scheme, s string) bool {
	for i := 0; i < len(s); i++ {
		if !customHostByte(s[i]) {
			return false
		}
	}
	return s != "" || scheme == "file"
}

func customHostByte(c byte) bool {
	return isLower(c) || 'A' <= c && c <= 'Z' || isDigit(c) || strings.IndexByte("-._~!$&()+;=%:[]", c) >= 0
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// equalFold compares in ASCII. strings.EqualFold would take the Kelvin sign
// for a k.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if lowerByte(a[i]) != lowerByte(b[i]) {
			return false
		}
	}
	return true
}

func lowerByte(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
