package comingfrom

import (
	"net/http"

	chicors "github.com/go-chi/cors"

	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
)

var chi = library{
	name: "go-chi/cors", init: true,
	base:  []string{"allow_origins: [https://app.example.com, https://admin.example.com]", "expose: DECLARED", "max_age: 5s"},
	every: rs.every,
	rows: []row{
		{option: "AllowedOrigins", wrap: chiOrigins, policy: []string{"allow_origins: [https://app.example.com, https://admin.example.com]"}},
		{option: "AllowedOrigins", wrap: chiOriginsCase, policy: []string{"allow_origins: [https://app.example.com]"}, note: upperCase},
		{option: "AllowedOrigins", wrap: chiOriginsStar, policy: []string{`allow_origins: ["*"]`}, note: starNull},
		{option: "AllowedOrigins", wrap: chiOriginsSubdomains, policy: []string{`allow_origins: ["https://*.example.com"]`}},
		{option: "AllowedOrigins", wrap: chiOriginsPreviews, policy: []string{`allow_origins: ["https://pr-*.example.com"]`}, origins: []string{previewBelow}, names: narrowed(previewBelow)},
		{option: "AllowedOrigins", wrap: chiOriginsPlainHTTP, policy: []string{"allow_origins: [http://app.example.com]", "accept_risks: [PLAIN_HTTP]"}, init: leftOut},
		{option: "AllowedOrigins", wrap: chiOriginsNull, policy: []string{`allow_origins: ["null"]`, "accept_risks: [NULL_ORIGIN]"}, init: leftOut},
		{option: "AllowOriginFunc", wrap: chiOriginFunc, rules: buyRule, note: byPath, init: leftOut},
		{option: "AllowOriginFunc", wrap: chiOriginFuncTenants, policy: []string{"allow_origins_from: [tenants]", "allow_origins: none"}, layer: tenantsSource, layerText: tenantsText, init: leftOut},
		{option: "AllowedMethods", wrap: chiMethods, note: methodsBySchema, names: []sidebyside.Named{sidebyside.Methods, sidebyside.Get}},
		{option: "AllowedMethods", wrap: chiMethods, rules: filesRule, note: methodsOfPath, names: []sidebyside.Named{sidebyside.Methods, sidebyside.Get}, init: leftOut},
		{option: "AllowedMethods", wrap: chiMethodsCase, note: methodsAnyCase, names: []sidebyside.Named{sidebyside.Get}},
		{option: "AllowedHeaders", wrap: chiHeaders, policy: []string{"allow_headers: [authorization, x-tenant-id]"}, note: contentType},
		{option: "AllowedHeaders", wrap: chiHeadersStar, policy: []string{`allow_headers: ["*", authorization]`}, names: []sidebyside.Named{sidebyside.HeaderStar}},
		{words: "no `ExposedHeaders`", wrap: chiOrigins, policy: []string{"expose: DECLARED"}},
		{words: "no `ExposedHeaders`", wrap: chiOrigins, policy: []string{"expose: none"}, note: exposeDefault, names: []sidebyside.Named{sidebyside.Exposed}, init: another},
		{option: "ExposedHeaders", wrap: chiExposed, policy: []string{"expose: DECLARED", "expose_headers: [x-request-id]"}, names: []sidebyside.Named{sidebyside.Trailers}},
		{option: "ExposedHeaders", wrap: chiExposedStar, policy: []string{"expose: PRESENT"}, names: []sidebyside.Named{sidebyside.ExposeStar}},
		{option: "MaxAge", wrap: chiMaxAge, policy: []string{"max_age: 600s"}},
		{option: "MaxAge", wrap: chiMaxAgeNone, policy: []string{"max_age: 5s"}, note: maxAgeNegative},
		{option: "MaxAge", wrap: chiMaxAgeWeek, policy: []string{"max_age: 86400s"}, note: maxAgeDay, names: []sidebyside.Named{sidebyside.MaxAge}},
		{words: "no `MaxAge`", wrap: chiOrigins, policy: []string{"max_age: 5s"}, note: maxAgeFive},
		{words: "no `MaxAge`", wrap: chiOrigins, policy: []string{"max_age: none"}, note: maxAgeDefault, names: []sidebyside.Named{sidebyside.MaxAge}, init: another},
		{option: "AllowCredentials", wrap: chiCredentials, policy: []string{"allow_credentials: true"}},
		{words: "`AllowCredentials: true` and `AllowedOrigins: []string{\"*\"}`", wrap: chiCredentialsStar, policy: []string{`allow_origins: ["*"]`}, note: credentialsStar},
		{option: "OptionsPassthrough", wrap: chiPassthrough, note: passthrough, names: []sidebyside.Named{sidebyside.PreflightsAnswered}},
		{option: "Debug", wrap: chiDebug, note: debug},
		{words: "`cors.AllowAll()`", wrap: chiAllowAll, policy: []string{`allow_origins: ["*"]`, `allow_headers: ["*", authorization]`}, names: []sidebyside.Named{sidebyside.Methods, sidebyside.HeaderStar}},
	},
}

