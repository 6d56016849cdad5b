package origin

import (
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// hostLength returns the length of the host at the beginning of s, and whether it is the host of an
// http or https origin as browsers write it. The caller checks what follows the host.
func hostLength(s string) (n int, ok bool) {
	n, last, ok := nameLength(s)
	switch {
	case ok && !isDigit(s[last]):
		return n, true // not a number, as nearly all names
	case ok:
		return n, !endsInNumber(s[:n]) || canonicalIPv4(s[:n])
	case strings.HasPrefix(s, "["):
		n = strings.IndexByte(s, ']') + 1
		return n, n > 0 && canonicalIPv6(s[1:n-1])
	}
	return n, false
}

// nameLength returns the length of the name at the beginning of s, and the index of its last label.
// A name consists of labels of a-z, 0-9, '-' and '_' that are separated by single dots, with an
// optional dot at the end. Browsers accept underscores, and hyphens at either end of a label. The
// maximum lengths are those of RFC 1035, section 2.3.4. ok is false if s begins with no such name.
func nameLength(s string) (n, last int, ok bool) {
	before, start, i := 0, 0, 0 // before and start are where the last two labels begin
	for ; i < len(s); i++ {
		c := s[i]
		if nameBytes[c] {
			continue
		}
		if c != '.' {
			break
		}
		if i == start || i-start > maxLabel {
			return i, 0, false
		}
		before, start = start, i+1
	}
	if i == start { // the name is empty, or ends in a dot
		return i, before, i > 0 && i-len(".") <= maxName
	}
	return i, start, i-start <= maxLabel && i <= maxName
}

// The maximum lengths of a label and of a name without the dot at its end.
const (
	maxLabel = 63
	maxName  = 253
)

// validName reports whether s is a name as nameLength describes it.
func validName(s string) bool {
	n, _, ok := nameLength(s)
	return ok && n == len(s)
}

var nameBytes = func() (is [256]bool) {
	for _, c := range "abcdefghijklmnopqrstuvwxyz0123456789-_" {
		is[c] = true
	}
	return is
}()

// endsInNumber is the URL standard's "ends in a number checker". Browsers parse such a host as
// an IPv4 address, and refuse it if that fails.
func endsInNumber(s string) bool {
	if s != "" && 'g' <= s[len(s)-1] && s[len(s)-1] <= 'w' {
		return false // most names end in one of these letters
	}
	s = strings.TrimSuffix(s, ".")
	last := s[strings.LastIndexByte(s, '.')+1:]
	if last == "" || !isDigit(last[0]) {
		return false
	}
	digits := true
	for i := 1; i < len(last); i++ {
		digits = digits && isDigit(last[i])
	}
	if digits {
		return true
	}
	hex, ok := strings.CutPrefix(last, "0x")
	for i := 0; i < len(hex); i++ {
		ok = ok && isHex(hex[i])
	}
	return ok
}

// canonicalIPv4 reports whether s is an IPv4 address as browsers write it: four decimal numbers
// without leading zeros, and without a dot at the end.
func canonicalIPv4(s string) bool {
	parts := 0
	for more := true; more; parts++ {
		var part string
		part, s, more = strings.Cut(s, ".")
		if part != "0" && (!validPort(part) || len(part) > 3 || len(part) == 3 && part > "255") {
			return false
		}
	}
	return parts == 4
}

// canonicalIPv6 reports whether s, without brackets, is an IPv6 address as browsers write it
// (URL standard, section "Host serializing").
func canonicalIPv6(s string) bool {
	var groups [8]uint16
	left, right, gap := strings.Cut(s, "::")
	n, ok := readGroups(&groups, 0, left)
	if !ok {
		return false
	}
	if gap {
		m, ok := readGroups(&groups, n, right)
		if !ok {
			return false
		}
		copy(groups[8-(m-n):], groups[n:m])
		clear(groups[n : 8-(m-n)])
	} else if n != 8 {
		return false
	}
	// The serialization of the groups is canonical, so s is canonical if it is equal.
	var buf [39]byte
	return string(appendIPv6(buf[:0], groups)) == s
}

// readGroups reads lower-case hexadecimal groups separated by colons into groups, beginning at
// index n, and returns the index after the last one. It also accepts empty groups and groups of
// more than four digits, which canonicalIPv6 then refuses.
func readGroups(groups *[8]uint16, n int, s string) (int, bool) {
	if s == "" {
		return n, true
	}
	for more := true; more; n++ {
		var part string
		part, s, more = strings.Cut(s, ":")
		if n == 8 {
			return 0, false
		}
		var v uint16
		for i := 0; i < len(part); i++ {
			switch c := part[i]; {
			case isDigit(c):
				v = v<<4 | uint16(c-'0')
			case isHex(c):
				v = v<<4 | uint16(c-'a'+10)
			default:
				return 0, false
			}
		}
		groups[n] = v
	}
	return n, true
}

// appendIPv6 appends the serialization of the URL standard: hexadecimal groups, of which the
// first longest run of two or more zeros is written "::". Unlike RFC 5952, it never writes
// dotted decimal numbers.
func appendIPv6(b []byte, groups [8]uint16) []byte {
	start, length := -1, 1
	for i := 0; i < 8; i++ {
		run := 0
		for i+run < 8 && groups[i+run] == 0 {
			run++
		}
		if run > length {
			start, length = i, run
		}
	}
	for i := 0; i < 8; i++ {
		if i == start {
			b = append(b, "::"...)
			i += length - 1
			continue
		}
		if i > 0 && i != start+length {
			b = append(b, ':')
		}
		b = strconv.AppendUint(b, uint64(groups[i]), 16)
	}
	return b
}

// isIP reports whether a valid host is an IP address.
func isIP(host string) bool { return strings.HasPrefix(host, "[") || endsInNumber(host) }

// isLoopback reports whether a valid host is a loopback address or localhost: those that Secure
// Contexts, section 3.1, calls potentially trustworthy.
func isLoopback(host string) bool {
	if host == "[::1]" || isIP(host) && strings.HasPrefix(host, "127.") {
		return true
	}
	return isLocalhost(host)
}

// isOwnMachine reports whether a valid host is one of the visitor's own machine: a loopback address or the unspecified
// address, each also as an IPv4 address that is mapped to IPv6, localhost, or a name below localhost.
func isOwnMachine(host string) bool {
	if host == "" || host[0] != '[' && !isDigit(host[0]) || !isIP(host) { // an address begins with one of these
		return isLocalhost(host)
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	addr = addr.Unmap()
	return err == nil && (addr.IsLoopback() || addr.IsUnspecified())
}

// isLocalhost reports whether host is localhost or a subdomain of it (RFC 6761, section 6.3).
func isLocalhost(host string) bool {
	host = strings.TrimSuffix(host, ".")
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// isLocalNetwork reports whether a valid host resolves in a local network only. It is an address of RFC 1918, RFC 4193
// and their like, or a name of one label that is not a public top-level domain. It may also be a name below a top-level
// domain that is reserved for such networks (RFC 6761, RFC 6762, RFC 8375, and ICANN for internal) or used like one.
func isLocalNetwork(host string) bool {
	if isIP(host) {
		addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
		addr = addr.Unmap()
		return err == nil && (addr.IsPrivate() || addr.IsLinkLocalUnicast() || addr.IsLoopback() || addr.IsUnspecified())
	}
	host = strings.TrimSuffix(host, ".")
	switch host[strings.LastIndexByte(host, '.')+1:] {
	case host:
		_, public := publicsuffix.PublicSuffix(host)
		return !public
	case "home", "internal", "intranet", "lan", "local", "localdomain", "test":
		return true
	}
	return host == "home.arpa" || strings.HasSuffix(host, ".home.arpa")
}

func isHex(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'f' }
