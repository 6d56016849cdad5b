// Package responsewriter determines the capabilities of an http.ResponseWriter that may wrap
// others. Its functions are safe for concurrent use.
package responsewriter

import "net/http"

// CanFlush reports whether http.ResponseController can flush w or a writer that w wraps.
func CanFlush(w http.ResponseWriter) bool {
	for {
		switch f := w.(type) {
		case http.Flusher, interface{ FlushError() error }:
			return true
		case interface{ Unwrap() http.ResponseWriter }:
			w = f.Unwrap()
		default:
			return false
		}
	}
}
