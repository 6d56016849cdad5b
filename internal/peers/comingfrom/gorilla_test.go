package comingfrom

import (
	"net/http"
	"strings"

	"github.com/gorilla/handlers"

	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
)

var gorilla = library{
	name: "gorilla/handlers", init: true,
	base: []string{"allow_origins: [https://app.example.com, https://admin.example.com]", "expose: DECLARED", "max_age: 5s"}, every: rs.every,
	rows: []row{
		{option: "AllowedOrigins", wrap: gorillaOrigins, policy: []string{"allow_origins: [https://app.example.com, https://admin.example.com]"}},
		{option: "AllowedOrigins", wrap: gorillaOriginsStar, policy: []string{`allow_origins: ["*"]`}, note: starNull},
		{option: "AllowedOrigins", wrap: gorillaOriginsSubdomains, note: "The star is text to this library, so that the item allowed no page", policy: []string{"allow_origins: [https://app.example.com]"}},
		{words: "no `AllowedOrigins`", wrap: gorillaNone, policy: []string{`allow_origins: ["*"]`}},
		{option: "AllowedOriginValidator", wrap: gorillaValidator, policy: []string{`allow_origins: ["https://*.example.com"]`}, names: narrowed("http://app.example.com"), init: leftOut},
		{option: "AllowedOriginValidator", wrap: gorillaTenants, policy: []string{"allow_origins_from: [tenants]", "allow_origins: none"}, layer: tenantsSource, layerText: tenantsText, init: leftOut},
		{option: "AllowedHeaders", wrap: gorillaHeaders, policy: []string{"allow_headers: [authorization, x-tenant-id]"}, note: contentType},
		{option: "AllowedHeaders", wrap: gorillaHeadersStar, note: "Nothing: a star is text to this library"},
		{option: "AllowedMethods", wrap: gorillaMethods, note: methodsBySchema, names: []sidebyside.Named{sidebyside.Methods, sidebyside.Get}},
		{option: "AllowedMethods", wrap: gorillaMethods, rules: filesRule, note: methodsOfPath, names: []sidebyside.Named{sidebyside.Methods, sidebyside.Get}, init: leftOut},
		{words: "no `ExposedHeaders`", wrap: gorillaOrigins, policy: []string{"expose: DECLARED"}},
		{words: "no `ExposedHeaders`", wrap: gorillaOrigins, policy: []string{"expose: none"}, note: exposeDefault, names: []sidebyside.Named{sidebyside.Exposed}, init: another},
		{option: "ExposedHeaders", wrap: gorillaExposed, policy: []string{"expose: DECLARED", "expose_headers: [x-request-id]"}, names: []sidebyside.Named{sidebyside.Trailers}},
		{option: "MaxAge", wrap: gorillaMaxAge, policy: []string{"max_age: 600s"}, note: "The library cuts longer times to `600`"},
		{words: "no `MaxAge`", wrap: gorillaOrigins, policy: []string{"max_age: 5s"}, note: maxAgeFive},
		{words: "no `MaxAge`", wrap: gorillaOrigins, policy: []string{"max_age: none"}, note: maxAgeDefault, names: []sidebyside.Named{sidebyside.MaxAge}, init: another},
		{option: "AllowCredentials", wrap: gorillaCredentials, policy: []string{"allow_credentials: true"}},
		{option: "IgnoreOptions", wrap: gorillaIgnoreOptions, note: passthrough, names: []sidebyside.Named{sidebyside.PreflightsAnswered}},
		{option: "OptionStatusCode", wrap: gorillaStatus, note: successStatus},
	},
}

func gorillaOrigins(next http.Handler) http.Handler {
	return handlers.CORS(
		handlers.AllowedOrigins([]string{"https://app.example.com", "https://admin.example.com"}),
		handlers.AllowedHeaders([]string{"Content-Type"}),
	)(next)
}

func gorillaOriginsStar(next http.Handler) http.Handler {
	return handlers.CORS(
		handlers.AllowedOrigins([]string{"*"}),
		handlers.AllowedHeaders([]string{"Content-Type"}),
	)(next)
}

func gorillaOriginsSubdomains(next http.Handler) http.Handler {
	return handlers.CORS(
		handlers.AllowedOrigins([]string{"https://app.example.com", "https://*.example.com"}),
		handlers.AllowedHeaders([]string{"Content-Type"}),
	)(next)
}

func gorillaNone(next http.Handler) http.Handler {
	return handlers.CORS(
		handlers.AllowedHeaders([]string{"Content-Type"}),
	)(next)
}

func gorillaValidator(next http.Handler) http.Handler {
	return handlers.CORS(
		handlers.AllowedOriginValidator(func(origin string) bool { return strings.HasSuffix(origin, ".example.com") }),
		handlers.AllowedHeaders([]string{"Content-Type"}),
	)(next)
}

func gorillaTenants(next http.Handler) http.Handler {
	return handlers.CORS(
		handlers.AllowedOriginValidator(func(origin string) bool { return tenants[origin] }),
		handlers.AllowedHeaders([]string{"Content-Type"}),
	)(next)
}

func gorillaHeaders(next http.Handler) http.Handler {
	return handlers.CORS(
		handlers.AllowedOrigins([]string{"https://app.example.com", "https://admin.example.com"}),
		handlers.AllowedHeaders([]string{"Content-Type", "Authorization", "X-Tenant-Id"}),
	)(next)
}

func gorillaHeadersStar(next http.Handler) http.Handler {
	return handlers.CORS(
		handlers.AllowedOrigins([]string{"https://app.example.com", "https://admin.example.com"}),
		handlers.AllowedHeaders([]string{"Content-Type", "*"}),
	)(next)
}

func gorillaMethods(next http.Handler) http.Handler {
	return handlers.CORS(
		handlers.AllowedOrigins([]string{"https://app.example.com", "https://admin.example.com"}),
		handlers.AllowedHeaders([]string{"Content-Type"}),
		handlers.AllowedMethods([]string{http.MethodGet, http.MethodPost, http.MethodPut}),
	)(next)
}

func gorillaExposed(next http.Handler) http.Handler {
	return handlers.CORS(
		handlers.AllowedOrigins([]string{"https://app.example.com", "https://admin.example.com"}),
		handlers.AllowedHeaders([]string{"Content-Type"}),
		handlers.ExposedHeaders([]string{"X-Request-Id"}),
	)(next)
}

func gorillaMaxAge(next http.Handler) http.Handler {
	return handlers.CORS(
		handlers.AllowedOrigins([]string{"https://app.example.com", "https://admin.example.com"}),
		handlers.AllowedHeaders([]string{"Content-Type"}),
		handlers.MaxAge(3600),
	)(next)
}

func gorillaCredentials(next http.Handler) http.Handler {
	return handlers.CORS(
		handlers.AllowedOrigins([]string{"https://app.example.com", "https://admin.example.com"}),
		handlers.AllowedHeaders([]string{"Content-Type"}),
		handlers.AllowCredentials(),
	)(next)
}

func gorillaIgnoreOptions(next http.Handler) http.Handler {
	return handlers.CORS(
		handlers.AllowedOrigins([]string{"https://app.example.com", "https://admin.example.com"}),
		handlers.AllowedHeaders([]string{"Content-Type"}),
		handlers.IgnoreOptions(),
	)(next)
}

func gorillaStatus(next http.Handler) http.Handler {
	return handlers.CORS(
		handlers.AllowedOrigins([]string{"https://app.example.com", "https://admin.example.com"}),
		handlers.AllowedHeaders([]string{"Content-Type"}),
		handlers.OptionStatusCode(http.StatusNoContent),
	)(next)
}
