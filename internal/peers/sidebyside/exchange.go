package sidebyside

import (
	"fmt"
	"net/http"
	"strings"
)

// An Exchange is a request as a program sends it, and what of the answer a page shows.
type Exchange struct {
	// Words describe the request in the first cell of its row.
	Words string
	// Method, Path and Header are the request's.
	Method, Path string
	Header       http.Header
	// Show is a response field whose value is shown, or "" for the status.
	Show string
}

// Request returns an exchange with the fields of a request, as names and values in turn.
func Request(words, method, path string, header ...string) Exchange {
	e := Exchange{Words: words, Method: method, Path: path, Header: http.Header{}}
	for i := 0; i < len(header); i += 2 {
		e.Header.Set(header[i], header[i+1])
	}
	return e
}

// Preflight returns an exchange with a preflight for a call of Buy.
func Preflight(words, origin, method, headers string) Exchange {
	return Request(words, http.MethodOptions, Buy, "Origin", origin, "Access-Control-Request-Method", method, "Access-Control-Request-Headers", headers)
}

// Showing returns the same request, of whose answer a field is shown.
func (e Exchange) Showing(words, name string) Exchange {
	e.Words, e.Show = words, name
	return e
}

// Answer returns what a page shows of the answer: the field, or the status, whether the application ran, and whether a
// page may read the answer.
func (e Exchange) Answer(status int, ran bool, header http.Header) string {
	if e.Show != "" {
		if value := strings.ToLower(strings.Join(header.Values(e.Show), ", ")); value != "" {
			return "`" + value + "`"
		}
		return "none"
	}
	text := fmt.Sprintf("`%d`", status)
	if ran {
		text += ", runs"
	}
	if header.Get("Access-Control-Allow-Origin") != "" {
		text += ", granted"
	}
	return text
}
