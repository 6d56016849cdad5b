package origin

import (
	"fmt"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/regexpsyntax"
)

// The parts of regular expressions of origins. Browsers write hosts in lower case.
const (
	nameCharacters   = `[a-z0-9_-]`
	labelExpression  = nameCharacters + `{1,63}`
	portExpression   = `(?::[1-9][0-9]{0,4})?`
	customCharacters = `[]A-Za-z0-9._~!$&()+;=%:[-]` // those of customHostByte
)

// AnyRegexp is a regular expression for the origins of web pages, in the syntax of Pattern.Regexp. It matches each value that Parse accepts, apart
// from "file://" without a host, and no value with a star or a comma.
const AnyRegexp = `null|[a-z][a-z0-9+.-]*://` + customCharacters + `*`

// Regexp returns a regular expression for the origins that p matches. The text is in the syntax that RE2,
// PCRE and package regexp share, without backslashes and anchors: it has to match the whole value. It
// matches each origin that p matches. It also matches some values that browsers never send, which Parse refuses: an
// origin of more than MaxLen bytes, a port above 65535, or the default port. It is ".*" for the pattern "*".
func (p Pattern) Regexp() string {
	switch p.kind {
	case kindAny:
		return ".*"
	case kindNull:
		return "null"
	case kindInstallation:
		return regexpsyntax.Literal(p.scheme+"://") + customCharacters + "+"
	case kindWildcard:
		return regexpsyntax.Literal(p.scheme+"://") + "(?:" + labelExpression + "[.])+" + regexpsyntax.Literal(p.host) + p.portRegexp()
	case kindStar:
		return regexpsyntax.Literal(p.scheme+"://"+p.prefix) + p.starRegexp() + regexpsyntax.Literal(p.suffix+"."+p.host) + p.portRegexp()
	case kindExact:
		return regexpsyntax.Literal(p.scheme+"://"+p.host) + p.portRegexp()
	}
	return "[^\x00-\x7f]" // the zero Pattern matches nothing
}

// IsExact reports whether p matches one value only, which is its text.
func (p Pattern) IsExact() bool { return p.kind == kindNull || p.kind == kindExact && p.port != "*" }

// Scheme returns the scheme of the origins that p matches; "" for "*" and "null".
func (p Pattern) Scheme() string { return p.scheme }

// AnyPort reports whether p matches any port of a host.
func (p Pattern) AnyPort() bool { return p.port == "*" }

// portRegexp returns the expression of the port.
func (p Pattern) portRegexp() string {
	switch p.port {
	case "":
		return ""
	case "*":
		return portExpression
	}
	return ":" + p.port
}

// starRegexp returns the expression of a star. The label around it must not begin with xn--, which the syntax can say
// only by each way to differ from it.
func (p Pattern) starRegexp() string {
	const punycode = "xn--"
	most := 63 - len(p.prefix) - len(p.suffix)
	rest, ok := strings.CutPrefix(punycode, p.prefix)
	if !ok {
		return fmt.Sprintf("%s{1,%d}", nameCharacters, most)
	}
	without := map[byte]string{'x': "[a-wyz0-9_-]", 'n': "[a-mo-z0-9_-]", '-': "[a-z0-9_]"}
	var ways []string
	for i := range rest {
		if i >= most {
			break
		}
		if i > 0 && !strings.HasPrefix(rest[:i]+p.suffix, rest) {
			ways = append(ways, rest[:i])
		}
		ways = append(ways, fmt.Sprintf("%s%s%s{0,%d}", rest[:i], without[rest[i]], nameCharacters, most-i-1))
	}
	return "(?:" + strings.Join(ways, "|") + ")"
}
