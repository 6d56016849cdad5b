package routers

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gorilla/mux"
	"github.com/julienschmidt/httprouter"
	"github.com/labstack/echo/v4"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.ReleaseMode) // otherwise gin writes every route to standard output
	os.Exit(m.Run())
}

// router creates a handler with a router library, one route at a time.
type router struct {
	name string
	syntax
	build func() (http.Handler, func(path string, h http.Handler))
}

var (
	colon  = func(name string) string { return ":" + name }
	braces = func(name string) string { return "{" + name + "}" }
)

var routers = []router{
	{"ServeMux", syntax{}, nil}, // its patterns need no translation
	{"chi", syntax{wild: braces, tree: "*", both: true}, func() (http.Handler, func(string, http.Handler)) {
		r := chi.NewRouter()
		return r, r.Handle
	}},
	{"echo", syntax{wild: colon, tree: "*", both: true, lastTakesRest: true}, func() (http.Handler, func(string, http.Handler)) {
		e := echo.New()
		return e, func(path string, h http.Handler) {
			e.Match([]string{http.MethodGet, http.MethodPost}, path, echo.WrapHandler(h))
		}
	}},
	{"httprouter", syntax{wild: colon, tree: "*rest"}, func() (http.Handler, func(string, http.Handler)) {
		r := httprouter.New()
		return r, func(path string, h http.Handler) {
			r.Handler(http.MethodPost, path, h)
			r.Handler(http.MethodGet, path, h)
		}
	}},
	ginRouter("gin", func(*gin.Engine) {}),
	ginRouter("gin RawPath", func(e *gin.Engine) { e.UseRawPath = true }),
	ginRouter("gin FixedPath", func(e *gin.Engine) { e.RedirectFixedPath = true }),
	ginRouter("gin RawPath FixedPath", func(e *gin.Engine) { e.UseRawPath, e.RedirectFixedPath = true, true }),
	ginRouter("gin RemoveExtraSlash", func(e *gin.Engine) { e.RemoveExtraSlash = true }),
	ginRouter("gin no redirects", func(e *gin.Engine) { e.RedirectTrailingSlash = false }),
	gorilla("gorilla", func(*mux.Router) {}),
	gorilla("gorilla EncodedPath", func(r *mux.Router) { r.UseEncodedPath() }),
	gorilla("gorilla SkipClean", func(r *mux.Router) { r.SkipClean(true) }),
	gorilla("gorilla EncodedPath SkipClean", func(r *mux.Router) { r.UseEncodedPath().SkipClean(true) }),
	gorilla("gorilla StrictSlash", func(r *mux.Router) { r.StrictSlash(true) }),
}

func ginRouter(name string, set func(*gin.Engine)) router {
	raw := strings.Contains(name, "RawPath")
	return router{name, syntax{wild: colon, tree: "*rest", both: raw}, func() (http.Handler, func(string, http.Handler)) {
		e := gin.New()
		set(e)
		return e, func(path string, h http.Handler) {
			e.Match([]string{http.MethodGet, http.MethodPost}, path, gin.WrapH(h))
		}
	}}
}

func gorilla(name string, set func(*mux.Router)) router {
	encoded := strings.Contains(name, "EncodedPath")
	return router{name, syntax{wild: braces, tree: "{rest:.*}", encoded: encoded}, func() (http.Handler, func(string, http.Handler)) {
		r := mux.NewRouter()
		set(r)
		return r, func(path string, h http.Handler) { r.Handle(path, h) }
	}}
}

// handler returns the router with all routes that it can express. orphans has the owners of
// the other routes.
func (r router) handler(routes []*route) (h http.Handler, orphans map[string]bool) {
	orphans = map[string]bool{}
	if r.build == nil {
		m := http.NewServeMux()
		for _, route := range routes {
			m.Handle(route.text, route)
		}
		return m, orphans
	}
	h, add := r.build()
	for _, route := range routes {
		spellings := r.translate(route.pattern)
		for _, text := range spellings {
			if !taken(add, text, route) {
				spellings = nil
				break
			}
		}
		if len(spellings) == 0 {
			orphans[route.owner] = true
		}
	}
	return h, orphans
}

// taken adds a route, and reports whether the router accepted it. Some routers panic for a
// route that conflicts with another one.
func taken(add func(string, http.Handler), path string, h http.Handler) (ok bool) {
	defer func() { ok = recover() == nil }()
	add(path, h)
	return true
}
