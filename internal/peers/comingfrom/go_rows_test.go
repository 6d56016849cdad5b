package comingfrom

import (
	"net/http"
	"strings"
	"testing"
	"time"

	connectcors "connectrpc.com/cors"
	gincors "github.com/gin-contrib/cors"
	"github.com/gin-gonic/gin"
	chicors "github.com/go-chi/cors"
	"github.com/gorilla/handlers"
	"github.com/rs/cors"
)

// The configurations that the rows change.
var (
	app     = []string{"https://app.example.com"}
	methods = []string{"GET", "POST", "PUT"}
	headers = []string{"Content-Type", "Connect-Protocol-Version"}
)

// overHTTP is a difference where a configuration compares only the end of an origin.
const (
	overHTTP     = "stricter: procedure, GET, PUT of http://app.example.com"
	overHTTPNote = "To allow plain http, list the origin, with `accept_risks: [PLAIN_HTTP]`."
)

// endsInDomain is a function of a program that decides about an origin.
func endsInDomain(origin string) bool { return strings.HasSuffix(origin, ".example.com") }

func rsWith(change func(*cors.Options)) func(*testing.T) http.Handler {
	return func(*testing.T) http.Handler {
		o := cors.Options{AllowedOrigins: app, AllowedMethods: methods, AllowedHeaders: headers}
		change(&o)
		return cors.New(o).Handler(http.HandlerFunc(application))
	}
}

var rsTable = table{"rs/cors", kinds, common, usualMethods, []row{
	{option: `AllowedOrigins: []string{"https://app.example.com"}`, becomes: "allow_origins: [https://app.example.com]", server: rsWith(func(*cors.Options) {})},
	{option: `AllowedOrigins: []string{"*"}`, becomes: `allow_origins: ["*"]`, server: rsWith(func(o *cors.Options) { o.AllowedOrigins = []string{"*"} })},
	{option: `AllowedOrigins: []string{"https://*.example.com"}`, becomes: `allow_origins: ["https://*.example.com"]`, server: rsWith(func(o *cors.Options) { o.AllowedOrigins = []string{"https://*.example.com"} })},
	{option: `AllowOriginFunc: func(origin string) bool { return strings.HasSuffix(origin, ".example.com") }`, becomes: `allow_origins: ["https://*.example.com"]`, differs: []string{overHTTP}, note: overHTTPNote, server: rsWith(func(o *cors.Options) { o.AllowedOrigins, o.AllowOriginFunc = nil, endsInDomain })},
	{option: `AllowedMethods: []string{"GET"}`, becomes: "allow_methods: [GET]", differs: []string{"wider: procedure of https://app.example.com"}, note: "The methods of procedures follow from the schema.", server: rsWith(func(o *cors.Options) { o.AllowedMethods = []string{"GET"} })},
	{option: `AllowedHeaders: []string{…, "Authorization"}`, becomes: "allow_headers: [authorization]", server: rsWith(func(o *cors.Options) { o.AllowedHeaders = append([]string{"Authorization"}, headers...) })},
	{option: `AllowedHeaders: []string{"*"}`, becomes: `allow_headers: ["*", authorization]`, server: rsWith(func(o *cors.Options) { o.AllowedHeaders = []string{"*"} })},
	{option: `ExposedHeaders: []string{"X-Request-Id"}`, becomes: "expose_headers: [x-request-id]", server: rsWith(func(o *cors.Options) { o.ExposedHeaders = []string{"X-Request-Id"} })},
	{option: `AllowCredentials: true`, becomes: "allow_credentials: true", server: rsWith(func(o *cors.Options) { o.AllowCredentials = true })},
	{option: `MaxAge: 600`, becomes: "max_age: 600s", server: rsWith(func(o *cors.Options) { o.MaxAge = 600 })},
	{option: `OptionsPassthrough: true`, note: "The layer answers preflights itself.", server: rsWith(func(o *cors.Options) { o.OptionsPassthrough = true })},
	{option: `OptionsSuccessStatus: 200`, note: "Answers to preflights have the status 204.", server: rsWith(func(o *cors.Options) { o.OptionsSuccessStatus = http.StatusOK })},
	{option: `AllowPrivateNetwork: true`, note: "Browsers do not send these preflights any more.", server: rsWith(func(o *cors.Options) { o.AllowPrivateNetwork = true })},
	{option: `Debug: true`, note: "The layer's log has each refusal, with its reason.", server: rsWith(func(o *cors.Options) { o.Logger = nil })},
}}

