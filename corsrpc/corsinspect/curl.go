package corsinspect

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// curl returns a command that sends the request of an exchange to the URL of the call. Its
// options and fields turn off defaults of curl: to remove dot segments from paths, to expand
// brackets and braces, and to wait for the body of a response to HEAD. They also turn off the
// Content-Type that curl adds to each body, and keep header fields without a value. The command omits
// header fields that browsers add and that no decision depends on.
func curl(e Exchange, call *http.Request) string {
	header := maps.Clone(e.Request.Header)
	for _, name := range []string{"Accept", "Accept-Encoding", "Referer", "User-Agent"} {
		if e.Preflight || len(call.Header[name]) == 0 {
			delete(header, name)
		}
	}
	words := []string{"curl", "-i", "-g", "--path-as-is"}
	if e.Request.Method == http.MethodHead {
		words = append(words, "--head")
	} else {
		words = append(words, "-X", shellQuoted(e.Request.Method))
	}
	words = append(words, shellQuoted(call.URL.String()))
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			field := name + ": " + value
			if value == "" {
				field = name + ";"
			}
			words = append(words, "-H", shellQuoted(field))
		}
	}
	if e.Request.Method == http.MethodPost {
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
