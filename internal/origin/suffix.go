package origin

import (
	"strings"

	"golang.org/x/net/publicsuffix"
)

// suffixReason describes why a wildcard for host would match hosts of unrelated owners; it
// returns "" if it would not. The hosts are those of publicsuffix.org, including its private
// section, every other top-level domain, and strangerHosts.
func suffixReason(host string) string {
	if isLocalhost(host) {
		return ""
	}
	name := strings.TrimSuffix(host, ".") // the list and the table have no trailing dots
	if reason := listReason(name); reason != "" {
		return reason
	}
	return strangerReason(withoutAddress(name))
}

// addressHosts are the strangerHosts whose servers look for an address anywhere in a name, not only
// directly below the host. The name 198-51-100-1.203-0-113-1.nip.io resolves to 198.51.100.1, so
// that a wildcard over 203-0-113-1.nip.io matches hosts of everyone.
//
// See https://github.com/cunnie/sslip.io/blob/main/xip/xip_test.go.
var addressHosts = [...]string{"nip.io", "sslip.io", "traefik.me", "xip.io"}

// withoutAddress returns the one of addressHosts that name is below; otherwise name.
func withoutAddress(name string) string {
	for _, host := range addressHosts {
		if isBelow(name, host) {
			return host
		}
	}
	return name
}

// listReason is suffixReason for the public suffix list and top-level domains.
func listReason(name string) string {
	if !strings.Contains(name, ".") {
		if isLocalNetwork(name) {
			return "matches every host of the domain " + name + ", where every device of a network can take one"
		}
		return "matches every host of a top-level domain, where anyone can register one"
	}
	if suffix, _ := publicsuffix.PublicSuffix(name); suffix == name {
		return "matches every host of the public suffix " + name + ", where anyone can register one"
	}
	if strings.Contains(suffixAncestors, "\n"+name+"\n") {
		return "matches hosts of public suffixes below " + name + ", where anyone can register one"
	}
	return ""
}

// strangerReason is suffixReason for strangerHosts. Of several hosts it names the one with the
// fewest labels.
func strangerReason(name string) string {
	var found *strangerHost
	for i := range strangerHosts {
		s := &strangerHosts[i]
		if isAtOrAbove(name, s.Host) && (found == nil || strings.Count(s.Host, ".") < strings.Count(found.Host, ".")) {
			found = s
		}
	}
	if found == nil {
		return ""
	}
	return "matches hosts of " + found.Host + ", " + found.Kind.String()
}

// isAtOrAbove reports whether name is a host that pattern matches, or an ancestor of one. A label
// of pattern that is "*" matches any label.
func isAtOrAbove(name, pattern string) bool {
	for {
		var label, want string
		name, label = cutLastLabel(name)
		pattern, want = cutLastLabel(pattern)
		if label != want && want != "*" {
			return false
		}
		if name == "" {
			return true
		}
		if pattern == "" {
			return false
		}
	}
}

// cutLastLabel returns the last label of name and the labels before it; before is "" if there are
// none.
func cutLastLabel(name string) (before, last string) {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[:i], name[i+1:]
	}
	return "", name
}