var connectTable = table{"connectrpc.com/cors", kinds, common, usualMethods, []row{
	{option: `AllowedMethods: connectcors.AllowedMethods()`, note: "Methods of procedures follow from the schema, and those of paths from `allow_methods`.", differs: []string{"wider: PUT of https://app.example.com"}, server: rsWith(func(o *cors.Options) { o.AllowedMethods = connectcors.AllowedMethods() })},
	{option: `AllowedHeaders: connectcors.AllowedHeaders()`, note: "The headers of the protocols are always granted.", server: rsWith(func(o *cors.Options) { o.AllowedHeaders = connectcors.AllowedHeaders() })},
	{option: `ExposedHeaders: connectcors.ExposedHeaders()`, note: "Without `expose: DECLARED`, a procedure exposes what its response carries.", server: rsWith(func(o *cors.Options) { o.ExposedHeaders = connectcors.ExposedHeaders() })},
}}

func chiWith(change func(*chicors.Options)) func(*testing.T) http.Handler {
	return func(*testing.T) http.Handler {
		o := chicors.Options{AllowedOrigins: app, AllowedMethods: methods, AllowedHeaders: headers}
		change(&o)
		return chicors.Handler(o)(http.HandlerFunc(application))
	}
}

var chiTable = table{"go-chi/cors", kinds, common, usualMethods, []row{
	{option: `AllowedOrigins: []string{"https://app.example.com"}`, becomes: "allow_origins: [https://app.example.com]", server: chiWith(func(*chicors.Options) {})},
	{option: `AllowedOrigins: []string{"https://*.example.com"}`, becomes: `allow_origins: ["https://*.example.com"]`, server: chiWith(func(o *chicors.Options) { o.AllowedOrigins = []string{"https://*.example.com"} })},
	{option: `AllowOriginFunc: func(r *http.Request, origin string) bool { return strings.HasSuffix(origin, ".example.com") }`, becomes: `allow_origins: ["https://*.example.com"]`, differs: []string{overHTTP}, note: overHTTPNote, server: chiWith(func(o *chicors.Options) {
		o.AllowedOrigins, o.AllowOriginFunc = nil, func(_ *http.Request, origin string) bool { return endsInDomain(origin) }
	})},
	{option: `AllowedMethods: []string{"GET"}`, becomes: "allow_methods: [GET]", differs: []string{"wider: procedure of https://app.example.com"}, note: "The methods of procedures follow from the schema.", server: chiWith(func(o *chicors.Options) { o.AllowedMethods = []string{"GET"} })},
	{option: `AllowedHeaders: []string{…, "Authorization"}`, becomes: "allow_headers: [authorization]", server: chiWith(func(o *chicors.Options) { o.AllowedHeaders = append([]string{"Authorization"}, headers...) })},
	{option: `AllowedHeaders: []string{"*"}`, becomes: `allow_headers: ["*", authorization]`, server: chiWith(func(o *chicors.Options) { o.AllowedHeaders = []string{"*"} })},
	{option: `ExposedHeaders: []string{"X-Request-Id"}`, becomes: "expose_headers: [x-request-id]", server: chiWith(func(o *chicors.Options) { o.ExposedHeaders = []string{"X-Request-Id"} })},
	{option: `AllowCredentials: true`, becomes: "allow_credentials: true", server: chiWith(func(o *chicors.Options) { o.AllowCredentials = true })},
	{option: `MaxAge: 600`, becomes: "max_age: 600s", server: chiWith(func(o *chicors.Options) { o.MaxAge = 600 })},
	{option: `OptionsPassthrough: true`, note: "The layer answers preflights itself.", server: chiWith(func(o *chicors.Options) { o.OptionsPassthrough = true })},
}}

func gorillaWith(options ...handlers.CORSOption) func(*testing.T) http.Handler {
	return func(*testing.T) http.Handler {
		all := append([]handlers.CORSOption{handlers.AllowedOrigins(app), handlers.AllowedMethods(methods), handlers.AllowedHeaders(headers)}, options...)
		return handlers.CORS(all...)(http.HandlerFunc(application))
	}
}

