package origin

import "strings"

// Code classes the problems of a pattern.
type Code string

const (
	// CodeSyntax is a text that has no form of a pattern.
	CodeSyntax Code = "ORIGIN_SYNTAX"
	// CodeNeverSent is an origin that browsers write otherwise or have not, so
	// that it would never match.
	CodeNeverSent Code = "ORIGIN_NEVER_SENT"
	// CodeNull is "null", which any site can send.
	CodeNull Code = "NULL_ORIGIN"
	// CodePlainHTTP is an http origin beyond loopback, which the network can
	// forge.
	CodePlainHTTP Code = "PLAIN_HTTP_ORIGIN"
	// CodePublicSuffix is a wildcard that covers hosts of strangers.
	CodePublicSuffix Code = "PUBLIC_SUFFIX_ORIGIN"
)

// Problem says why a pattern is refused.
type Problem struct {
	// Code is one of the codes above.
	Code Code
	// Reason continues a sentence that begins with the pattern.
	Reason string
	// Fix is what to write instead; it is empty where that cannot be said.
	// Parsed as a pattern it does not have this problem.
	Fix string
}

// Pattern is one parsed item of allow_origins. It is comparable; the zero value
// matches nothing.
type Pattern struct {
	kind   patternKind
	scheme string
	host   string // as in Parsed; of a wildcard what follows "*."
	port   string // as in Parsed; "*" for any port or none
}

type patternKind uint8

const (
	_            patternKind = iota
	kindExact                // https://app.example.com, with a port or ":*" too
	kindWildcard             // https://*.example.com, with a port or ":*" too
	kindNull                 // null
	kindAny                  // *
)

// ParsePattern parses one item of allow_origins:
//
//	https://app.example.com       that origin
//	https://app.example.com:*     its host on any port, the default one too
//	https://*.example.com         one or more labels below the host, not the host itself
//	https://*.example.com:*       both
//	capacitor://localhost         an application's origin, exact to the byte
//	null                          opaque origins
//	*                             every origin, null too
//
// It returns every problem of s. Those with the codes CodeNull, CodePlainHTTP
// and CodePublicSuffix alone are risks that a caller may accept: the pattern is
// usable then. With any other problem it is the zero value, and the risks
// listed behind that problem are those of its Fix.
func ParsePattern(s string) (Pattern, []Problem) {
	p, ok := readPattern(s)
	if ok {
		return p, p.risks()
	}
	refusal := diagnose(s)
	problems := []Problem{refusal}
	if fixed, ok := readPattern(refusal.Fix); ok {
		problems = append(problems, fixed.risks()...)
	}
	return Pattern{}, problems
}

// readPattern is the whole grammar: a pattern is an origin that Parse takes,
// with "*." in front of a host name, ":*" behind a host, or both.
func readPattern(s string) (Pattern, bool) {
	switch s {
	case "*":
		return Pattern{kind: kindAny}, true
	case "null":
		return Pattern{kind: kindNull}, true
	}
	body, anyPort := strings.CutSuffix(s, ":*")
	scheme, rest, ok := strings.Cut(body, "://")
	if !ok {
		return Pattern{}, false
	}
	rest, wildcard := strings.CutPrefix(rest, "*.")
	if wildcard {
		body = scheme + "://" + rest
	}
	o, ok := Parse(body)
	if !ok || !isWeb(scheme) && (anyPort || wildcard || isTypo(scheme)) {
		return Pattern{}, false
	}
	p := Pattern{kind: kindExact, scheme: o.Scheme, host: o.Host, port: o.Port}
	if wildcard {
		if isIP(o.Host) {
			return Pattern{}, false
		}
		p.kind = kindWildcard
	}
	if anyPort {
		if o.Port != "" {
			return Pattern{}, false
		}
		p.port = "*"
	}
	return p, true
}

// risks returns what a caller has to accept before p is used.
func (p Pattern) risks() []Problem {
	var problems []Problem
	if p.kind == kindNull {
		problems = append(problems, Problem{Code: CodeNull,
			Reason: "is what sandboxed frames, data: pages and redirected requests send: any site can send it"})
	}
	if p.scheme == "http" && !isLoopback(p.host) {
		fix := p
		if fix.scheme = "https"; fix.port == "443" {
			fix.port = ""
		}
		problems = append(problems, Problem{Code: CodePlainHTTP,
			Reason: "is plain http: anyone on the network between can answer in its name", Fix: fix.String()})
	}
	if p.kind == kindWildcard {
		if reason := suffixReason(p.host); reason != "" {
			problems = append(problems, Problem{Code: CodePublicSuffix, Reason: reason})
		}
	}
	return problems
}

// String returns the pattern's text, which ParsePattern reads back; it is empty
// for the zero value.
func (p Pattern) String() string {
	var b strings.Builder
	switch p.kind {
	case kindAny:
		return "*"
	case kindNull:
		return "null"
	case kindExact:
		b.WriteString(p.scheme + "://" + p.host)
	case kindWildcard:
		b.WriteString(p.scheme + "://*." + p.host)
	}
	if p.port != "" {
		b.WriteString(":" + p.port)
	}
	return b.String()
}

// IsAny reports whether p is "*".
func (p Pattern) IsAny() bool { return p.kind == kindAny }

// IsNull reports whether p is "null".
func (p Pattern) IsNull() bool { return p.kind == kindNull }

// Match reports whether p allows o, which has to come from Parse; the zero
// Parsed matches nothing.
func (p Pattern) Match(o Parsed) bool {
	if o == (Parsed{}) {
		return false
	}
	switch p.kind {
	case kindAny:
		return true
	case kindNull:
		return o.Null
	case kindExact:
		return o.Scheme == p.scheme && o.Host == p.host && p.matchPort(o)
	case kindWildcard:
		return o.Scheme == p.scheme && isBelow(o.Host, p.host) && p.matchPort(o)
	}
	return false
}

func (p Pattern) matchPort(o Parsed) bool { return p.port == "*" || p.port == o.Port }

// isBelow reports whether host has one or more labels in front of base.
func isBelow(host, base string) bool {
	front, ok := strings.CutSuffix(host, base)
	return ok && len(front) > 1 && strings.HasSuffix(front, ".")
}
