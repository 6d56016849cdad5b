package origin

import (
	"regexp"
	"strings"
)

// Items returns the origins of a text that holds several where one is needed, as patterns that are
// written correctly. It returns nil if the text is something else, such as one origin with a space in
// it.
func Items(text string) (items []string) {
	bare, schemes := false, false
	for _, part := range strings.FieldsFunc(text, isSeparator) {
		part = strings.Trim(part, extraCharacters)
		if part == "" {
			continue
		}
		hasScheme := strings.Contains(part, "://")
		schemes = schemes || hasScheme
		if _, ok := readPattern(part); !ok {
			if bare = bare || !hasScheme; !hasScheme && !strings.ContainsAny(part, ".:") {
				return nil // a part of a host, or a word
			}
			if part = diagnose(part).Fix; part == "" {
				return nil
			}
		}
		items = append(items, part)
	}
	if len(items) < 2 || bare && schemes && !strings.ContainsAny(text, ",;|\r\n") {
		return nil
	}
	return items
}

func isSeparator(r rune) bool { return strings.ContainsRune(" \t\r\n,;|\u00a0", r) }

// extraCharacters are characters that people write around an origin.
const extraCharacters = " \t\r\n\"'`<>,;“”„‘’‚«»\u00a0\u200b\ufeff"

// otherVariables matches the forms in which other programs write an environment variable.
var otherVariables = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)[^{}]*\}|\$\(([A-Za-z_][A-Za-z0-9_]*)\)|\$env:([A-Za-z_][A-Za-z0-9_]*)|\$([A-Za-z_][A-Za-z0-9_]*)|%([A-Za-z_][A-Za-z0-9_]*)%|\{\{ *(?:env\.)?([A-Za-z_][A-Za-z0-9_]*) *\}\}`)

// Variables returns the names of the environment variables in a text that is not a pattern, in any
// form of shells and templates, and whether the text is one variable and nothing else.
func Variables(text string) (names []string, alone bool) {
	if len(text) > MaxLen {
		return nil, false
	}
	for _, m := range otherVariables.FindAllStringSubmatch(text, -1) {
		for _, name := range m[1:] {
			if name != "" {
				names = append(names, name)
			}
		}
		alone = m[0] == text
	}
	return names, alone
}

// diagnoseVariable reports a text with an environment variable in a form that policies do not
// have. In a policy, a variable is a whole item, which the caller of ParsePattern replaces.
func diagnoseVariable(s string) (Problem, bool) {
	switch names, alone := Variables(s); {
	case len(names) == 1 && s == "${"+names[0]+"}":
		return syntax("is an environment variable, which only an item of allow_origins or add_origins in a policy can be"), true
	case len(names) == 1 && alone:
		return syntax("is an environment variable in another form than ${" + names[0] + "}"), true
	case len(names) > 0:
		return syntax("has an environment variable within it, but a variable is a whole item, as ${" + names[0] + "}: it has to hold whole origins such as https://app.example.com, separated by commas"), true
	}
	return Problem{}, false
}
