package corsinspect

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// curl is the command that sends the request, and no other: by itself curl cleans up
// paths, asks for each item of what is in brackets, awaits the body of an answer to HEAD,
// gives each body a type, and leaves out header fields without a value.
func curl(r corsrpc.Request, to *url.URL) string {
	words := []string{"curl", "-i", "-g", "--path-as-is"}
	if r.Method == http.MethodHead {
		words = append(words, "--head")
	} else {
		words = append(words, "-X", shellQuoted(r.Method))
	}
	words = append(words, shellQuoted(to.String()))
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, value := range r.Header[name] {
			field := name + ": " + value
			if value == "" {
				field = name + ";"
			}
			words = append(words, "-H", shellQuoted(field))
		}
	}
	if r.Method == http.MethodPost {
		if len(r.Header["Content-Type"]) == 0 {
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
