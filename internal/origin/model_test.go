package origin

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// The model is a second implementation of the package, by regular expressions and without regard
// to speed. It shares no code with the package.

var (
	modelWeb          = regexp.MustCompile(`^(https?)://(\[[0-9a-f:]+\]|[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?)(?::([1-9][0-9]{0,4}))?$`)
	modelCustom       = regexp.MustCompile(`^([a-z][a-z0-9+.-]*)://([A-Za-z0-9._~!$&()+;=%:\[\]-]*)$`)
	modelNumber       = regexp.MustCompile(`^(.*\.)?([0-9]+|0x[0-9a-f]*)\.?$`)
	modelInstallation = regexp.MustCompile(`^(chrome-extension|moz-extension|safari-web-extension|vscode-webview)://\*$`)
	modelStar         = regexp.MustCompile(`^https?://([^.*]*)\*([^.*]*)\..`) // never both empty, which is a wildcard
	modelNever        = regexp.MustCompile(`^(https?|wss?|ftp|data|blob|about|javascript)$`)
)

// modelValid reports whether raw is an origin as browsers write it. It is the reference for Parse.
func modelValid(raw string) bool {
	if len(raw) > 300 {
		return false
	}
	if raw == "null" {
		return true
	}
	if m := modelWeb.FindStringSubmatch(raw); m != nil {
		scheme, host, port := m[1], m[2], m[3]
		if scheme == "https" && port == "443" || scheme == "http" && port == "80" {
			return false
		}
		if n, _ := strconv.Atoi(port); n > 65535 {
			return false
		}
		if inner, ok := strings.CutPrefix(host, "["); ok {
			addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
			return err == nil && "["+modelIPv6(addr)+"]" == host
		}
		if modelNumber.MatchString(host) {
			addr, err := netip.ParseAddr(host)
			return err == nil && addr.String() == host
		}
		return len(strings.TrimSuffix(host, ".")) <= 253
	}
	m := modelCustom.FindStringSubmatch(raw)
	return m != nil && !modelNever.MatchString(m[1]) && (m[2] == "") == (m[1] == "file")
}

// modelIPv6 is the text of netip, except for addresses that netip writes with dots.
func modelIPv6(addr netip.Addr) string {
	if !addr.Is4In6() {
		return addr.String()
	}
	b := addr.As16()
	return fmt.Sprintf("::ffff:%x:%x", uint(b[12])<<8|uint(b[13]), uint(b[14])<<8|uint(b[15]))
}

// modelMatch reports whether a pattern allows the origin raw, the value of an Origin header. It is
// the reference for the package.
func modelMatch(pattern, raw string) bool {
	switch {
	case !modelValid(raw):
		return false
	case pattern == "*":
		return true
	case !strings.Contains(pattern, "*"):
		return raw == pattern
	case modelInstallation.MatchString(pattern):
		return strings.HasPrefix(raw, strings.TrimSuffix(pattern, "*"))
	}
	expression := regexp.QuoteMeta(pattern)
	expression = strings.Replace(expression, `://\*\.`, `://([a-z0-9_-]+\.)+`, 1)
	if front, ok := strings.CutSuffix(expression, `:\*`); ok {
		expression = front + `(:[0-9]+)?`
	}
	if strings.Contains(expression, `\*`) { // within the first label
		expression = strings.Replace(expression, `\*`, `[a-z0-9_-]+`, 1)
		if strings.Contains(raw, "://xn--") {
			return false
		}
	}
	return regexp.MustCompile("^" + expression + "$").MatchString(raw)
}

// modelRank orders patterns that allow the same origin: a smaller rank is more specific.
func modelRank(pattern string) [4]int {
	anyPort := 0
	base, ok := strings.CutSuffix(pattern, ":*")
	if ok {
		anyPort = 1
	}
	_, host, wildcard := strings.Cut(base, "://*.")
	switch {
	case pattern == "*":
		return [4]int{5}
	case modelInstallation.MatchString(pattern):
		return [4]int{4}
	case wildcard:
		host, _, _ = strings.Cut(host, ":")
		return [4]int{3, -len(host), anyPort}
	}
	if m := modelStar.FindStringSubmatch(base); m != nil {
		return [4]int{2, -len(m[1] + m[2]), -len(m[1]), anyPort}
	}
	return [4]int{anyPort}
}

// modelBest returns the index of the most specific of the patterns for which allows is
// true, the first if several are equally specific, or -1.
func modelBest(patterns []string, allows func(i int) bool) int {
	best := -1
	for i, p := range patterns {
		if allows(i) && (best < 0 || modelLess(modelRank(p), modelRank(patterns[best]))) {
			best = i
		}
	}
	return best
}

func modelLess(a, b [4]int) bool {
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}
