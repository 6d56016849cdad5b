// Package origin parses the Origin header (Fetch, section "Origin header"), parses the patterns
// of origins that a policy allows, and matches origins against patterns. Origins, patterns and
// sets are immutable, and their methods are safe for concurrent use. A Table and a StringList
// are safe for concurrent use once nothing is added any more.
package origin

import "strings"

// MaxLen is the maximum length of an origin in bytes. A DNS name has at most 253 characters, so
// the longest http or https origin has 268.
const MaxLen = 300

// Parsed is the value of an Origin header, split into its parts. The fields are substrings of
// the value, or constants. It is comparable. The zero value is not an origin and matches nothing.
type Parsed struct {
	// Scheme is the scheme without "://"; empty if Null is true.
	Scheme string
	// Host is the host as browsers write it: an IPv6 address in brackets, a trailing dot kept.
	// For schemes other than http and https it is everything after "://", including a port.
	Host string
	// Port is the port of an http or https origin; empty if the value has none, which means the
	// scheme's default port.
	Port string
	// Null is true if the value is "null", an opaque origin.
	Null bool
}

// Parse splits the value of an Origin header into its parts. It returns false if s is not a
// value that a browser or an app framework sends: "null", or an origin in its only
// serialization (HTML, section "Origin"; URL, section "Host serializing").
//
// For http and https the serialization is scheme://host or scheme://host:port, without a
// default port. A host is a name, an IPv4 address of four decimal numbers, or an IPv6 address in
// brackets, lower case and compressed. The labels of a name consist of a-z, 0-9, '-' and '_'
// (punycode for all other characters). A name may end in a dot. A host whose last label is a
// number by the URL standard is an IPv4 address, so "127.1" and "1.2.3.999" are refused.
//
// Any other scheme is that of an application (capacitor://localhost, moz-extension://uuid). It
// is followed by visible ASCII characters that RFC 3986 allows in a host, in any letter case. The
// origin of a local file is file://, without a host.
// Schemes whose pages have the origin "null" are refused, and so are the WebSocket schemes,
// which are never the scheme of an origin.
//
// Parse does not allocate.
func Parse(s string) (Parsed, bool) {
	if len(s) > MaxLen {
		return Parsed{}, false
	}
	if s == "null" {
		return Parsed{Null: true}, true
	}
	scheme := "https"
	rest, ok := strings.CutPrefix(s, "https://") // nearly all origins: comparing is faster than searching
	if !ok {
		if scheme, rest, ok = strings.Cut(s, "://"); !ok {
			return Parsed{}, false
		}
	}
	if !isWeb(scheme) {
		if !validCustomScheme(scheme) || !validCustomHost(scheme, rest) {
			return Parsed{}, false
		}
		return Parsed{Scheme: scheme, Host: rest}, true
	}
	n, ok := hostLength(rest)
	if !ok {
		return Parsed{}, false
	}
	if n == len(rest) {
		return Parsed{Scheme: scheme, Host: rest}, true
	}
	port := rest[n+1:]
	if rest[n] != ':' || !validPort(port) || port == defaultPort(scheme) {
		return Parsed{}, false
	}
	return Parsed{Scheme: scheme, Host: rest[:n], Port: port}, true
}

// IsZero reports whether o is the zero value.
func (o Parsed) IsZero() bool { return o.Scheme == "" && !o.Null }

// String returns the value that o was parsed from; "" for the zero value.
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

// SameHost reports whether an http or https origin has the host and port of an HTTP Host
// header, in any letter case. The default port of the origin's scheme is equal to no port. The
// argument tls is true if the request is known to use TLS: an http origin then never has the
// same host. If tls is false, an https origin may have the same host, since a proxy may have
// terminated TLS.
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

// IsLoopback reports whether o is an http or https origin of the visitor's own machine.
func (o Parsed) IsLoopback() bool { return isWeb(o.Scheme) && isOwnMachine(o.Host) }

// IsTenant reports whether a row of an origin source is an exact https origin of a host other than
// loopback. All other origins belong to many: any program on a visitor's machine can serve a page of
// a loopback host (or of 0.0.0.0, which is the same machine), and any app can have the origin of a
// custom scheme.
func IsTenant(row string) bool {
	o, ok := Parse(row)
	return ok && o.Scheme == "https" && !o.IsLoopback()
}

// isWeb reports whether the scheme is https or http, whose origins have a host and a port.
func isWeb(scheme string) bool { return scheme == "https" || scheme == "http" }

// defaultPort returns the default port of http or https, which browsers leave out of an origin.
func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// cutPort splits host[:port], where an IPv6 host is in brackets. It returns false if there is a
// port that is not written as browsers do.
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

// validPort reports whether s is a port as browsers write it: 1 to 65535 without leading zeros.
// Browsers refuse to connect to port 0.
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

// validCustomScheme reports whether scheme is well-formed and may be the scheme of an origin.
func validCustomScheme(scheme string) bool {
	switch scheme {
	case "ws", "wss": // a handshake has the origin of its page
		return false
	case "about", "blob", "data", "ftp", "javascript": // the origin of such a page is null or that of its creator
		return false
	}
	return validScheme(scheme)
}

// validScheme reports whether s is a scheme in lower case (RFC 3986, section 3.1).
func validScheme(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !isLower(c) && (i == 0 || !isDigit(c) && c != '+' && c != '.' && c != '-') {
			return false
		}
	}
	return s != ""
}

// validCustomHost reports whether s is a valid host for a custom scheme. It is empty for file, and
// only there. The characters *, comma and single quote, which RFC 3986 allows, are refused,
// because they occur in patterns and lists.
func validCustomHost(scheme, s string) bool {
	for i := 0; i < len(s); i++ {
		if !customHostByte(s[i]) {
			return false
		}
	}
	return (s == "") == (scheme == "file")
}

func customHostByte(c byte) bool {
	return isLower(c) || 'A' <= c && c <= 'Z' || isDigit(c) || strings.IndexByte("-._~!$&()+;=%:[]", c) >= 0
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// equalFold reports whether two strings are equal without regard to ASCII letter case.
// strings.EqualFold would accept the Kelvin sign for a k.
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
