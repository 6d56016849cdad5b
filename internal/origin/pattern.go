package origin

import "strings"

// Code is the kind of a pattern's problem.
type Code string

const (
	// CodeSyntax: the text is not a pattern.
	CodeSyntax Code = "ORIGIN_SYNTAX"
	// CodeNeverSent: browsers write this origin differently, or never send it, so that it would
	// never match.
	CodeNeverSent Code = "ORIGIN_NEVER_SENT"
	// CodeNull: the pattern is "null", which any site can send, or "file://", which any local
	// file can send.
	CodeNull Code = "NULL_ORIGIN"
	// CodePlainHTTP: the pattern is an http origin other than loopback, which an attacker on
	// the network can forge.
	CodePlainHTTP Code = "PLAIN_HTTP_ORIGIN"
	// CodePublicSuffix: the pattern is a wildcard that matches hosts of unrelated owners.
	CodePublicSuffix Code = "PUBLIC_SUFFIX_ORIGIN"
	// CodeAnyInstallation: the pattern matches every installation of every browser extension.
	CodeAnyInstallation Code = "ANY_INSTALLATION_ORIGIN"
)

// Problem says why a pattern is refused.
type Problem struct {
	// Code is one of the codes above.
	Code Code
	// Reason is the rest of a sentence whose subject is the pattern.
	Reason string
	// Fix is the pattern to write instead; empty if none can be suggested. It does not have
	// this problem.
	Fix string
}

// Pattern is a parsed item of allow_origins. It is comparable. The zero value matches nothing.
type Pattern struct {
	kind   patternKind
	scheme string
	prefix string // for a star, the part of the first label before it
	suffix string // for a star, the part of the first label after it
	host   string // as in Parsed; for a wildcard, without "*."; for a star, without the first label
	port   string // as in Parsed; "*" for any port
}

type patternKind uint8

const (
	_                patternKind = iota
	kindExact                    // https://app.example.com, also with a port or ":*"
	kindWildcard                 // https://*.example.com, also with a port or ":*"
	kindStar                     // https://pr-*.example.com, also with a port or ":*"
	kindInstallation             // moz-extension://*
	kindNull                     // null
	kindAny                      // *
)

// ParsePattern parses an item of allow_origins:
//
//	https://app.example.com       this origin
//	https://app.example.com:*     this host on any port, including the default port
//	https://*.example.com         one or more labels before the host, not the host itself
//	https://pr-*.example.com      one or more characters, except dots, in place of the star; one
//	                              star, in the first label; https only, except below localhost
//	https://*.example.com:*       both a star and any port
//	capacitor://localhost         an application's origin, matched byte for byte
//	file://                       local files
//	moz-extension://*             every installation of every extension, for a fixed list of schemes
//	null                          opaque origins
//	*                             every origin, including null
//
// It returns all problems of s. Problems with the codes CodeNull, CodePlainHTTP,
// CodePublicSuffix and CodeAnyInstallation are risks that a caller may accept: if there are no
// others, the pattern is valid. If there is another problem, the pattern is the zero value, that problem is the first,
// and the risks after it are those of its Fix.
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