func chiOrigins(next http.Handler) http.Handler {
	return chicors.New(chicors.Options{
		AllowedOrigins: []string{"https://app.example.com", "https://admin.example.com"},
	}).Handler(next)
}

func chiOriginsCase(next http.Handler) http.Handler {
	return chicors.New(chicors.Options{
		AllowedOrigins: []string{"HTTPS://App.Example.com"},
	}).Handler(next)
}

func chiOriginsStar(next http.Handler) http.Handler {
	return chicors.New(chicors.Options{
		AllowedOrigins: []string{"*"},
	}).Handler(next)
}

func chiOriginsSubdomains(next http.Handler) http.Handler {
	return chicors.New(chicors.Options{
		AllowedOrigins: []string{"https://*.example.com"},
	}).Handler(next)
}

func chiOriginsPreviews(next http.Handler) http.Handler {
	return chicors.New(chicors.Options{
		AllowedOrigins: []string{"https://pr-*.example.com"},
	}).Handler(next)
}

func chiOriginsPlainHTTP(next http.Handler) http.Handler {
	return chicors.New(chicors.Options{
		AllowedOrigins: []string{"http://app.example.com"},
	}).Handler(next)
}

func chiOriginsNull(next http.Handler) http.Handler {
	return chicors.New(chicors.Options{
		AllowedOrigins: []string{"null"},
	}).Handler(next)
}

func chiOriginFuncTenants(next http.Handler) http.Handler {
	return chicors.New(chicors.Options{
		AllowOriginFunc: func(_ *http.Request, origin string) bool { return tenants[origin] },
	}).Handler(next)
}

func chiMethods(next http.Handler) http.Handler {
	return chicors.New(chicors.Options{
		AllowedOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		AllowedMethods: []string{http.MethodGet, http.MethodPost, http.MethodPut},
	}).Handler(next)
}

func chiMethodsCase(next http.Handler) http.Handler {
	return chicors.New(chicors.Options{
		AllowedOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		AllowedMethods: []string{"get", "post"},
	}).Handler(next)
}

func chiHeaders(next http.Handler) http.Handler {
	return chicors.New(chicors.Options{
		AllowedOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		AllowedHeaders: []string{"Content-Type", "Authorization", "X-Tenant-Id"},
	}).Handler(next)
}

func chiHeadersStar(next http.Handler) http.Handler {
	return chicors.New(chicors.Options{
		AllowedOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		AllowedHeaders: []string{"*"},
	}).Handler(next)
}

func chiExposed(next http.Handler) http.Handler {
	return chicors.New(chicors.Options{
		AllowedOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		ExposedHeaders: []string{"X-Request-Id"},
	}).Handler(next)
}

func chiExposedStar(next http.Handler) http.Handler {
	return chicors.New(chicors.Options{
		AllowedOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		ExposedHeaders: []string{"*"},
	}).Handler(next)
}

func chiMaxAge(next http.Handler) http.Handler {
	return chicors.New(chicors.Options{
		AllowedOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		MaxAge:         600,
	}).Handler(next)
}

func chiMaxAgeNone(next http.Handler) http.Handler {
	return chicors.New(chicors.Options{
		AllowedOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		MaxAge:         -1,
	}).Handler(next)
}

func chiMaxAgeWeek(next http.Handler) http.Handler {
	return chicors.New(chicors.Options{
		AllowedOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		MaxAge:         604800,
	}).Handler(next)
}

func chiCredentials(next http.Handler) http.Handler {
	return chicors.New(chicors.Options{
		AllowedOrigins:   []string{"https://app.example.com", "https://admin.example.com"},
		AllowCredentials: true,
	}).Handler(next)
}

func chiCredentialsStar(next http.Handler) http.Handler {
	return chicors.New(chicors.Options{
		AllowedOrigins:   []string{"*"},
		AllowCredentials: true,
	}).Handler(next)
}

func chiPassthrough(next http.Handler) http.Handler {
	return chicors.New(chicors.Options{
		AllowedOrigins:     []string{"https://app.example.com", "https://admin.example.com"},
		OptionsPassthrough: true,
	}).Handler(next)
}

func chiDebug(next http.Handler) http.Handler {
	return chicors.New(chicors.Options{
		AllowedOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		Debug:          true,
	}).Handler(next)
}

func chiAllowAll(next http.Handler) http.Handler { return chicors.AllowAll().Handler(next) }

func chiOriginFunc(next http.Handler) http.Handler {
	return chicors.New(chicors.Options{
		AllowOriginFunc: func(r *http.Request, origin string) bool { return allowedFor(r.URL.Path, origin) },
	}).Handler(next)
}
