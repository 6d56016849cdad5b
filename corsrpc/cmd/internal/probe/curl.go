package probe

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// curlOf returns a command for a POSIX shell that sends the request of an exchange to the server. It omits
// the fields that a browser adds and on which no server's CORS decision depends.
func curlOf(s Server, e Exchange) string {
	words := []string{"curl", "-i", "-g", "--path-as-is"}
	if s.URL.Scheme == "h2c" {
		words = append(words, "--http2-prior-knowledge")
	}
	words = append(words, "-X", shellQuoted(e.Method), shellQuoted(e.URL))
	for _, name := range slices.Sorted(maps.Keys(e.Header)) {
		switch name {
		case "Accept", "Accept-Encoding", "Referer", "User-Agent":
			continue
		}
		for _, value := range e.Header[name] {
			words = append(words, "-H", shellQuoted(name+": "+value))
		}
	}
	if e.Method == http.MethodPost {
		words = append(words, "--data-binary", "'{}'")
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
