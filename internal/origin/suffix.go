package origin

import (
	"strings"

	"golang.org/x/net/publicsuffix"
)

// suffixReason says why a wildcard over host, a name, would cover hosts of
// strangers; it is empty where it does not. The suffixes are those of
// publicsuffix.org, of its private section too, and every top-level domain
// listed or not.
func suffixReason(host string) string {
	if isLocalhost(host) {
		return ""
	}
	name := strings.TrimSuffix(host, ".") // the list knows no trailing dot
	if !strings.Contains(name, ".") {
		return "covers a whole top-level domain: anyone can have a host there"
	}
	if suffix, _ := publicsuffix.PublicSuffix(name); suffix == name {
		return "covers a public suffix: anyone can have a host below " + name
	}
	if strings.Contains(suffixAncestors, "\n"+name+"\n") {
		return "covers public suffixes: anyone can have a host below some of the names under " + name
	}
	return ""
}
