package origin

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"
)

// starForms lists the places of a * in a pattern.
const starForms = "a * stands for the labels before a host (https://*.example.com), for characters of the first label (https://pr-*.example.com) or for the port (https://example.com:*)"

// diagnose describes why readPattern refuses a text. Its result has no influence on matching:
// it is the message, and a Fix that readPattern accepts.
func diagnose(s string) Problem {
	if s == "" {
		return syntax("is empty")
	}
	if len(s) > MaxLen {
		return syntax(fmt.Sprintf("is longer than any origin, which has at most %d bytes", MaxLen))
	}
	if !utf8.ValidString(s) {
		return syntax("is not UTF-8")
	}
	if strings.Contains(s, "{{") && strings.Contains(s, ".") || strings.Contains(s, "<%") || strings.Contains(s, "{%") {
		return syntax("has a placeholder of a template that is not filled in: run the template first, and load its output")
	}
	if trimmed := strings.Trim(s, extraCharacters); trimmed != s {
		return syntax("has extra characters before or after the origin", trimmed, shorterFix(trimmed, s))
	}
	if p, ok := diagnoseVariable(s); ok {
		return p
	}
	if p, ok := diagnoseExpression(s); ok {
		return p
	}
	if strings.ContainsFunc(s, isSeparator) {
		return syntax("contains a space or a separator: write each origin as an item of its own")
	}
	if strings.EqualFold(s, "null") {
		return Problem{Code: CodeNeverSent, Reason: "has upper case letters, and browsers send null in lower case", Fix: "null"}
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return diagnoseNoScheme(s)
	}
	if strings.Contains(scheme, "*") {
		return starInScheme(strings.ReplaceAll(scheme, "*", ""), rest)
	}
	switch lower := strings.ToLower(scheme); {
	case isWeb(lower):
		return diagnoseWeb(lower, scheme, rest)
	case isTypo(lower):
		meant := "https"
		if !isNear(lower, "https") {
			meant = "http"
		}
		return syntax("has a scheme that looks like a misspelling of "+meant, repaired(meant+"://"+rest))
	default:
		return diagnoseCustom(lower, scheme, rest)
	}
}

// syntax returns a problem with CodeSyntax, with the first of the fixes that is a valid
// pattern.
func syntax(reason string, fixes ...string) Problem {
	p := Problem{Code: CodeSyntax, Reason: reason}
	for _, fix := range fixes {
		if _, ok := readPattern(fix); ok {
			p.Fix = fix
			break
		}
	}
	return p
}

// repaired returns the pattern that a text with a scheme stands for, if diagnoseWeb can tell;
// otherwise the text.
func repaired(s string) string {
	scheme, rest, _ := strings.Cut(s, "://")
	if lower := strings.ToLower(scheme); isWeb(lower) {
		if fix := diagnoseWeb(lower, scheme, rest).Fix; fix != "" {
			return fix
		}
	}
	return s
}

// neverSent returns a problem with CodeNeverSent, for a text that is equivalent to an origin
// but not written as browsers write it. The causes are the differences.
func neverSent(causes []string, fix string) Problem {
	p := Problem{Code: CodeNeverSent, Reason: "is not how browsers write an origin (" + strings.Join(causes, ", ") + ")"}
	if _, ok := readPattern(fix); ok {
		p.Fix = fix
	}
	return p
}

