package alternatives

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	connectcors "connectrpc.com/cors"
	gincors "github.com/gin-contrib/cors"
	"github.com/gin-gonic/gin"
	chicors "github.com/go-chi/cors"
	"github.com/gorilla/handlers"
	"github.com/improbable-eng/grpc-web/go/grpcweb"
	jub0bscors "github.com/jub0bs/cors"
	rscors "github.com/rs/cors"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// The origins of the pages. The configurations allow app, and other is that of a partner.
const (
	app   = "https://app.example.com"
	other = "https://partner.example"
	evil  = "https://attacker.example"
)

// maxAge is for how long browsers may keep an answer to a preflight, in seconds.
const maxAge = 7200

// A variant is what a configuration has beyond the usual one.
type variant int

const (
	usual      variant = iota
	anyHeader          // every request header is allowed
	debugging          // the option that prints decisions
	private            // preflights of Private Network Access are granted
	explaining         // a page in development is told why it is refused
	twoOrigins         // app and other are allowed
)

// A contestant is one of the ways to CORS.
type contestant struct {
	name string
	// module is the one whose version the page names; "" for this one and for Envoy.
	module string
	// wrap puts the contestant around a handler. It returns nil if it has no such variant.
	wrap func(t testing.TB, v variant, next http.Handler) http.Handler
	// perPath allows app for Buy, and other for Get, in one configuration. It is nil if that cannot be said.
	// byFunction is true if only a function of the program says it.
	perPath    func(t *testing.T, next http.Handler) http.Handler
	byFunction bool
	// changing allows app until the returned function is called, and other after that, without a restart. onlyOrigins
	// is true if a function of the program decides about origins, and the rest stays.
	changing    func(t *testing.T, next http.Handler) (h http.Handler, change func())
	onlyOrigins bool
	// guarded protects the endpoint /mcp against pages of the server's own origin. If it is nil, the usual one is
	// tested.
	guarded func(t *testing.T, next http.Handler) http.Handler
	// service is the service behind the contestant; nil for that of connect-go.
	service func() http.Handler
}

