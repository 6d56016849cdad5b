package origin

import (
	"iter"
	"strconv"
	"strings"
)

// space bounds the web origins among which Outside and Common look for one. Tests use a small space, all of whose
// origins they can list.
type space struct {
	chars    string // the characters of a label, in the order in which they are tried
	maxLabel int    // the maximum length of a label
	maxName  int    // the maximum length of a host name, without a dot at its end
	maxPort  int    // the greatest port
}

// everyOrigin is the space of the origins that Parse accepts.
var everyOrigin = space{chars: "abcdefghijklmnopqrstuvwxyz0123456789-_", maxLabel: 63, maxName: 253, maxPort: 65535}

// plainLabels are the labels that are tried first, since a person sees at once what they are for.
var plainLabels = [...]string{"corsrpc-witness", "witness", "w", "a"}

// room returns the maximum length of the text before ".host" in the name of a host; at most 0 if none fits.
func (sp *space) room(host string) int {
	return sp.maxName - len(strings.TrimSuffix(host, ".")) - len(".")
}

// plain yields the plain labels of at most max bytes that the space has.
func (sp *space) plain(max int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, label := range plainLabels {
			if len(label) <= min(max, sp.maxLabel) && strings.Trim(label, sp.chars) == "" && !yield(label) {
				return
			}
		}
	}
}

// labels yields every label of at most max bytes that a browser accepts: first the plain ones, which it yields again
// later, and then all in order of their length.
func (sp *space) labels(max int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for label := range sp.plain(max) {
			if !yield(label) {
				return
			}
		}
		for label := range sp.texts(min(max, sp.maxLabel)) {
			if invalidPunycode(label) == "" && !yield(label) {
				return
			}
		}
	}
}

// label returns a label of at most max bytes, which must be at least 1.
func (sp *space) label(max int) string {
	for label := range sp.plain(max) {
		return label
	}
	return sp.chars[:1]
}

// texts yields every text of 1 to max characters, in order of their length.
func (sp *space) texts(max int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for n := 1; n <= max; n++ {
			digits := make([]int, n) // of the text, as a number whose digits are indexes of characters
			for more := true; more; more = increment(digits, len(sp.chars)) {
				text := make([]byte, n)
				for i, d := range digits {
					text[i] = sp.chars[d]
				}
				if !yield(string(text)) {
					return
				}
			}
		}
	}
}

// increment adds one to a number with a base. It returns false if the number has no more digits, and is 0 again.
func increment(digits []int, base int) bool {
	for i := len(digits) - 1; i >= 0; i-- {
		if digits[i]++; digits[i] < base {
			return true
		}
		digits[i] = 0
	}
	return false
}

// plainPorts are the ports that are tried first.
var plainPorts = [...]int{8443, 3000, 8080}

// ports yields every port of an origin with a scheme, as it is written behind the host: first none, and then the plain
// ones, which it yields again later.
func (sp *space) ports(scheme string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !yield("") {
			return
		}
		for _, n := range plainPorts {
			if n <= sp.maxPort && !yield(strconv.Itoa(n)) {
				return
			}
		}
		for n := sp.maxPort; n > 0; n-- {
			if port := strconv.Itoa(n); port != defaultPort(scheme) && !yield(port) {
				return
			}
		}
	}
}

// instance returns an origin that p matches. It returns "" if there is none, since p has a long host. The port is the
// pattern's, or none for ":*".
func (p Pattern) instance(sp *space) string {
	switch p.kind {
	case kindAny:
		return "https://" + plainLabels[0] + ".example"
	case kindInstallation:
		return installation(p.scheme, 0)
	case kindWildcard, kindStar:
		if label := sp.between(p.prefix, p.suffix, min(sp.room(p.host), sp.maxLabel)); label != "" {
			return p.at(label+"."+p.host, p.port)
		}
		return ""
	case kindExact:
		return p.at(p.host, p.port)
	}
	return p.String()
}

// between returns a label of at most max bytes that begins with a prefix, ends in a suffix, has at least one character in
// between, and is not punycode; "" if it would be longer.
func (sp *space) between(prefix, suffix string, max int) string {
	for filler := range sp.labels(max - len(prefix) - len(suffix)) {
		if label := prefix + filler + suffix; !strings.HasPrefix(label, "xn--") {
			return label
		}
	}
	return ""
}

// at returns the origin of a host with the scheme of p. The port "*" is none.
func (p Pattern) at(host, port string) string {
	if port == "" || port == "*" {
		return p.scheme + "://" + host
	}
	return p.scheme + "://" + host + ":" + port
}

// installation returns an origin of an extension's installation, as its browser writes them. Different numbers make
// different origins.
func installation(scheme string, n int) string {
	if scheme == "chrome-extension" { // 32 letters from a to p
		id := []byte(strings.Repeat("a", 32))
		for i := len(id) - 1; n > 0; i-- {
			id[i] += byte(n & 15)
			n >>= 4
		}
		return scheme + "://" + string(id)
	}
	digits := strconv.FormatInt(int64(n), 16)
	return scheme + "://0c0c0c0c-0000-4000-8000-" + strings.Repeat("0", 12-len(digits)) + digits
}
