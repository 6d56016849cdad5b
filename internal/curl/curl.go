// Package curl writes the commands of the program curl that send a request again.
package curl

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Command returns a command for a POSIX shell that sends a request. The body of a POST is {}. The options
// and fields turn off defaults of curl: to remove dot segments from paths, to expand brackets and braces,
// and to wait for the body of a response to HEAD. They also turn off the Content-Type that curl adds to each
// body, and keep header fields without a value. Further options come before the method.
func Command(method, url string, header http.Header, options ...string) string {
	words := append([]string{"curl", "-i", "-g", "--path-as-is"}, options...)
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
	if method == http.MethodPost {
		if len(header["Content-Type"]) == 0 {
			words = append(words, "-H", "Content-Type:")
		}
		words = append(words, "--data", "'{}'")
	}
	return strings.Join(words, " ")
}

// shellQuoted returns a text quoted as one word of a POSIX shell.
func shellQuoted(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
