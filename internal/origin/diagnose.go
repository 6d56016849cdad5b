package origin

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// diagnose says what is wrong with a text that readPattern refuses. It decides
// nothing: a mistake here makes a message worse, not a match wider. Every Fix
// is one that readPattern takes.
func diagnose(s string) Problem {
	if s == "" {
		return syntax("names no origin")
	}
	if len(s) > MaxLen {
		return syntax(fmt.Sprintf("is longer than any origin, which has at most %d bytes", MaxLen))
	}
	if !utf8.ValidString(s) {
		return syntax("is not UTF-8")
	}
	if trimmed := strings.Trim(s, " \t\r\n\"'`<>,;"); trimmed != s {
		return syntax("has characters around it that are not the origin's", trimmed, shorterFix(trimmed, s))
	}
	if p, ok := diagnoseExpression(s); ok {
		return p
	}
	if strings.ContainsAny(s, " \t\r\n,;|") {
		return syntax("is more than one origin, or has a space in it: write each origin as an item of its own")
	}
	if strings.EqualFold(s, "null") {
		return Problem{Code: CodeNeverSent, Reason: "is in upper case where browsers send null", Fix: "null"}
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return diagnoseNoScheme(s)
	}
	if strings.Contains(scheme, "*") {
		return syntax("has a star in the scheme, which has to be written out", repaired("https://"+rest))
	}
	switch lower := strings.ToLower(scheme); {
	case isWeb(lower):
		return diagnoseWeb(lower, scheme, rest)
	case isTypo(lower):
		meant := "https"
		if !isNear(lower, "https") {
			meant = "http"
		}
		return syntax("has a scheme that looks like a slip for "+meant, repaired(meant+"://"+rest))
	default:
		return diagnoseCustom(lower, scheme, rest)
	}
}

// syntax returns a problem of the form, with the first of the fixes that is a
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

// repaired returns the pattern that a text with a scheme means, if it can be
// told.
func repaired(s string) string {
	scheme, rest, _ := strings.Cut(s, "://")
	if lower := strings.ToLower(scheme); isWeb(lower) {
		if fix := diagnoseWeb(lower, scheme, rest).Fix; fix != "" {
			return fix
		}
	}
	return s
}

// neverSent returns the problem of a text that means an origin but is written
// otherwise than browsers do, for the causes given.
func neverSent(causes []string, fix string) Problem {
	p := Problem{Code: CodeNeverSent, Reason: "is not how browsers write an origin (" + strings.Join(causes, ", ") + ")"}
	if _, ok := readPattern(fix); ok {
		p.Fix = fix
	}
	return p
}

// diagnoseExpression finds regular expressions, and reads the plain ones.
func diagnoseExpression(s string) (Problem, bool) {
	if !strings.ContainsAny(s, `^$\(){}`) && !strings.HasPrefix(s, ".*") && !strings.Contains(s, "://.*") && !strings.Contains(s, "]+") && !strings.Contains(s, "]*") {
		return Problem{}, false
	}
	if strings.Contains(s, `:\\`) {
		return syntax("has backslashes for slashes", repaired(strings.ReplaceAll(s, `\`, "/"))), true
	}
	plain := strings.TrimSuffix(strings.TrimPrefix(s, "^"), "$")
	plain = strings.NewReplacer(`.*\.`, "*.", `.+\.`, "*.", ".*.", "*.", `\.`, ".", `\/`, "/").Replace(plain)
	return syntax("looks like a regular expression, and none are read: an origin is matched whole, https://*.example.com stands for all hosts below one, :* for any port", plain, shorterFix(plain, s)), true
}

// shorterFix returns the Fix of a text that was made from a longer one, so that
// no text is diagnosed without end.
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
			return syntax("has no :// behind the scheme", repaired(scheme+"://"+strings.TrimLeft(rest, ":/;")))
		}
	}
	rest := strings.TrimPrefix(s, "//")
	host, _, _ := cutPort(strings.TrimPrefix(rest, "*."))
	host, _ = strings.CutSuffix(host, ":*")
	host, _, _ = strings.Cut(host, "/")
	switch {
	case isLoopback(host) || strings.HasPrefix(rest, "localhost:"):
		return syntax("has no scheme", repaired("http://"+rest))
	case strings.ContainsAny(rest, ".["):
		return syntax("has no scheme", repaired("https://"+rest))
	}
	return syntax("has no scheme, such as https://")
}

func diagnoseCustom(lower, scheme, rest string) Problem {
	switch {
	case !validScheme(lower):
		return syntax("has a scheme that is none: it takes letters, digits, '+', '-' and '.'")
	case lower == "wss" || lower == "ws":
		p := syntax("", repaired("http"+lower[len("ws"):]+"://"+rest))
		p.Code, p.Reason = CodeNeverSent, "is a WebSocket address, and browsers send the origin of the page that opens it"
		return p
	case !validCustomScheme(lower):
		return Problem{Code: CodeNeverSent, Reason: "is never an origin: such pages have the origin null, or that of the page that made them"}
	case strings.Contains(rest, "*"):
		return syntax("has a star, and origins of schemes other than http and https are matched exact to the byte: name each one")
	}
	var causes []string
	if lower != scheme {
		causes = append(causes, "upper case in the scheme")
	}
	host, causes := cutTail(rest, causes)
	if host == "" && lower != "file" {
		return syntax("names no host")
	}
	if bad := strings.IndexFunc(host, func(r rune) bool { return r >= utf8.RuneSelf || !customHostByte(byte(r)) }); bad >= 0 {
		return syntax(badCharacter(host[bad:]))
	}
	return neverSent(causes, lower+"://"+host)
}

// cutTail cuts off what an origin never has before and behind the host and
// port, and adds the causes.
func cutTail(rest string, causes []string) (string, []string) {
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		cause := "a path"
		if rest[i:] == "/" {
			cause = "a trailing slash"
		}
		rest, causes = rest[:i], append(causes, cause)
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest, causes = rest[i+1:], append(causes, "a user name")
	}
	return rest, causes
}

func badCharacter(s string) string {
	r, _ := utf8.DecodeRuneInString(s)
	return fmt.Sprintf("has %q in the host, where an origin has none", r)
}

// isTypo reports whether a scheme looks like http or https misspelt: such a
// pattern would silently match nothing.
func isTypo(scheme string) bool {
	return !isWeb(scheme) && (isNear(scheme, "https") || isNear(scheme, "http"))
}

// isNear reports whether a is one insertion, deletion, substitution or
// reordering away from b.
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
