package comingfrom

import (
	"net/http"
	"strings"
	"time"

	gincors "github.com/gin-contrib/cors"
	"github.com/gin-gonic/gin"

	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
)

const extension = "chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb"

var ginLibrary = library{
	name: "gin-contrib/cors", init: true,
	base: []string{"allow_origins: [https://app.example.com, https://admin.example.com]", "expose: DECLARED", "max_age: 5s"},
	every: []sidebyside.Named{
		sidebyside.CredentialsRefused, sidebyside.OtherPathsRun, sidebyside.OtherPaths, sidebyside.OperationalServices, sidebyside.ProtocolHeaders, sidebyside.StatusHeaders,
	},
	rows: []row{
		{option: "AllowOrigins", wrap: ginOrigins, policy: []string{"allow_origins: [https://app.example.com, https://admin.example.com]"}},
		{option: "AllowOrigins", wrap: ginOriginsStar, policy: []string{`allow_origins: ["*"]`}},
		{option: "AllowOrigins", wrap: ginOriginsExpression, policy: []string{`allow_origins: ["https://*.example.com"]`}, note: "A policy has no regular expressions", init: leftOut},
		{option: "AllowAllOrigins", wrap: ginAll, policy: []string{`allow_origins: ["*"]`}},
		{option: "AllowWildcard", wrap: ginWildcard, policy: []string{`allow_origins: ["https://pr-*.example.com"]`}, origins: []string{previewBelow}, names: narrowed(previewBelow)},
		{words: "`AllowOrigins` with a star, without `AllowWildcard`", wrap: ginWildcardOff, policy: []string{"allow_origins: [https://app.example.com]"}, note: "The star is text without `AllowWildcard`"},
		{option: "AllowOriginFunc", wrap: ginFunc, policy: []string{`allow_origins: ["https://*.example.com"]`}, names: narrowed("http://app.example.com"), init: leftOut},
		{option: "AllowOriginFunc", wrap: ginFuncTenants, policy: []string{"allow_origins_from: [tenants]", "allow_origins: none"}, layer: tenantsSource, layerText: tenantsText, init: leftOut},
		{option: "AllowOriginWithContextFunc", wrap: ginContextFunc, rules: buyRule, note: byPath, init: leftOut},
		{option: "AllowMethods", wrap: ginMethods, note: methodsBySchema, names: []sidebyside.Named{sidebyside.Methods}},
		{option: "AllowMethods", wrap: ginMethods, rules: filesRule, note: methodsOfPath, names: []sidebyside.Named{sidebyside.Methods}, init: leftOut},
		{option: "AllowMethods", wrap: ginMethodsStar, note: methodsBySchema, names: []sidebyside.Named{sidebyside.Methods}},
		{option: "AllowHeaders", wrap: ginHeaders, policy: []string{"allow_headers: [authorization, x-tenant-id]"}, note: contentType},
		{option: "AllowHeaders", wrap: ginHeadersStar, policy: []string{`allow_headers: ["*"]`}, names: []sidebyside.Named{sidebyside.HeaderStar}},
		{option: "AllowCredentials", wrap: ginCredentials, policy: []string{"allow_credentials: true"}},
		{words: "no `ExposeHeaders`", wrap: ginOrigins, policy: []string{"expose: DECLARED"}},
		{words: "no `ExposeHeaders`", wrap: ginOrigins, policy: []string{"expose: none"}, note: exposeDefault, names: []sidebyside.Named{sidebyside.Exposed}, init: another},
		{option: "ExposeHeaders", wrap: ginExposed, policy: []string{"expose: DECLARED", "expose_headers: [x-request-id]"}, names: []sidebyside.Named{sidebyside.Trailers}},
		{option: "MaxAge", wrap: ginMaxAge, policy: []string{"max_age: 43200s"}},
		{words: "no `MaxAge`", wrap: ginOrigins, policy: []string{"max_age: none"}, note: maxAgeDefault, names: []sidebyside.Named{sidebyside.MaxAge}, init: another},
		{option: "AllowBrowserExtensions", wrap: ginExtensions, policy: []string{"allow_origins: [" + extension + "]"}, note: "The origin alone is enough", origins: []string{extension}},
		{option: "CustomSchemas", wrap: ginCustom, policy: []string{"allow_origins: [tauri://localhost]"}, note: "The origin alone is enough", origins: []string{"tauri://localhost"}},
		{option: "AllowWebSockets", wrap: ginWebSockets, policy: []string{"allow_origins: [https://app.example.com]"}, note: "An origin never has the scheme `wss`"},
		{option: "AllowFiles", wrap: ginFiles, policy: []string{`allow_origins: [https://app.example.com, "file://"]`, "accept_risks: [NULL_ORIGIN]"}, note: "Some web views send this origin. Browsers send `null` for local files", origins: []string{"file://"}, init: leftOut},
		{option: "AllowPrivateNetwork", wrap: ginPrivateNetwork, note: privateNetwork},
		{option: "OptionsResponseStatusCode", wrap: ginStatus, note: successStatus},
		{words: "`cors.DefaultConfig()`", wrap: ginDefaultConfig, policy: []string{"allow_origins: [https://app.example.com]", "max_age: 43200s"}, names: []sidebyside.Named{sidebyside.Methods}},
		{words: "`cors.Default()`", wrap: ginDefault, policy: []string{`allow_origins: ["*"]`, "max_age: 43200s"}, names: []sidebyside.Named{sidebyside.Methods}},
	},
}

