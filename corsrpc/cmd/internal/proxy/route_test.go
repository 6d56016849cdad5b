package proxy_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/proxy"
)

// TestPathPrefixes: a procedure below a path prefix has the route of its service.
func TestPathPrefixes(t *testing.T) {
	t.Parallel()
	answer := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(name)) })
	}
	router := proxy.NewRouter([]proxy.Route{{Service: "acme.v1.S", Handler: answer("service")}, {Handler: answer("rest")}}, "/api", "/rpc/v1")
	for target, want := range map[string]string{
		"/acme.v1.S/Get": "service", "/api/acme.v1.S/Get": "service", "/rpc/v1/acme.v1.S/Get": "service",
		"/rpc/acme.v1.S/Get": "rest", "/apiacme.v1.S/Get": "rest", "/api/acme.v1.T/Get": "rest",
	} {
		w := httptest.NewRecorder()
		router.ServeHTTP(w, httptest.NewRequest("POST", target, nil))
		if w.Body.String() != want {
			t.Errorf("%s: %s, want %s", target, w.Body, want)
		}
	}
}

// TestRouter: the narrowest route that fits a request gets it, by the path as it was sent.
func TestRouter(t *testing.T) {
	t.Parallel()
	var routes []proxy.Route
	for _, r := range []proxy.Route{
		{Service: "acme.v1.S.Get"}, {Service: "acme.v1.S"}, {Service: "acme.v1.*"}, {Service: "acme.*"},
		{Path: "/static/"}, {Path: "/static/js/"}, {Path: "/healthz"}, {StripPrefix: "/api"}, {StripPrefix: "/api", Service: "acme.v1.S"}, {StripPrefix: "/api/v2", Path: "/api/v2/x"},
	} {
		name := r.StripPrefix + "|" + r.Service + r.Path
		r.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(name)) })
		routes = append(routes, r)
	}
	router := proxy.NewRouter(routes)
	rest := proxy.NewRouter(append(routes, proxy.Route{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("rest")) })}))
	for target, want := range map[string]string{
		"/acme.v1.S/Get":        "|acme.v1.S.Get",
		"/acme.v1.S/List":       "|acme.v1.S",
		"/acme.v1.Other/Get":    "|acme.v1.*",
		"/acme.v2.S/Get":        "|acme.*",
		"/acme/Get":             "",
		"/acmex.v1.S/Get":       "",
		"/acme.v1.S/Get/":       "",
		"/acme.v1.S/":           "",
		"/acme.v1.S":            "",
		"//acme.v1.S/Get":       "",
		"/x/acme.v1.S/Get":      "",
		"/static/":              "|/static/",
		"/static/a/b":           "|/static/",
		"/static/js/a":          "|/static/js/",
		"/static":               "",
		"/staticx/":             "",
		"/healthz":              "|/healthz",
		"/healthz/":             "",
		"/api/acme.v1.S/Get":    "/api|acme.v1.S",
		"/api/anything":         "/api|",
		"/api":                  "",
		"/apiacme.v1.S/Get":     "",
		"/api%2facme.v1.S/Get":  "",
		"/%61pi/acme.v1.S/Get":  "",
		"/api/v2/x":             "/api/v2|/api/v2/x",
		"/api/v2/y":             "/api|",
		"/api/../acme.v1.S/Get": "/api|",
	} {
		for i, r := range []*proxy.Router{router, rest} {
			w := httptest.NewRecorder()
			request := httptest.NewRequest("POST", target, nil)
			r.ServeHTTP(w, request)
			wanted := want
			if want == "" && i == 1 {
				wanted = "rest"
			}
			if w.Body.String() != wanted && (wanted != "" || w.Code != http.StatusNotFound) {
				t.Errorf("%s: %d %s, want %q", target, w.Code, w.Body, wanted)
			}
		}
	}
}
