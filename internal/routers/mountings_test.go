package routers

import (
	"net/http"
	"time"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/gorilla/mux"
	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	adapter "github.com/gwatts/gin-adapter"
	"github.com/julienschmidt/httprouter"
	"github.com/labstack/echo/v4"
	echov5 "github.com/labstack/echo/v5"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// mounting is one way to mount the layer, a row of the tables in corsrpc/docs/mounting.md.
type mounting struct {
	router string
	// mount returns the handler of the server. The page quotes its statements, except the one that
	// makes the router, and the expression that it returns.
	mount func(layer *corsrpc.Layer, handler http.Handler) http.Handler
	// right is true if every call has to work.
	right bool
	// with is the kind of handler that mount gets.
	with service
	// prefix is the path prefix below which the server has the handler.
	prefix string
	// options are further options of the layer.
	options []corsrpc.Option
	// recovers is true if a middleware recovers panics of the handler.
	recovers bool
	// unaryOnly is true if the server has no handler of streams.
	unaryOnly bool
	// timesOut is true if an http.TimeoutHandler answers for a handler that takes too long.
	timesOut bool
}

// path is the path of the procedure that mountings add a route for, and service that of all
// procedures of the service.
const (
	path        = "/acme.v1.Shop/Buy"
	servicePath = "/acme.v1.Shop/"
)

// mountings are the rows, in the order of the page.
var mountings = []mounting{
	{router: "net/http", right: true, mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("POST "+path, handler)
		return layer.Wrap(mux)
	}},
	{router: "net/http", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("POST "+path, layer.Wrap(handler))
		return mux
	}},
	{router: "net/http", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle(path, layer.Wrap(handler))
		return mux
	}},
	{router: "net/http", prefix: "/api", right: true, mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle(path, handler)
		return http.StripPrefix("/api", layer.Wrap(mux))
	}},
	{router: "net/http", prefix: "/api", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle(path, handler)
		return layer.Wrap(http.StripPrefix("/api", mux))
	}},
	{router: "net/http", prefix: "/api", right: true, options: []corsrpc.Option{corsrpc.WithPathPrefix("/api")}, mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle(path, handler)
		return layer.Wrap(http.StripPrefix("/api", mux))
	}},
	{router: "net/http", right: true, unaryOnly: true, timesOut: true, mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle(path, http.TimeoutHandler(handler, time.Second, "too late"))
		return layer.Wrap(mux)
	}},
	{router: "net/http", timesOut: true, mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle(path, handler)
		return layer.Wrap(http.TimeoutHandler(mux, time.Second, "too late"))
	}},
	{router: "net/http", timesOut: true, mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle(path, handler)
		return http.TimeoutHandler(layer.Wrap(mux), time.Second, "too late")
	}},
	{router: "net/http", recovers: true, right: true, mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle(path, handler)
		return layer.Wrap(recovering(mux))
	}},
	{router: "net/http", recovers: true, mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle(path, handler)
		return recovering(layer.Wrap(mux))
	}},
	{router: "net/http", right: true, mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle(path, handler)
		return layer.Wrap(authenticating(mux))
	}},
	{router: "net/http", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle(path, handler)
		return authenticating(layer.Wrap(mux))
	}},

	{router: "connect-go v1", with: connectV1, right: true, mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle(servicePath, handler)
		return layer.Wrap(mux)
	}},
	{router: "connect-go v1", with: connectV1, mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle(servicePath, layer.Wrap(handler))
		return mux
	}},
	{router: "connect-go v1", with: connectV1, mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("POST "+servicePath, layer.Wrap(handler))
		return mux
	}},
	{router: "connect-go v1", with: connectV1, mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle(servicePath, handler)
		return http.TimeoutHandler(layer.Wrap(mux), time.Second, "too late")
	}},

	{router: "connect-go v2", with: connectV2, right: true, mount: func(layer *corsrpc.Layer, _ http.Handler) http.Handler {
		mux := http.NewServeMux()
		connecthttp.Mount(mux, server())
		return layer.Wrap(mux)
	}},
	{router: "connect-go v2", with: connectV2, mount: func(layer *corsrpc.Layer, _ http.Handler) http.Handler {
		mux := http.NewServeMux()
		connecthttp.Mount(wrappingMux{mux, layer}, server())
		return mux
	}},
	{router: "connect-go v2", with: connectV2, mount: func(layer *corsrpc.Layer, _ http.Handler) http.Handler {
		mux := http.NewServeMux()
		connecthttp.Mount(mux, server())
		return http.TimeoutHandler(layer.Wrap(mux), time.Second, "too late")
	}},

	{router: "chi", right: true, mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := chi.NewRouter()
		r.Method("POST", path, handler)
		return layer.Wrap(r)
	}},
	{router: "chi", right: true, mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := chi.NewRouter()
		r.Use(layer.Wrap)
		r.Method("POST", path, handler)
		return r
	}},
	{router: "chi", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := chi.NewRouter()
		r.With(layer.Wrap).Method("POST", path, handler)
		return r
	}},
	{router: "chi", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := chi.NewRouter()
		r.Group(func(g chi.Router) { g.Use(layer.Wrap); g.Method("POST", path, handler) })
		return r
	}},
	{router: "chi", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := chi.NewRouter()
		r.Route("/acme.v1.Shop", func(g chi.Router) { g.Use(layer.Wrap); g.Method("POST", "/Buy", handler) })
		return r
	}},
	{router: "chi", recovers: true, right: true, mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := chi.NewRouter()
		r.Use(layer.Wrap, middleware.Recoverer, middleware.Compress(5))
		r.Method("POST", path, handler)
		return r
	}},
	{router: "chi", recovers: true, mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := chi.NewRouter()
		r.Use(middleware.Recoverer, middleware.Compress(5), layer.Wrap)
		r.Method("POST", path, handler)
		return r
	}},

	{router: "gin", right: true, mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := gin.New()
		r.POST(path, gin.WrapH(handler))
		return layer.Wrap(r)
	}},
	{router: "gin", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := gin.New()
		r.POST(path, gin.WrapH(layer.Wrap(handler)))
		return r
	}},
	{router: "gin", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := gin.New()
		r.Any(path, gin.WrapH(layer.Wrap(handler)))
		return r
	}},
	{router: "gin", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := gin.New()
		r.Use(gin.WrapH(layer.Wrap(nothing)))
		r.POST(path, gin.WrapH(handler))
		return r
	}},
	{router: "gin", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := gin.New()
		r.Use(keepingWriter(layer.Wrap))
		r.POST(path, gin.WrapH(handler))
		return r
	}},
	{router: "gin", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := gin.New()
		r.Use(adapter.Wrap(layer.Wrap))
		r.POST(path, gin.WrapH(handler))
		return r
	}},
	{router: "gin", unaryOnly: true, mount: func(layer *corsrpc.Layer, _ http.Handler) http.Handler {
		r := gin.New()
		r.Use(adapter.Wrap(layer.Wrap))
		r.POST(path, writeString)
		return r
	}},
	{router: "gin", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := gin.New()
		r.Group("/", adapter.Wrap(layer.Wrap)).POST(path, gin.WrapH(handler))
		return r
	}},
	{router: "gin", recovers: true, right: true, mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := gin.New()
		r.Use(gin.Recovery())
		r.POST(path, gin.WrapH(handler))
		return layer.Wrap(r)
	}},

	{router: "echo v4", right: true, mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := echo.New()
		r.POST(path, echo.WrapHandler(handler))
		return layer.Wrap(r)
	}},
	{router: "echo v4", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := echo.New()
		r.Use(echo.WrapMiddleware(layer.Wrap))
		r.POST(path, echo.WrapHandler(handler))
		return r
	}},
	{router: "echo v4", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := echo.New()
		r.Use(keepingResponse(layer.Wrap))
		r.POST(path, echo.WrapHandler(handler))
		return r
	}},
	{router: "echo v4", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := echo.New()
		r.POST(path, echo.WrapHandler(handler), echo.WrapMiddleware(layer.Wrap))
		return r
	}},
	{router: "echo v4", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := echo.New()
		r.Group("", echo.WrapMiddleware(layer.Wrap)).POST(path, echo.WrapHandler(handler))
		return r
	}},
	{router: "echo v4", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := echo.New()
		r.POST(path, echo.WrapHandler(layer.Wrap(handler)))
		return r
	}},

	{router: "echo v5", right: true, mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := echov5.New()
		r.POST(path, echov5.WrapHandler(handler))
		return layer.Wrap(r)
	}},
	{router: "echo v5", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := echov5.New()
		r.Use(echov5.WrapMiddleware(layer.Wrap))
		r.POST(path, echov5.WrapHandler(handler))
		return r
	}},
	{router: "echo v5", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := echov5.New()
		r.POST(path, echov5.WrapHandler(layer.Wrap(handler)))
		return r
	}},

	{router: "gorilla/mux", right: true, mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := mux.NewRouter()
		r.Handle(path, handler).Methods("POST")
		return layer.Wrap(r)
	}},
	{router: "gorilla/mux", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := mux.NewRouter()
		r.Use(layer.Wrap)
		r.Handle(path, handler).Methods("POST")
		return r
	}},
	{router: "gorilla/mux", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := mux.NewRouter()
		r.Use(layer.Wrap)
		r.Handle(path, handler).Methods("POST", "OPTIONS")
		return r
	}},
	{router: "gorilla/mux", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := mux.NewRouter()
		r.Use(mux.MiddlewareFunc(layer.Wrap), mux.CORSMethodMiddleware(r))
		r.Handle(path, handler).Methods("POST", "OPTIONS")
		return r
	}},
	{router: "gorilla/mux", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := mux.NewRouter()
		r.Handle(path, layer.Wrap(handler)).Methods("POST")
		return r
	}},

	{router: "httprouter", right: true, mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := httprouter.New()
		r.Handler("POST", path, handler)
		return layer.Wrap(r)
	}},
	{router: "httprouter", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := httprouter.New()
		r.Handler("POST", path, layer.Wrap(handler))
		return r
	}},
	{router: "httprouter", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := httprouter.New()
		r.GlobalOPTIONS = layer.Wrap(http.NotFoundHandler())
		r.Handler("POST", path, layer.Wrap(handler))
		return r
	}},

	{router: "grpc-gateway", right: true, mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := runtime.NewServeMux()
		r.HandlePath("POST", path, routeOf(handler))
		return layer.Wrap(r)
	}},
	{router: "grpc-gateway", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := runtime.NewServeMux()
		r.HandlePath("POST", path, routeOf(layer.Wrap(handler)))
		return r
	}},
	{router: "grpc-gateway", mount: func(layer *corsrpc.Layer, handler http.Handler) http.Handler {
		r := runtime.NewServeMux(runtime.WithMiddlewares(gatewayMiddleware(layer)))
		r.HandlePath("POST", path, routeOf(handler))
		return r
	}},
}

