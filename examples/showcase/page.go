package main

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
)

// preflightCounter counts the preflights that reach a server.
type preflightCounter struct{ n atomic.Int64 }

// wrap returns next with the counter around it. It must be outside of the layer, which
// answers preflights.
func (c *preflightCounter) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			c.n.Add(1)
		}
		next.ServeHTTP(w, r)
	})
}

// pageServer serves the built page, and the data that its script requests.
type pageServer struct {
	dist             string
	api, grpc        string // the URLs of the service
	allowed, refused string // the URLs of the pages
	counter          *preflightCounter
}

// contentSecurityPolicy returns a policy that allows the page's own files, and calls of
// the service.
func (s *pageServer) contentSecurityPolicy() string {
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self' " + s.api + " " + s.grpc + "; base-uri 'none'; form-action 'none'"
}

func (s *pageServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", s.contentSecurityPolicy())
	header.Set("X-Content-Type-Options", "nosniff")
	switch r.URL.Path {
	case "/config.json":
		answer(w, map[string]string{"api": s.api, "grpc": s.grpc, "allowed": s.allowed, "refused": s.refused})
	case "/preflights":
		answer(w, map[string]int64{"count": s.counter.n.Load()})
	default:
		// A cookie is for all ports of a host, so calls with credentials also carry it to
		// the service.
		http.SetCookie(w, &http.Cookie{Name: "showcase", Value: "1", Path: "/", SameSite: http.SameSiteLaxMode, HttpOnly: true})
		http.FileServer(http.Dir(s.dist)).ServeHTTP(w, r)
	}
}

// answer writes a value as JSON.
func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // an error means that the page was closed
}
