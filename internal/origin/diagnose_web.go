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
	label      string // the first label if it contains a *, which host then does not contain
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
	if authority, _, _ := strings.Cut(rest, "/"); strings.Contains(authority, "?.") {
		return syntax("has a ? in the host, which is not a wildcard: a star within the first label matches one or more characters, as in https://pr-*.example.com")
	}
	rest, w.causes = cutTail(rest, w.causes)
	if host, ok := strings.CutPrefix(rest, "*."); ok {
		rest, w.wildcard = host, true
	}
	if problem := w.splitPort(lower, rest); problem != "" {
		return syntax(problem)
	}
	if problem := w.repairPort(lower); problem != "" {
		return syntax(problem)
	}
	if strings.Contains(w.host, "*") {
		if problem, ok := w.cutStar(lower); !ok {
			return problem
		}
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
	if w.label != "" {
		if problem, ok := w.checkStar(lower); !ok {
			return problem
		}
	}
	if label := invalidPunycode(w.host); label != "" {
		return Problem{Code: CodeNeverSent, Reason: "has the label " + label + ", which is not the punycode of a name, so that browsers do not open such a page: write the value of location.origin on the page"}
	}
	if len(w.causes) == 0 {
		return syntax("is not a valid origin such as https://app.example.com")
	}
	return neverSent(w.causes, w.text(lower))
}

func (w webText) text(scheme string) string {
	p := Pattern{kind: kindExact, scheme: scheme, host: w.host, port: w.port}
	switch {
	case w.wildcard:
		p.kind = kindWildcard
	case w.label != "":
		p.kind = kindStar
		p.prefix, p.suffix, _ = strings.Cut(w.label, "*")
	}
	return p.String()
}

func (w *webText) splitPort(scheme, s string) (problem string) {
	if s, problem = w.bracket(scheme, s); problem != "" {
		return problem
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
	} else if strings.ContainsAny(s, "[]") {
		return "has a bracket within the host: only a whole IPv6 address has brackets, as in https://[2001:db8::1]:8443"
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

// cutStar moves a first label that contains a * from the host to label. It returns false and the problem if the * is
// elsewhere, or may not be in this label.
func (w *webText) cutStar(scheme string) (problem Problem, ok bool) {
	label, behind, _ := strings.Cut(w.host, ".")
	label = strings.ToLower(label)
	switch {
	case w.host == "*":
		problem = syntax("has no host: * alone matches every origin, and https://*.example.com matches all subdomains of a host")
	case strings.HasPrefix(w.host, "[") || isAddressWithStar(w.host):
		problem = syntax("has a * in an IP address, which must be written in full: list each one")
	case w.wildcard:
		w.host = strings.TrimLeft(w.host, "*.")
		problem = syntax("has more than one * in the host, and one matches any number of labels", w.text(scheme))
	case strings.Count(w.host, "*") > 1:
		problem = syntax("has more than one * in the host: " + starForms)
	case !strings.Contains(label, "*"):
		problem = syntax("has a * that is not in the first label of the host: " + starForms)
	case strings.Trim(behind, ".") == "":
		problem = syntax("has a * and no host behind its label, as in https://pr-*.example.com")
	case strings.HasPrefix(behind, "."):
		problem = syntax("has an empty label in the host")
	case strings.HasPrefix(label, "xn--"):
		problem = syntax("has a * in a label that begins with xn--, whose letters are an encoding and not the label's characters: list each origin")
	case strings.IndexFunc(label, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0:
		problem = syntax("has a * in a label with Unicode characters, which browsers encode together with the characters for the star: list each origin")
	default:
		if label != w.host[:len(label)] {
			w.causes = append(w.causes, "upper case in the host")
		}
		w.label, w.host = label, behind
		return Problem{}, true
	}
	return problem, false
}

// isAddressWithStar reports whether a host is an IPv4 address in which a * stands for something.
func isAddressWithStar(host string) bool {
	return strings.Contains(host, ".") && strings.Trim(host, "0123456789.*") == "" && strings.Trim(host, ".*") != ""
}

// checkStar returns false and the problem if the * in label may not be before the repaired host, or not in an origin
// with this scheme.
func (w *webText) checkStar(scheme string) (problem Problem, ok bool) {
	for i, r := range w.label {
		if r != '*' && !nameBytes[byte(r)] {
			return syntax(badCharacter(w.label[i:])), false
		}
	}
	switch {
	case isIP(w.host):
		return syntax("has a * before an IP address, which must be written in full: list each one"), false
	case !validName(strings.Replace(w.label, "*", "a", 1) + "." + w.host):
		return syntax(hostTooLong), false
	case scheme == "https" || isLocalhost(w.host):
		return Problem{}, true
	case isLocalNetwork(w.host):
		return syntax("has a * within a label, which needs https except below localhost: list each origin"), false
	default:
		if w.port == "443" {
			w.port = ""
		}
		return syntax("has a * within a label, which needs https except below localhost", w.text("https")), false
	}
}

const hostTooLong = "has a host that is too long: DNS allows 63 characters in a label, and 253 in all"

// bracket writes brackets around an IPv6 address without them. It returns a problem if the address may as well be a
// shorter one with a port.
func (w *webText) bracket(scheme, s string) (bracketed, problem string) {
	i := max(0, strings.LastIndexByte(s, ':'))
	host, port := s[:i], strings.TrimPrefix(s[i:], ":")
	hasPort := isIPv6(host) && (port == "" || port == "*" || validPort(strings.TrimLeft(port, "0")))
	switch whole := isIPv6(s); {
	case whole && hasPort:
		return s, fmt.Sprintf("has an IPv6 address without brackets: write %q for port %s, or %q if the whole is the address",
			repaired(scheme+"://["+host+"]:"+port), port, repaired(scheme+"://["+s+"]"))
	case whole:
		s = "[" + s + "]"
	case hasPort:
		s = "[" + host + "]:" + port
	default:
		return s, ""
	}
	w.causes = append(w.causes, "an IPv6 address without brackets")
	return s, ""
}

// isIPv6 reports whether s is an IPv6 address without brackets and zone, in any form.
func isIPv6(s string) bool {
	addr, err := netip.ParseAddr(s)
	return err == nil && addr.Is6() && addr.Zone() == ""
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
		return hostTooLong
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