// recovering is a middleware that answers a panic with status 500.
func recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				http.Error(w, "internal error", http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// authenticating is a middleware that requires a bearer token.
func authenticating(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			http.Error(w, "no token", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// nothing is a handler that writes nothing.
var nothing = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})

// keepingWriter makes a gin middleware of a middleware of net/http. The handlers behind it write to
// gin's own writer and not to that of the middleware.
func keepingWriter(wrap func(http.Handler) http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		called := false
		wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			called, c.Request = true, r
			c.Next()
		})).ServeHTTP(c.Writer, c.Request)
		if !called {
			c.Abort()
		}
	}
}

// keepingResponse makes an echo middleware of a middleware of net/http. The handlers behind it write
// to echo's own response and not to the writer of the middleware.
func keepingResponse(wrap func(http.Handler) http.Handler) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) (err error) {
			wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				c.SetRequest(r)
				err = next(c)
			})).ServeHTTP(c.Response(), c.Request())
			return err
		}
	}
}

// writeString is a gin handler that writes a string.
func writeString(c *gin.Context) {
	ranHandler(c.Request)
	c.Writer.WriteString("{}")
}

// routeOf makes a grpc-gateway route of a handler.
func routeOf(handler http.Handler) runtime.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request, _ map[string]string) { handler.ServeHTTP(w, r) }
}

// gatewayMiddleware makes a grpc-gateway middleware of the layer.
func gatewayMiddleware(layer *corsrpc.Layer) runtime.Middleware {
	return func(next runtime.HandlerFunc) runtime.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request, parameters map[string]string) {
			layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next(w, r, parameters) })).ServeHTTP(w, r)
		}
	}
}

// wrappingMux wraps each handler that is added to a mux in the layer.
type wrappingMux struct {
	mux   *http.ServeMux
	layer *corsrpc.Layer
}

func (m wrappingMux) Handle(pattern string, handler http.Handler) {
	m.mux.Handle(pattern, m.layer.Wrap(handler))
}

// server returns a connect-go v2 server with the service.
func server() *connect.Server {
	s := connect.NewServer()
	s.Register(
		connect.Method{Spec: connect.Spec{StreamType: connect.StreamTypeUnary, Procedure: path}, Handler: buyV2},
		connect.Method{Spec: connect.Spec{StreamType: connect.StreamTypeServer, Procedure: watchPath}, Handler: watchV2},
	)
	return s
}
