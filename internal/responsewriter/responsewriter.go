// Package responsewriter says what an http.ResponseWriter can do, through any
// number of writers around it.
package responsewriter

import "net/http"

// CanFlush reports whether http.ResponseController finds a way to flush.
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