// ginHandler returns a handler behind a middleware of gin.
func ginHandler(middleware gin.HandlerFunc, next http.Handler) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.Use(middleware)
	r.NoRoute(func(c *gin.Context) {
		c.Status(http.StatusOK) // NoRoute begins with status 404
		next.ServeHTTP(c.Writer, c.Request)
	})
	return r
}

func ginOrigins(next http.Handler) http.Handler {
	return ginHandler(gincors.New(gincors.Config{
		AllowOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		AllowHeaders: []string{"Content-Type"},
	}), next)
}

func ginOriginsStar(next http.Handler) http.Handler {
	return ginHandler(gincors.New(gincors.Config{
		AllowOrigins: []string{"*"},
		AllowHeaders: []string{"Content-Type"},
	}), next)
}

func ginOriginsExpression(next http.Handler) http.Handler {
	return ginHandler(gincors.New(gincors.Config{
		AllowOrigins: []string{`/^https://([a-z0-9-]+\.)+example\.com$/`},
		AllowHeaders: []string{"Content-Type"},
	}), next)
}

func ginAll(next http.Handler) http.Handler {
	return ginHandler(gincors.New(gincors.Config{
		AllowAllOrigins: true,
		AllowHeaders:    []string{"Content-Type"},
	}), next)
}

func ginWildcard(next http.Handler) http.Handler {
	return ginHandler(gincors.New(gincors.Config{
		AllowOrigins:  []string{"https://pr-*.example.com"},
		AllowWildcard: true,
		AllowHeaders:  []string{"Content-Type"},
	}), next)
}

func ginWildcardOff(next http.Handler) http.Handler {
	return ginHandler(gincors.New(gincors.Config{
		AllowOrigins: []string{"https://app.example.com", "https://*.example.com"},
		AllowHeaders: []string{"Content-Type"},
	}), next)
}

func ginFunc(next http.Handler) http.Handler {
	return ginHandler(gincors.New(gincors.Config{
		AllowOriginFunc: func(origin string) bool { return strings.HasSuffix(origin, ".example.com") },
		AllowHeaders:    []string{"Content-Type"},
	}), next)
}

func ginFuncTenants(next http.Handler) http.Handler {
	return ginHandler(gincors.New(gincors.Config{
		AllowOriginFunc: func(origin string) bool { return tenants[origin] },
		AllowHeaders:    []string{"Content-Type"},
	}), next)
}

func ginContextFunc(next http.Handler) http.Handler {
	return ginHandler(gincors.New(gincors.Config{
		AllowOriginWithContextFunc: func(c *gin.Context, origin string) bool { return allowedFor(c.Request.URL.Path, origin) },
		AllowHeaders:               []string{"Content-Type"},
	}), next)
}