var gorillaTable = table{"gorilla/handlers", kinds, common, usualMethods, []row{
	{option: `AllowedOrigins([]string{"https://app.example.com"})`, becomes: "allow_origins: [https://app.example.com]", server: gorillaWith()},
	{option: `AllowedOrigins([]string{"*"})`, becomes: `allow_origins: ["*"]`, server: gorillaWith(handlers.AllowedOrigins([]string{"*"}))},
	{option: `AllowedOriginValidator(func(origin string) bool { return strings.HasSuffix(origin, ".example.com") })`, becomes: `allow_origins: ["https://*.example.com"]`, differs: []string{overHTTP}, note: overHTTPNote, server: gorillaWith(handlers.AllowedOriginValidator(endsInDomain))},
	{option: `AllowedMethods([]string{"GET"})`, becomes: "allow_methods: [GET]", differs: []string{"wider: procedure of https://app.example.com"}, note: "The methods of procedures follow from the schema.", server: gorillaWith(handlers.AllowedMethods([]string{"GET"}))},
	{option: `AllowedHeaders([]string{…, "Authorization"})`, becomes: "allow_headers: [authorization]", server: gorillaWith(handlers.AllowedHeaders(append([]string{"Authorization"}, headers...)))},
	{option: `ExposedHeaders([]string{"X-Request-Id"})`, becomes: "expose_headers: [x-request-id]", server: gorillaWith(handlers.ExposedHeaders([]string{"X-Request-Id"}))},
	{option: `AllowCredentials()`, becomes: "allow_credentials: true", server: gorillaWith(handlers.AllowCredentials())},
	{option: `MaxAge(600)`, becomes: "max_age: 600s", note: "gorilla/handlers reduces a longer time to this one.", server: gorillaWith(handlers.MaxAge(600))},
	{option: `OptionStatusCode(204)`, note: "Answers to preflights have the status 204.", server: gorillaWith(handlers.OptionStatusCode(http.StatusNoContent))},
}}

func ginWith(change func(*gincors.Config)) func(*testing.T) http.Handler {
	return func(*testing.T) http.Handler {
		gin.SetMode(gin.ReleaseMode)
		c := gincors.Config{AllowOrigins: app, AllowMethods: methods, AllowHeaders: headers}
		change(&c)
		engine := gin.New()
		engine.Use(gincors.New(c))
		engine.NoRoute(func(c *gin.Context) {
			c.Status(http.StatusOK)
			application(c.Writer, c.Request)
		})
		return engine
	}
}

var ginTable = table{"gin-contrib/cors", kinds, common, usualMethods, []row{
	{option: `AllowOrigins: []string{"https://app.example.com"}`, becomes: "allow_origins: [https://app.example.com]", server: ginWith(func(*gincors.Config) {})},
	{option: `AllowAllOrigins: true`, becomes: `allow_origins: ["*"]`, server: ginWith(func(c *gincors.Config) { c.AllowOrigins, c.AllowAllOrigins = nil, true })},
	{option: `AllowOrigins: []string{"https://*.example.com"}, AllowWildcard: true`, becomes: `allow_origins: ["https://*.example.com"]`, server: ginWith(func(c *gincors.Config) { c.AllowOrigins, c.AllowWildcard = []string{"https://*.example.com"}, true })},
	{option: `AllowOriginFunc: func(origin string) bool { return strings.HasSuffix(origin, ".example.com") }`, becomes: `allow_origins: ["https://*.example.com"]`, differs: []string{overHTTP}, note: overHTTPNote, server: ginWith(func(c *gincors.Config) { c.AllowOrigins, c.AllowOriginFunc = nil, endsInDomain })},
	{option: `AllowMethods: []string{"GET"}`, becomes: "allow_methods: [GET]", server: ginWith(func(c *gincors.Config) { c.AllowMethods = []string{"GET"} })},
	{option: `AllowHeaders: []string{…, "Authorization"}`, becomes: "allow_headers: [authorization]", server: ginWith(func(c *gincors.Config) { c.AllowHeaders = append([]string{"Authorization"}, headers...) })},
	{option: `ExposeHeaders: []string{"X-Request-Id"}`, becomes: "expose_headers: [x-request-id]", server: ginWith(func(c *gincors.Config) { c.ExposeHeaders = []string{"X-Request-Id"} })},
	{option: `AllowCredentials: true`, becomes: "allow_credentials: true", server: ginWith(func(c *gincors.Config) { c.AllowCredentials = true })},
	{option: `MaxAge: 10 * time.Minute`, becomes: "max_age: 600s", server: ginWith(func(c *gincors.Config) { c.MaxAge = 10 * time.Minute })},
	{option: `AllowBrowserExtensions: true`, note: "Name the extension in `allow_origins`: `chrome-extension://ID`.", server: ginWith(func(c *gincors.Config) { c.AllowBrowserExtensions = true })},
	{option: `AllowFiles: true`, note: "`file://` needs `accept_risks: [NULL_ORIGIN]`. Browsers send `null` for files.", server: ginWith(func(c *gincors.Config) { c.AllowFiles = true })},
	{option: `AllowWebSockets: true`, note: "Handshakes from an origin with `allow_credentials` pass: see [Mounting](mounting.md#websockets).", server: ginWith(func(c *gincors.Config) { c.AllowWebSockets = true })},
	{option: `AllowPrivateNetwork: true`, note: "Browsers do not send these preflights any more.", server: ginWith(func(c *gincors.Config) { c.AllowPrivateNetwork = true })},
	{option: `OptionsResponseStatusCode: 200`, note: "Answers to preflights have the status 204.", server: ginWith(func(c *gincors.Config) { c.OptionsResponseStatusCode = http.StatusOK })},
}}
