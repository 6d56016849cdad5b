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

// Written reports whether the response was written, as far as w or a writer that w wraps reports
// that by a method Written() bool. The writers of gin and negroni have this method. known is false
// if none has it.
func Written(w http.ResponseWriter) (written, known bool) {
	for {
		switch f := w.(type) {
		case interface{ Written() bool }:
			return f.Written(), true
		case interface{ Unwrap() http.ResponseWriter }:
			w = f.Unwrap()
		default:
			return false, false
		}
	}
}

// Innermost returns the last writer in the chain of writers that w wraps, or w itself.
func Innermost(w http.ResponseWriter) http.ResponseWriter {
	for {
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = u.Unwrap()
	}
}