func ginMethods(next http.Handler) http.Handler {
	return ginHandler(gincors.New(gincors.Config{
		AllowOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		AllowHeaders: []string{"Content-Type"},
		AllowMethods: []string{http.MethodGet, http.MethodPost, http.MethodPut},
	}), next)
}

func ginHeaders(next http.Handler) http.Handler {
	return ginHandler(gincors.New(gincors.Config{
		AllowOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		AllowHeaders: []string{"Content-Type", "Authorization", "X-Tenant-Id"},
	}), next)
}

func ginHeadersStar(next http.Handler) http.Handler {
	return ginHandler(gincors.New(gincors.Config{
		AllowOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		AllowHeaders: []string{"*"},
	}), next)
}

func ginCredentials(next http.Handler) http.Handler {
	return ginHandler(gincors.New(gincors.Config{
		AllowOrigins:     []string{"https://app.example.com", "https://admin.example.com"},
		AllowHeaders:     []string{"Content-Type"},
		AllowCredentials: true,
	}), next)
}

func ginExposed(next http.Handler) http.Handler {
	return ginHandler(gincors.New(gincors.Config{
		AllowOrigins:  []string{"https://app.example.com", "https://admin.example.com"},
		AllowHeaders:  []string{"Content-Type"},
		ExposeHeaders: []string{"X-Request-Id"},
	}), next)
}

func ginMaxAge(next http.Handler) http.Handler {
	return ginHandler(gincors.New(gincors.Config{
		AllowOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		AllowHeaders: []string{"Content-Type"},
		MaxAge:       12 * time.Hour,
	}), next)
}

func ginExtensions(next http.Handler) http.Handler {
	return ginHandler(gincors.New(gincors.Config{
		AllowOrigins:           []string{"chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb"},
		AllowHeaders:           []string{"Content-Type"},
		AllowBrowserExtensions: true,
	}), next)
}

func ginCustom(next http.Handler) http.Handler {
	return ginHandler(gincors.New(gincors.Config{
		AllowOrigins:  []string{"tauri://localhost"},
		AllowHeaders:  []string{"Content-Type"},
		CustomSchemas: []string{"tauri://"},
	}), next)
}

func ginWebSockets(next http.Handler) http.Handler {
	return ginHandler(gincors.New(gincors.Config{
		AllowOrigins:    []string{"https://app.example.com", "wss://app.example.com"},
		AllowHeaders:    []string{"Content-Type"},
		AllowWebSockets: true,
	}), next)
}

func ginFiles(next http.Handler) http.Handler {
	return ginHandler(gincors.New(gincors.Config{
		AllowOrigins: []string{"https://app.example.com", "file://"},
		AllowHeaders: []string{"Content-Type"},
		AllowFiles:   true,
	}), next)
}

func ginPrivateNetwork(next http.Handler) http.Handler {
	return ginHandler(gincors.New(gincors.Config{
		AllowOrigins:        []string{"https://app.example.com", "https://admin.example.com"},
		AllowHeaders:        []string{"Content-Type"},
		AllowPrivateNetwork: true,
	}), next)
}

func ginStatus(next http.Handler) http.Handler {
	return ginHandler(gincors.New(gincors.Config{
		AllowOrigins:              []string{"https://app.example.com", "https://admin.example.com"},
		AllowHeaders:              []string{"Content-Type"},
		OptionsResponseStatusCode: http.StatusOK,
	}), next)
}

func ginDefaultConfig(next http.Handler) http.Handler {
	config := gincors.DefaultConfig()
	config.AllowOrigins = []string{"https://app.example.com"}
	return ginHandler(gincors.New(config), next)
}

func ginDefault(next http.Handler) http.Handler {
	return ginHandler(gincors.Default(), next)
}

func ginMethodsStar(next http.Handler) http.Handler {
	return ginHandler(gincors.New(gincors.Config{
		AllowOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		AllowHeaders: []string{"Content-Type"},
		AllowMethods: []string{"*"},
	}), next)
}
