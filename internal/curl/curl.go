// Package curl writes the commands of the program curl that send a request again.
package curl

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Command returns a command for a POSIX shell that sends a request. The body is that of a POST, and printf
// writes one with bytes that are not text. The options and fields turn off defaults of curl: to remove dot segments from paths, to expand brackets and braces,
// and to wait for the body of a response to HEAD. They also turn off the Content-Type that curl adds to each
// body, and keep header fields without a value. Further options come before the method.
func Command(method, url string, header http.Header, body string, options ...string) string {
	words := []string{"curl", "-i", "-g", "--path-as-is"}
	for _, option := range options {
		words = append(words, shellQuoted(option))
	}
	if method == http.MethodHead {
		words = append(words, "--head")
	} else {
		words = append(words, "-X", shellQuoted(method))
	}
	words = append(words, shellQuoted(url))
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			field := name + ": " + value
			if value == "" {
				field = name + ";"
			}
			words = append(words, "-H", shellQuoted(field))
		}
	}
	if method != http.MethodPost {
		return strings.Join(words, " ")
	}
	if len(header["Content-Type"]) == 0 {
		words = append(words, "-H", "Content-Type:")
	}
	if isText(body) {
		return strings.Join(append(words, "--data", shellQuoted(body)), " ")
	}
	return "printf " + printfFormat(body) + " | " + strings.Join(append(words, "--data-binary", "@-"), " ")
}

// isText reports whether a body can be written in the command. To curl, an "@" begins the name of a file.
func isText(body string) bool {
	return !strings.HasPrefix(body, "@") && !strings.ContainsFunc(body, func(r rune) bool { return r < 0x20 || r > 0x7e })
}

// printfFormat returns the word of a POSIX shell from which printf writes the body.
func printfFormat(body string) string {
	var b strings.Builder
	for _, c := range []byte(body) {
		switch {
		case c == '%':
			b.WriteString("%%")
		case c < ' ' || c > '~' || c == '\\' || c == '\'':
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	return shellQuoted(b.String())
}

// shellQuoted returns a text quoted as one word of a POSIX shell.
func shellQuoted(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