// contestants are the rows of the tables but Envoy's.
var contestants = []contestant{
	{
		name: "corsrpc",
		wrap: func(t testing.TB, v variant, next http.Handler) http.Handler {
			t.Helper()
			switch v {
			case anyHeader:
				return layer(t, policy+"\n  allow_headers: ['*', authorization]").Wrap(next)
			case explaining:
				return layer(t, policy, corsrpc.WithExplain()).Wrap(next)
			case twoOrigins:
				return layer(t, strings.ReplaceAll(policy, app, app+", "+other)).Wrap(next)
			case private, debugging:
				return nil
			}
			return layer(t, policy).Wrap(next)
		},
		perPath: func(t *testing.T, next http.Handler) http.Handler {
			t.Helper()
			return layer(t, policy+"\nrules:\n  - selector: acme.v1.Shop.Get\n    allow_origins: ["+other+"]").Wrap(next)
		},
		changing: func(t *testing.T, next http.Handler) (http.Handler, func()) {
			t.Helper()
			l := layer(t, policy)
			return l.Wrap(next), func() {
				changed := layer(t, strings.ReplaceAll(policy, app, other))
				if err := l.Reload(context.Background(), changed.Plan()); err != nil {
					t.Fatal(err)
				}
			}
		},
		guarded: func(t *testing.T, next http.Handler) http.Handler {
			t.Helper()
			return layer(t, policy+"\nrules:\n  - path: /mcp\n    protocols: [MCP]").Wrap(next)
		},
	},
	{
		name: "rs/cors (the recipe)", module: "github.com/rs/cors",
		wrap: func(_ testing.TB, v variant, next http.Handler) http.Handler {
			o := rsOptions()
			switch v {
			case anyHeader:
				o.AllowedHeaders = []string{"*"}
			case private:
				o.AllowPrivateNetwork = true
			case twoOrigins:
				o.AllowedOrigins = append(o.AllowedOrigins, other)
			case debugging:
				o.Debug = true
			case explaining:
				return nil
			}
			return rscors.New(o).Handler(next)
		},
		perPath: func(_ *testing.T, next http.Handler) http.Handler {
			o := rsOptions()
			o.AllowOriginVaryRequestFunc = func(r *http.Request, origin string) (bool, []string) { return origin == allowedFor(r.URL.Path), nil }
			return rscors.New(o).Handler(next)
		},
		byFunction: true,
		changing: func(_ *testing.T, next http.Handler) (http.Handler, func()) {
			o := rsOptions()
			allowed, change := switching()
			o.AllowOriginFunc = allowed
			return rscors.New(o).Handler(next), change
		},
		onlyOrigins: true,
	},
	{
		name: "gorilla/handlers", module: "github.com/gorilla/handlers",
		wrap: func(_ testing.TB, v variant, next http.Handler) http.Handler {
			switch v {
			case usual:
				return handlers.CORS(append(gorillaOptions(), handlers.AllowedOrigins([]string{app}))...)(next)
			case twoOrigins:
				return handlers.CORS(append(gorillaOptions(), handlers.AllowedOrigins([]string{app, other}))...)(next)
			}
			return nil
		},
		changing: func(_ *testing.T, next http.Handler) (http.Handler, func()) {
			allowed, change := switching()
			return handlers.CORS(append(gorillaOptions(), handlers.AllowedOriginValidator(allowed))...)(next), change
		},
		onlyOrigins: true,
	},
	{
		name: "go-chi/cors", module: "github.com/go-chi/cors",
		wrap: func(_ testing.TB, v variant, next http.Handler) http.Handler {
			o := chiOptions()
			switch v {
			case anyHeader:
				o.AllowedHeaders = []string{"*"}
			case debugging:
				o.Debug = true
			case twoOrigins:
				o.AllowedOrigins = append(o.AllowedOrigins, other)
			case private, explaining:
				return nil
			}
			return chicors.Handler(o)(next)
		},
		perPath: func(_ *testing.T, next http.Handler) http.Handler {
			o := chiOptions()
			o.AllowOriginFunc = func(r *http.Request, origin string) bool { return origin == allowedFor(r.URL.Path) }
			return chicors.Handler(o)(next)
		},
		byFunction: true,
		changing: func(_ *testing.T, next http.Handler) (http.Handler, func()) {
			o := chiOptions()
			allowed, change := switching()
			o.AllowOriginFunc = func(_ *http.Request, origin string) bool { return allowed(origin) }
			return chicors.Handler(o)(next), change
		},
		onlyOrigins: true,
	},
	{
		name: "gin-contrib/cors", module: "github.com/gin-contrib/cors",
		wrap: func(_ testing.TB, v variant, next http.Handler) http.Handler {
			c := ginConfig()
			switch v {
			case anyHeader:
				c.AllowHeaders = []string{"*"}
			case private:
				c.AllowPrivateNetwork = true
			case twoOrigins:
				c.AllowOrigins = append(c.AllowOrigins, other)
			case debugging, explaining:
				return nil
			}
			return inGin(c, next)
		},
		perPath: func(_ *testing.T, next http.Handler) http.Handler {
			c := ginConfig()
			c.AllowOrigins = nil
			c.AllowOriginWithContextFunc = func(c *gin.Context, origin string) bool { return origin == allowedFor(c.Request.URL.Path) }
			return inGin(c, next)
		},
		byFunction: true,
		changing: func(_ *testing.T, next http.Handler) (http.Handler, func()) {
			c := ginConfig()
			c.AllowOrigins = nil
			allowed, change := switching()
			c.AllowOriginFunc = allowed
			return inGin(c, next), change
		},
		onlyOrigins: true,
	},
	{
		name: "jub0bs/cors", module: "github.com/jub0bs/cors",
		wrap: func(t testing.TB, v variant, next http.Handler) http.Handler {
			t.Helper()
			c := jub0bsConfig()
			switch v {
			case anyHeader:
				c.RequestHeaders = []string{"*", "Authorization"}
			case twoOrigins:
				c.Origins = append(c.Origins, other)
			case private, debugging, explaining:
				return nil
			}
			return jub0bs(t, c).Wrap(next)
		},
		changing: func(t *testing.T, next http.Handler) (http.Handler, func()) {
			t.Helper()
			middleware := jub0bs(t, jub0bsConfig())
			return middleware.Wrap(next), func() {
				c := jub0bsConfig()
				c.Origins = []string{other}
				if err := middleware.Reconfigure(&c); err != nil {
					t.Fatal(err)
				}
			}
		},
	},
	{
		name: wrapper, module: "github.com/improbable-eng/grpc-web",
		wrap: func(_ testing.TB, v variant, next http.Handler) http.Handler {
			options := []grpcweb.Option{endpoints, grpcweb.WithOriginFunc(func(origin string) bool { return origin == app })}
			switch v {
			case usual:
				options = append(options, grpcweb.WithAllowedRequestHeaders(connectcors.AllowedHeaders()))
			case anyHeader: // its default
			case twoOrigins:
				options = append(options, grpcweb.WithOriginFunc(func(origin string) bool { return origin == app || origin == other }))
			case private, debugging, explaining:
				return nil
			}
			return grpcweb.WrapHandler(next, options...)
		},
		changing: func(_ *testing.T, next http.Handler) (http.Handler, func()) {
			allowed, change := switching()
			return grpcweb.WrapHandler(next, endpoints, grpcweb.WithOriginFunc(allowed)), change
		},
		onlyOrigins: true,
		service:     func() http.Handler { return newGRPC() },
	},
}