// readPattern implements the grammar: a pattern is *, null, an installation pattern, or an origin that Parse
// accepts, optionally with ":*" instead of a port, and with "*." before a host name or a star
// within its first label. Labels that begin with xn-- are punycode.
func readPattern(s string) (Pattern, bool) {
	switch s {
	case "*":
		return Pattern{kind: kindAny}, true
	case "null":
		return Pattern{kind: kindNull}, true
	}
	if scheme, ok := strings.CutSuffix(s, "://*"); ok && hasInstallations(scheme) {
		return Pattern{kind: kindInstallation, scheme: scheme}, true
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
	label, behind, _ := strings.Cut(rest, ".")
	prefix, suffix, star := strings.Cut(label, "*")
	if star {
		body = scheme + "://" + prefix + "a" + suffix + "." + behind // an origin that the pattern matches
	}
	o, ok := Parse(body)
	if !ok || isWeb(scheme) && invalidPunycode(o.Host) != "" || !isWeb(scheme) && (anyPort || wildcard || star || isTypo(scheme)) {
		return Pattern{}, false
	}
	p := Pattern{kind: kindExact, scheme: o.Scheme, host: o.Host, port: o.Port}
	if wildcard {
		if isIP(o.Host) {
			return Pattern{}, false
		}
		p.kind = kindWildcard
	}
	if star {
		p.kind, p.prefix, p.suffix = kindStar, prefix, suffix
		_, p.host, _ = strings.Cut(o.Host, ".")
		if wildcard || !p.validStar() {
			return Pattern{}, false
		}
	}
	if anyPort {
		if o.Port != "" {
			return Pattern{}, false
		}
		p.port = "*"
	}
	return p, true
}

// validStar reports whether a pattern that matches an origin may have its star. Its host is a name with a label behind
// the star's, and the star's label is not punycode. The scheme is https, unless the host is below localhost: under plain
// http, an attacker on the network can answer for every name that a star matches.
func (p Pattern) validStar() bool {
	return p.host != "" && !strings.HasPrefix(p.prefix, "xn--") && (p.scheme == "https" || isLocalhost(p.host))
}

// risks returns the risks that a caller must accept before it uses p.
func (p Pattern) risks() []Problem {
	var problems []Problem
	if p.kind == kindNull {
		problems = append(problems, Problem{Code: CodeNull,
			Reason: "is the origin of sandboxed frames, data: pages and redirected requests: any site can send it"})
	}
	if p.kind == kindExact && p.scheme == "file" {
		problems = append(problems, Problem{Code: CodeNull,
			Reason: "is the origin of every local file in some web views: any file that a visitor opens there can send it"})
	}
	if p.kind == kindInstallation {
		problems = append(problems, Problem{Code: CodeAnyInstallation,
			Reason: "matches every extension that a visitor has installed"})
	}
	if p.scheme == "http" && !isLoopback(p.host) {
		fix := p
		if fix.scheme = "https"; fix.port == "443" {
			fix.port = ""
		}
		problem := Problem{Code: CodePlainHTTP, Reason: "is plain http: an attacker on the network can impersonate it", Fix: fix.String()}
		if isLocalNetwork(p.host) { // no certificate authority signs such a name
			problem.Reason, problem.Fix = "is plain http on the local network, where any device can impersonate it: acceptable for development only", ""
		}
		problems = append(problems, problem)
	}
	if p.kind == kindWildcard || p.kind == kindStar {
		if reason := suffixReason(p.host); reason != "" {
			problem := Problem{Code: CodePublicSuffix, Reason: reason}
			if p.kind == kindStar {
				problem.Reason = strings.Replace(reason, "matches every host of", "matches hosts of", 1)
				problem.Fix = p.wildcardMeant()
			}
			problems = append(problems, problem)
		}
	}
	return problems
}

// wildcardMeant returns https://*.example.com for https://*example.com. It returns "" for a pattern with other text
// beside its star, and if that wildcard would match hosts of unrelated owners too.
func (p Pattern) wildcardMeant() string {
	host := p.suffix + "." + p.host
	if p.prefix != "" || strings.HasPrefix(p.suffix, "-") || suffixReason(host) != "" {
		return ""
	}
	return Pattern{kind: kindWildcard, scheme: p.scheme, host: host, port: p.port}.String()
}

// String returns the text of the pattern, which ParsePattern accepts; "" for the zero value.
func (p Pattern) String() string {
	var b strings.Builder
	switch p.kind {
	case kindAny:
		return "*"
	case kindNull:
		return "null"
	case kindInstallation:
		return p.scheme + "://*"
	case kindExact:
		b.WriteString(p.scheme + "://" + p.host)
	case kindWildcard:
		b.WriteString(p.scheme + "://*." + p.host)
	case kindStar:
		b.WriteString(p.scheme + "://" + p.prefix + "*" + p.suffix + "." + p.host)
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

// NeverWithCredentials reports whether pages of unrelated owners have the origins that the text of
// a pattern matches, so that no rule may allow them together with credentials: *, null, file://
// and moz-extension://* and its like.
func NeverWithCredentials(pattern string) bool {
	scheme, ok := strings.CutSuffix(pattern, "://*")
	return pattern == "*" || pattern == "null" || pattern == "file://" || ok && hasInstallations(scheme)
}

// hasInstallations reports whether a pattern may match all hosts of a scheme. Pages of the web
// never have these schemes. Browsers and editors give a random host to each installation of an
// extension (chrome-extension: one that its key or its folder determines), so that a server
// cannot list the origins.
func hasInstallations(scheme string) bool {
	switch scheme {
	case "chrome-extension", "moz-extension", "safari-web-extension", "vscode-webview":
		return true
	}
	return false
}

// Match reports whether p allows o, which must be a result of Parse. The zero Parsed matches
// nothing.
func (p Pattern) Match(o Parsed) bool {
	if o == (Parsed{}) {
		return false
	}
	switch p.kind {
	case kindAny:
		return true
	case kindNull:
		return o.Null
	case kindInstallation:
		return o.Scheme == p.scheme
	case kindExact:
		return o.Scheme == p.scheme && o.Host == p.host && p.matchPort(o)
	case kindWildcard:
		return o.Scheme == p.scheme && isBelow(o.Host, p.host) && p.matchPort(o)
	case kindStar:
		return o.Scheme == p.scheme && p.matchStar(o.Host) && p.matchPort(o)
	}
	return false
}

func (p Pattern) matchPort(o Parsed) bool { return p.port == "*" || p.port == o.Port }

// matchStar reports whether p matches a host. A star stands for at least one character of the first label. The
// letters of an xn-- label are an encoding, not its characters, so that a star does not match them.
func (p Pattern) matchStar(host string) bool {
	label, behind, _ := strings.Cut(host, ".")
	return behind == p.host && len(label) > len(p.prefix)+len(p.suffix) && !strings.HasPrefix(label, "xn--") &&
		strings.HasPrefix(label, p.prefix) && strings.HasSuffix(label, p.suffix)
}

// isBelow reports whether host is base with one or more labels before it.
func isBelow(host, base string) bool {
	front, ok := strings.CutSuffix(host, base)
	return ok && len(front) > 1 && strings.HasSuffix(front, ".")
}
