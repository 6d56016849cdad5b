package corsinspect

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// curl is the command that sends an exchange's request to the call's URL, and no other: by
// itself curl cleans up paths, asks for each item of what is in brackets, awaits the body
// of an answer to HEAD, gives each body a type, and leaves out header fields without a
// value. The command leaves out the fields that browsers add and no
// decision depends on.
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

// shellQuoted is text as one word of a shell.
func shellQuoted(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
