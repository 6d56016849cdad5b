package origin

import (
	"strings"

	"golang.org/x/net/publicsuffix"
)

// suffixReason describes why a wildcard for host would match hosts of unrelated owners; it
// returns "" if it would not. The suffixes are those of publicsuffix.org, including its private
// section, and every other top-level domain.
func suffixReason(host string) string {
	if isLocalhost(host) {
		return ""
	}
	name := strings.TrimSuffix(host, ".") // the list has no trailing dots
	if !strings.Contains(name, ".") {
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
