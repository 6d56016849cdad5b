// Package cors is a model of github.com/jub0bs/cors 1.0.2, which the Go proxy that this repository is built with does
// not have. It does what the documentation of that library says, for valid configurations. Its names are those of
// the library, so that a configuration compiles with either.
package cors

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Config is the configuration of a middleware.
type Config struct {
	Origins         []string
	Credentialed    bool
	Methods         []string
	RequestHeaders  []string
	MaxAgeInSeconds int
	ResponseHeaders []string

	DangerouslyTolerateInsecureOrigins            bool
	DangerouslyTolerateSubdomainsOfPublicSuffixes bool
}

// Middleware is a CORS middleware.
type Middleware struct{ config Config }

// NewMiddleware returns a middleware. It checks the little of a configuration that the cases need.
func NewMiddleware(config Config) (*Middleware, error) {
	switch {
	case len(config.Origins) == 0:
		return nil, errors.New("cors: no origin")
	case config.Credentialed && (slices.Contains(config.Origins, "*") || slices.Contains(config.ResponseHeaders, "*")):
		return nil, errors.New("cors: a star with credentials")
	}
	for _, o := range config.Origins {
		insecure := !strings.HasPrefix(o, "https://") && !strings.HasPrefix(o, "http://localhost") && o != "*"
		if config.Credentialed && insecure && !config.DangerouslyTolerateInsecureOrigins {
			return nil, errors.New("cors: an insecure origin with credentials")
		}
	}
	return &Middleware{config}, nil
}

// Wrap returns a handler behind the middleware.
func (m *Middleware) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		if r.Method == http.MethodOptions && origin != "" && r.Header.Get("Access-Control-Request-Method") != "" {
			m.preflight(w, r, origin)
			return
		}
		if m.allow(w.Header(), origin) && len(m.config.ResponseHeaders) > 0 {
			w.Header().Set("Access-Control-Expose-Headers", strings.ToLower(strings.Join(m.config.ResponseHeaders, ",")))
		}
		next.ServeHTTP(w, r)
	})
}

// allow sets the header that allows an origin, if the configuration does.
func (m *Middleware) allow(h http.Header, origin string) bool {
	if slices.Contains(m.config.Origins, "*") {
		h.Set("Access-Control-Allow-Origin", "*")
		return true
	}
	h.Add("Vary", "Origin")
	if !slices.ContainsFunc(m.config.Origins, func(pattern string) bool { return matches(pattern, origin) }) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if m.config.Credentialed {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	return true
}

// matches reports whether a pattern encompasses an origin: *. stands for one or more labels, and :* for any port or none.
func matches(pattern, origin string) bool {
	if host, ok := strings.CutSuffix(pattern, ":*"); ok {
		rest, ok := strings.CutPrefix(origin, host)
		port, isPort := strings.CutPrefix(rest, ":")
		_, err := strconv.Atoi(port)
		return ok && (rest == "" || isPort && err == nil)
	}
	scheme, host, ok := strings.Cut(pattern, "*.")
	if !ok {
		return pattern == origin
	}
	labels, ok := strings.CutSuffix(strings.TrimPrefix(origin, scheme), "."+host)
	return ok && strings.HasPrefix(origin, scheme) && labels != "" && !strings.Contains(labels, ":")
}

// preflight answers a preflight. One that is not allowed gets no header of the CORS protocol.
func (m *Middleware) preflight(w http.ResponseWriter, r *http.Request, origin string) {
	h := http.Header{}
	possible := len(m.config.RequestHeaders) > 0 || slices.ContainsFunc(m.config.Methods, func(method string) bool { return !safelisted(method) })
	if !possible || !m.allow(h, origin) || !m.allowMethod(h, r) || !m.allowHeaders(h, r) {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	for name, values := range h {
		w.Header()[name] = values
	}
	switch {
	case m.config.MaxAgeInSeconds < 0:
		w.Header().Set("Access-Control-Max-Age", "0")
	case m.config.MaxAgeInSeconds > 0:
		w.Header().Set("Access-Control-Max-Age", strconv.Itoa(m.config.MaxAgeInSeconds))
	}
	w.WriteHeader(http.StatusNoContent)
}

func safelisted(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodPost
}

func (m *Middleware) allowMethod(h http.Header, r *http.Request) bool {
	method := r.Header.Get("Access-Control-Request-Method")
	if safelisted(method) {
		return true
	}
	h.Set("Access-Control-Allow-Methods", method)
	return slices.Contains(m.config.Methods, "*") || slices.Contains(m.config.Methods, method)
}

func (m *Middleware) allowHeaders(h http.Header, r *http.Request) bool {
	requested := r.Header.Get("Access-Control-Request-Headers")
	if requested == "" {
		return true
	}
	has := func(name string) bool {
		return slices.ContainsFunc(m.config.RequestHeaders, func(allowed string) bool { return strings.EqualFold(allowed, name) })
	}
	switch {
	case has("*") && m.config.Credentialed:
		h.Set("Access-Control-Allow-Headers", requested)
	case has("*") && has("authorization"):
		h.Set("Access-Control-Allow-Headers", "*,authorization")
	case has("*"):
		h.Set("Access-Control-Allow-Headers", "*")
	default:
		h.Set("Access-Control-Allow-Headers", requested)
		for name := range strings.SplitSeq(requested, ",") {
			if !has(name) {
				return false
			}
		}
	}
	return true
}
