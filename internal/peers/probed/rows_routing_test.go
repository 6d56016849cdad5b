package probed

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// routingRow returns a row of a server that has something in front of a sound CORS layer. After the fix, the
// layer is in front of it.
func routingRow(name, fault string, front func(next http.Handler) http.Handler, found ...string) row {
	return row{
		name: name, fault: fault, found: found, page: "ALLOW_ORIGIN_ABSENT",
		start: func(t *testing.T, seen *traffic) server {
			t.Helper()
			return newServer(t, seen.watch(front(byHand{}.wrap(account(nil)))))
		},
		fixed: func(t *testing.T, seen *traffic) server {
			t.Helper()
			return newServer(t, seen.watch(byHand{}.wrap(front(account(nil)))))
		},
	}
}

var routingRows = []row{
	routingRow("authentication before the CORS layer", "Its preflights need a token.", func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "" {
				w.Header().Set("WWW-Authenticate", "Bearer")
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	}, "PREFLIGHT_UNAUTHENTICATED"),
	routingRow("connect-go", "It has no CORS layer, and answers OPTIONS with 405.", func(http.Handler) http.Handler { return account(nil) }, "PREFLIGHT_NOT_HANDLED").telling("PREFLIGHT_NOT_HANDLED", "405"),
	routingRow("net/http: method patterns", "Its routes name GET and POST, so the router answers OPTIONS with 405.", func(next http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("POST "+me, next)
		mux.Handle("GET "+me, next)
		return mux
	}, "PREFLIGHT_NOT_HANDLED"),
	routingRow("net/http: trailing slash", "Its router redirects the procedure to a path with a slash at its end.", func(next http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle(me+"/", next)
		return mux
	}, "PREFLIGHT_REDIRECT"),
	routingRow("http to https", "It redirects every request to https.", func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://"+r.Host+r.URL.RequestURI(), http.StatusPermanentRedirect)
		})
	}, "PREFLIGHT_REDIRECT").telling("PREFLIGHT_REDIRECT", "308"),
	routingRow("another host", "It redirects every request to another host.", func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://www.example.com"+r.URL.RequestURI(), http.StatusMovedPermanently)
		})
	}, "PREFLIGHT_REDIRECT"),
	routingRow("HTML", "It answers every request with 200 and a page.", func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<!doctype html><title>App</title>"))
		})
	}, "ORIGIN_NOT_GRANTED"),
	routingRow("404", "It does not have the procedure, and its router answers before the CORS layer.", func(next http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/other.v1.OtherService/", next)
		return mux
	}, "PREFLIGHT_NOT_HANDLED"),
	routingRow("500", "It fails on each preflight.", func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if isPreflight(r) {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			next.ServeHTTP(w, r)
		})
	}, "PREFLIGHT_STATUS"),
	routingRow("one procedure without a layer", "One of its procedures is registered before the CORS layer.", func(next http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/", next)
		mux.Handle(rename, account(nil))
		return mux
	}, "PREFLIGHT_NOT_HANDLED").but(func(r *row) { r.all, r.page = true, "ALLOW_ORIGIN_ABSENT preflight_passes readable" }),
	{
		name: "a slow server", fault: "It never answers a preflight.", found: []string{unreachable}, page: "unreachable",
		flags: []string{"--timeout", "2s"}, fixed: handServer(byHand{}),
		start: func(t *testing.T, seen *traffic) server {
			t.Helper()
			layer := byHand{}.wrap(account(nil))
			return newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen.count(r)
				if !isPreflight(r) {
					layer.ServeHTTP(w, r)
					return
				}
				select {
				case <-r.Context().Done(): // the probe has given up
				case <-time.After(time.Minute):
				}
			}))
		},
	},
	{
		name: "a broken server", fault: "It answers what is not HTTP.", words: "the server does not answer in HTTP",
		start: func(t *testing.T, seen *traffic) server {
			t.Helper()
			return newRaw(t, seen, "\x00\x01garbage\r\n\r\n")
		},
	},
	{
		name: "a server that ends each connection", fault: "It closes the connection instead of an answer.", words: "the server closed the connection without a response",
		start: func(t *testing.T, seen *traffic) server {
			t.Helper()
			return newRaw(t, seen, "")
		},
	},
	{
		name: "escape sequences", fault: "A response header has escape sequences for terminals.", words: "the header of the response is not valid",
		start: func(t *testing.T, seen *traffic) server {
			t.Helper()
			return newRaw(t, seen, strings.ReplaceAll(`HTTP/1.1 204 No Content
Access-Control-Allow-Origin: https://app.example.com`+"\x1b[2J"+`
Access-Control-Allow-Credentials: true
Access-Control-Allow-Headers: `+requestHeaders+`
Access-Control-Expose-Headers: `+statusHeaders+`
Access-Control-Max-Age: 7200
Vary: Origin
Connection: close

`, "\n", "\r\n"))
		},
	},
}
