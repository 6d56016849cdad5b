package gatewayfile

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Parts of a text, and the passwords in them. Errors and the lines that they show go to logs.
var (
	// part matches what stands in quotes, or a word.
	part = regexp.MustCompile(`"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s"'{}\[\],:]\S*`)
	// userInfo matches the user and the password of a URL, which may be cut off, and bare those before a host.
	userInfo = regexp.MustCompile(`(//[^\s:@/"']*:)(.+)[@…]`)
	bare     = regexp.MustCompile(`^(["']?[^\s:@/"']+:)([^\s/].*)@`)
	// parameter matches a parameter, or a field, whose value is a password.
	parameter = regexp.MustCompile(`(?i)((?:password|passwd|pwd|secret|token)["']?[ \t]*[:=][ \t]*)("[^"\n]*"?|'[^'\n]*'?|[^\s&,}'"]+)`)
	// variable matches what stands for an environment variable, which is not a secret.
	variable = regexp.MustCompile(`^["']?\$\{[A-Za-z_]\w*\}["']?$`)
)

// withoutSecrets returns a value, or a message about it, with asterisks in place of passwords.
func withoutSecrets(text string) string {
	return maskedParts(mask(bare, mask(userInfo, text)))
}

// maskedText returns the text of a file with asterisks in place of passwords. Its lines and columns are those of
// the file.
func maskedText(text []byte) []byte {
	if !utf8.Valid(text) {
		return text // it is not shown
	}
	return []byte(maskedParts(string(text)))
}

// maskedParts puts asterisks in place of the passwords in each part of a text.
func maskedParts(text string) string {
	masked := part.ReplaceAllStringFunc(text, func(part string) string { return mask(bare, mask(userInfo, part)) })
	return mask(parameter, masked)
}

// mask puts asterisks in place of the second group of each match.
func mask(secret *regexp.Regexp, text string) string {
	return secret.ReplaceAllStringFunc(text, func(match string) string {
		groups := secret.FindStringSubmatch(match)
		if groups == nil || variable.MatchString(groups[2]) {
			return match
		}
		return groups[1] + strings.Repeat("*", utf8.RuneCountInString(groups[2])) + match[len(groups[1])+len(groups[2]):]
	})
}