// diagnoseExpression reports regular expressions, with a Fix for the simple ones.
func diagnoseExpression(s string) (Problem, bool) {
	if !strings.ContainsAny(s, `^$\(){}`) && !strings.HasPrefix(s, ".*") && !strings.Contains(s, "://.*") && !strings.Contains(s, "]+") && !strings.Contains(s, "]*") {
		return Problem{}, false
	}
	if strings.Contains(s, `:\\`) {
		return syntax("has backslashes instead of slashes", repaired(strings.ReplaceAll(s, `\`, "/"))), true
	}
	plain := strings.TrimSuffix(strings.TrimPrefix(s, "^"), "$")
	plain = strings.NewReplacer(`.*\.`, "*.", `.+\.`, "*.", ".*.", "*.", `\.`, ".", `\/`, "/").Replace(plain)
	return syntax("looks like a regular expression, which is not supported: "+starForms, plain, shorterFix(plain, s)), true
}

// shorterFix returns the Fix of a text that was made from a longer one. It returns "" if the
// text is not shorter, so that the recursion ends.
func shorterFix(text, longer string) string {
	if len(text) >= len(longer) {
		return ""
	}
	return diagnose(text).Fix
}

func diagnoseNoScheme(s string) Problem {
	lower := strings.ToLower(s)
	for _, scheme := range []string{"https", "http"} {
		rest, ok := strings.CutPrefix(lower, scheme)
		if ok && rest != "" && strings.Contains(":/;", rest[:1]) {
			return syntax("has no :// after the scheme", repaired(scheme+"://"+strings.TrimLeft(rest, ":/;")))
		}
	}
	rest := strings.TrimPrefix(s, "//")
	host, _, _ := cutPort(strings.TrimPrefix(rest, "*."))
	host, _ = strings.CutSuffix(host, ":*")
	host, _, _ = strings.Cut(host, "/")
	switch {
	case isIPv6(rest):
		scheme := "https"
		if netip.MustParseAddr(rest).IsLoopback() {
			scheme = "http"
		}
		return syntax("has no scheme", repaired(scheme+"://"+rest))
	case isLoopback(host) || isIP(host) && isLocalNetwork(host) || strings.HasPrefix(rest, "localhost:"):
		return syntax("has no scheme", repaired("http://"+rest))
	case strings.ContainsAny(rest, ".["):
		return syntax("has no scheme", repaired("https://"+rest))
	}
	return syntax("has no scheme, such as https://")
}

func diagnoseCustom(lower, scheme, rest string) Problem {
	switch {
	case !validScheme(lower):
		return syntax("has an invalid scheme: a scheme begins with a letter and consists of letters, digits, '+', '-' and '.'")
	case lower == "wss" || lower == "ws":
		p := syntax("", repaired("http"+lower[len("ws"):]+"://"+rest))
		p.Code, p.Reason = CodeNeverSent, "is a WebSocket URL, and browsers send the origin of the page that opens the connection"
		return p
	case !validCustomScheme(lower):
		return Problem{Code: CodeNeverSent, Reason: "is never sent as an origin: pages of this scheme have the origin null, or the origin of the page that created them"}
	case lower == "file" && strings.Contains(rest, "*"):
		return syntax("has a *, and the origin of every local file is file://", "file://")
	case hasInstallations(lower) && strings.TrimRight(rest, "/") == "*":
		var causes []string
		if lower != scheme {
			causes = append(causes, "upper case in the scheme")
		}
		if rest != "*" {
			causes = append(causes, "a trailing slash")
		}
		return neverSent(causes, lower+"://*")
	case strings.Contains(rest, "*"):
		return syntax("has a *, but origins of schemes other than http and https are matched byte for byte: list each one")
	}
	var causes []string
	if lower != scheme {
		causes = append(causes, "upper case in the scheme")
	}
	host, causes := cutTail(rest, causes)
	if host == "" && lower != "file" {
		return syntax("has no host")
	}
	if host != "" && lower == "file" {
		return Problem{Code: CodeNeverSent, Reason: "has a host, and the origin of every local file is file://", Fix: "file://"}
	}
	if bad := strings.IndexFunc(host, func(r rune) bool { return r >= utf8.RuneSelf || !customHostByte(byte(r)) }); bad >= 0 {
		return syntax(badCharacter(host[bad:]))
	}
	return neverSent(causes, lower+"://"+host)
}

// cutTail removes a user name, path, query and fragment, which an origin never has. It appends
// what it removed to the causes.
func cutTail(rest string, causes []string) (string, []string) {
	rest, fragment, hasFragment := strings.Cut(rest, "#")
	rest, query, hasQuery := strings.Cut(rest, "?")
	rest, path, hasPath := strings.Cut(rest, "/")
	switch {
	case hasPath && path+query+fragment == "" && !hasQuery && !hasFragment:
		causes = append(causes, "a trailing slash")
	case hasPath:
		causes = append(causes, "a path")
	}
	if hasQuery {
		causes = append(causes, "a query")
	}
	if hasFragment {
		causes = append(causes, "a fragment")
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest, causes = rest[i+1:], append(causes, "a user name")
	}
	return rest, causes
}

// starInScheme describes a * in the scheme; the argument scheme is without it.
func starInScheme(scheme, rest string) Problem {
	const reason = "has a * in the scheme, which must be written in full"
	lower := strings.ToLower(scheme)
	switch {
	case scheme == "" || lower == "http" || isTypo(lower):
		return syntax(reason, repaired("https://"+rest))
	case hasInstallations(lower) && (rest == "" || rest == "*"):
		return syntax(reason, lower+"://*")
	case strings.HasSuffix(lower, "-"):
		return syntax(reason) // chrome-*://, for example, does not say which scheme is meant
	}
	return syntax(reason, repaired(lower+"://"+rest))
}

func badCharacter(s string) string {
	r, _ := utf8.DecodeRuneInString(s)
	return fmt.Sprintf("has the invalid character %q in the host", r)
}

// isTypo reports whether a scheme looks like a misspelling of http or https. A pattern with
// such a scheme would match nothing, without a message.
func isTypo(scheme string) bool {
	return !isWeb(scheme) && (isNear(scheme, "https") || isNear(scheme, "http"))
}

// isNear reports whether a differs from b by one insertion, deletion or substitution, or by the
// order of its letters.
func isNear(a, b string) bool {
	x, y := []byte(a), []byte(b)
	slices.Sort(x)
	slices.Sort(y)
	if string(x) == string(y) {
		return true
	}
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return len(a) <= 1 && len(b) <= 1
}