// wrapper is the name of the wrapper that makes gRPC-Web of gRPC.
const wrapper = "improbable-eng/grpc-web"

// endpoints are the procedures whose preflights the wrapper answers.
var endpoints = grpcweb.WithEndpointsFunc(func() []string { return []string{get, buy, watch} })

// policy is the usual policy of corsrpc.
const policy = "defaults:\n  allow_origins: [" + app + "]"

// layer returns a layer of corsrpc.
func layer(t testing.TB, policy string, opts ...corsrpc.LayerOption) *corsrpc.Layer {
	t.Helper()
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc), corsrpc.WithFiles(schema()))
	if err != nil {
		t.Fatal(err)
	}
	l, err := corsrpc.New(plan, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func rsOptions() rscors.Options {
	return rscors.Options{
		AllowedOrigins: []string{app}, AllowedMethods: connectcors.AllowedMethods(), AllowedHeaders: connectcors.AllowedHeaders(),
		ExposedHeaders: connectcors.ExposedHeaders(), MaxAge: maxAge,
	}
}

func gorillaOptions() []handlers.CORSOption {
	return []handlers.CORSOption{
		handlers.AllowedMethods(connectcors.AllowedMethods()), handlers.AllowedHeaders(connectcors.AllowedHeaders()),
		handlers.ExposedHeaders(connectcors.ExposedHeaders()), handlers.MaxAge(maxAge),
	}
}

func chiOptions() chicors.Options {
	return chicors.Options{
		AllowedOrigins: []string{app}, AllowedMethods: connectcors.AllowedMethods(), AllowedHeaders: connectcors.AllowedHeaders(),
		ExposedHeaders: connectcors.ExposedHeaders(), MaxAge: maxAge,
	}
}

func ginConfig() gincors.Config {
	return gincors.Config{
		AllowOrigins: []string{app}, AllowMethods: connectcors.AllowedMethods(), AllowHeaders: connectcors.AllowedHeaders(),
		ExposeHeaders: connectcors.ExposedHeaders(), MaxAge: maxAge * time.Second,
	}
}

// inGin returns Gin with the middleware and a handler for all paths.
func inGin(c gincors.Config, next http.Handler) http.Handler {
	gin.SetMode(gin.ReleaseMode) // the debug mode prints lines about Gin itself
	engine := gin.New()
	engine.Use(gincors.New(c))
	engine.Any("/*path", gin.WrapH(next))
	return engine
}

func jub0bsConfig() jub0bscors.Config {
	return jub0bscors.Config{
		Origins: []string{app}, Methods: connectcors.AllowedMethods(), RequestHeaders: connectcors.AllowedHeaders(),
		ResponseHeaders: connectcors.ExposedHeaders(), MaxAgeInSeconds: maxAge,
	}
}

func jub0bs(t testing.TB, c jub0bscors.Config) *jub0bscors.Middleware {
	t.Helper()
	middleware, err := jub0bscors.NewMiddleware(c)
	if err != nil {
		t.Fatal(err)
	}
	return middleware
}

// switching returns a function that allows app, and other after change is called.
func switching() (allowed func(origin string) bool, change func()) {
	var changed atomic.Bool
	return func(origin string) bool {
		if changed.Load() {
			return origin == other
		}
		return origin == app
	}, func() { changed.Store(true) }
}

// allowedFor returns the origin that the configurations with grants of their own for each path allow.
func allowedFor(path string) string {
	return map[string]string{buy: app, get: other}[path]
}

// names returns the names of the rows.
func names() (all []string) {
	for _, c := range contestants {
		all = append(all, c.name)
	}
	return slices.Concat(all, []string{envoyName})
}
