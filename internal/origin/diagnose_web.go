package origin

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"
)

// webText is an http or https origin that is read from an invalid pattern and rewritten step by
// step as browsers write it.
type webText struct {
	wildcard   bool
	host, port string
	causes     []string // the rewrites
}

// diagnoseWeb describes why scheme://rest is invalid. The argument lower is the scheme in lower
// case: http or https.
func diagnoseWeb(lower, scheme, rest string) Problem {
	var w webText
	if lower != scheme {
		w.causes = append(w.causes, "upper case in the scheme")
	}
	rest, w.causes = cutTail(rest, w.causes)
	if host, ok := strings.CutPrefix(rest, "*."); ok {
		rest, w.wildcard = host, true
	}
	if problem := w.splitPort(rest); problem != "" {
		return syntax(problem)
	}
	if problem := w.repairPort(lower); problem != "" {
		return syntax(problem)
	}
	if strings.Contains(w.host, "*") {
		return w.misplacedStar(lower)
	}
	if problem := w.repairHost(); problem != "" {
		fix := w
		if fix.host = strings.TrimLeft(w.host, "."); fix.host != w.host {
			fix.wildcard = true // ".example.com", as in the Domain attribute of cookies
			return syntax(problem, fix.text(lower))
		}
		return syntax(problem)
	}
	if w.wildcard && isIP(w.host) {
		return syntax("has a wildcard before an IP address, which has no subdomains")
	}
	if len(w.causes) == 0 {
		return syntax("is not a valid origin such as https://app.example.com")
	}
	return neverSent(w.causes, w.text(lower))
}

func (w webText) text(scheme string) string {
	p := Pattern{kind: kindExact, scheme: scheme, host: w.host, port: w.port}
	if w.wildcard {
		p.kind = kindWildcard
	}
	return p.String()
}

func (w *webText) splitPort(s string) (problem string) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Is6() && addr.Zone() == "" {
		w.host, w.causes = "["+s+"]", append(w.causes, "an IPv6 address without brackets")
		return ""
	}
	host, port, found := strings.Cut(s, ":")
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']') + 1
		if end == 0 {
			return "has an opening bracket without a closing one"
		}
		if host, port, found = s[:end], s[end:], end < len(s); found && port[0] != ':' {
			return "has something other than a port after the closing bracket"
		}
		port = strings.TrimPrefix(port, ":")
	}
	if found && port == "" {
		w.causes = append(w.causes, "a colon without a port")
	}
	w.host, w.port = host, port
	return ""
}

func (w *webText) repairPort(scheme string) (problem string) {
	if w.port == "" || w.port == "*" {
		return ""
	}
	for i := range len(w.port) {
		if !isDigit(w.port[i]) {
			return "has a port that is neither a number nor *, which matches any port"
		}
	}
	port := strings.TrimLeft(w.port, "0")
	if !validPort(port) {
		return "has a port outside 1 to 65535"
	}
	if port != w.port {
		w.causes = append(w.causes, "leading zeros in the port")
	}
	if port == defaultPort(scheme) {
		port, w.causes = "", append(w.causes, "the default port "+port)
	}
	w.port = port
	return ""
}

// misplacedStar describes a * in the host, and where a * is allowed.
func (w webText) misplacedStar(scheme string) Problem {
	if w.host == "*" {
		return syntax("has no host: * alone matches every origin, and https://*.example.com matches all subdomains of a host")
	}
	if w.wildcard {
		w.host = strings.TrimLeft(w.host, "*.")
		return syntax("has more than one * in the host, and one matches any number of labels", w.text(scheme))
	}
	return syntax("has a * that is not the first label of the host: https://*.example.com matches all subdomains of a host, and :* matches any port")
}

// repairHost rewrites the host as browsers do. It returns a problem if they refuse the host.
func (w *webText) repairHost() (problem string) {
	if lower := strings.ToLower(w.host); lower != w.host {
		w.host, w.causes = lower, append(w.causes, "upper case in the host")
	}
	if strings.HasPrefix(w.host, "[") {
		return w.repairIPv6()
	}
	if i := strings.IndexFunc(w.host, func(r rune) bool { return r >= utf8.RuneSelf }); i >= 0 {
		ascii, ok := punycodeHost(w.host)
		if !ok {
			w.causes = append(w.causes, "Unicode, where browsers send punycode: write the host's xn-- form")
			return ""
		}
		w.host, w.causes = ascii, append(w.causes, "Unicode, where browsers send punycode")
	}
	for i, r := range w.host {
		if r != '.' && r != '-' && r != '_' && !isLower(byte(r)) && !isDigit(byte(r)) {
			return badCharacter(w.host[i:])
		}
	}
	switch name := strings.TrimSuffix(w.host, "."); {
	case name == "":
		return "has no host"
	case strings.HasPrefix(name, "."):
		return "has a dot before the host: https://*.example.com matches all subdomains of a host"
	case strings.Contains(name, "..") || strings.HasSuffix(name, "."):
		return "has an empty label in the host"
	case endsInNumber(name):
		return w.repairIPv4(name)
	case !validName(name):
		return "has a host that is too long: DNS allows 63 characters in a label, and 253 in all"
	}
	return ""
}

func (w *webText) repairIPv6() (problem string) {
	addr, err := netip.ParseAddr(strings.Trim(w.host, "[]"))
	if err != nil || !addr.Is6() || addr.Zone() != "" {
		return "has brackets around something that is not a valid IPv6 address (zones are not allowed)"
	}
	var groups [8]uint16
	for i, b := range addr.As16() {
		groups[i/2] = groups[i/2]<<8 | uint16(b)
	}
	host := "[" + string(appendIPv6(nil, groups)) + "]"
	if host != w.host {
		w.host, w.causes = host, append(w.causes, "an IPv6 address that is not in its shortest form")
	}
	return ""
}

// repairIPv4 is the IPv4 parser of the URL standard. Parts are decimal, octal or hexadecimal,
// and the last part fills the remaining bytes.
func (w *webText) repairIPv4(name string) (problem string) {
	const invalid = "has a host that ends in a number but is not a valid IPv4 address, so that no browser opens it"
	parts := strings.Split(name, ".")
	if len(parts) > 4 {
		return invalid
	}
	var addr uint64
	for i, part := range parts {
		n, ok := ipv4Number(part)
		size := 1
		if i == len(parts)-1 {
			size = 5 - len(parts)
		}
		if !ok || n >= 1<<(8*size) {
			return invalid
		}
		addr = addr<<(8*size) | n
	}
	host := fmt.Sprintf("%d.%d.%d.%d", addr>>24, addr>>16&255, addr>>8&255, addr&255)
	if host != w.host {
		w.host, w.causes = host, append(w.causes, "an IPv4 address that is not four decimal numbers")
	}
	return ""
}

func ipv4Number(s string) (uint64, bool) {
	base := 10
	if hex, ok := strings.CutPrefix(s, "0x"); ok {
		if hex == "" {
			return 0, true
		}
		s, base = hex, 16
	} else if len(s) > 1 && s[0] == '0' {
		s, base = s[1:], 8
	}
	n, err := strconv.ParseUint(s, base, 32)
	return n, err == nil
}
