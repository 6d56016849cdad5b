package comingfrom

import (
	"net/http"
	"strings"

	"github.com/rs/cors"

	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
)

var rs = library{
	name: "rs/cors", init: true,
	base: []string{"allow_origins: [https://app.example.com, https://admin.example.com]", "allow_headers: [x-requested-with]", "expose: DECLARED", "max_age: 5s"},
	every: []sidebyside.Named{
		sidebyside.RefusedBeforeHandler, sidebyside.CredentialsRefused, sidebyside.OtherPaths, sidebyside.OperationalServices, sidebyside.ProtocolHeaders, sidebyside.StatusHeaders,
	},
	rows: []row{
		{option: "AllowedOrigins", wrap: rsOrigins, policy: []string{"allow_origins: [https://app.example.com, https://admin.example.com]"}},
		{option: "AllowedOrigins", wrap: rsOriginsCase, policy: []string{"allow_origins: [https://app.example.com]"}, note: upperCase},
		{option: "AllowedOrigins", wrap: rsOriginsStar, policy: []string{`allow_origins: ["*"]`}, note: starNull},
		{option: "AllowedOrigins", wrap: rsOriginsSubdomains, policy: []string{`allow_origins: ["https://*.example.com"]`}},
		{option: "AllowedOrigins", wrap: rsOriginsPreviews, policy: []string{`allow_origins: ["https://pr-*.example.com"]`}, origins: []string{previewBelow}, names: narrowed(previewBelow)},
		{option: "AllowedOrigins", wrap: rsOriginsPlainHTTP, policy: []string{"allow_origins: [http://app.example.com]", "accept_risks: [PLAIN_HTTP]"}, init: leftOut},
		{option: "AllowedOrigins", wrap: rsOriginsNull, policy: []string{`allow_origins: ["null"]`, "accept_risks: [NULL_ORIGIN]"}, init: leftOut},
		{option: "AllowOriginFunc", wrap: rsOriginFunc, policy: []string{`allow_origins: ["https://*.example.com"]`}, names: narrowed("http://app.example.com"), init: leftOut},
		{option: "AllowOriginFunc", wrap: rsOriginFuncTenants, policy: []string{"allow_origins_from: [tenants]", "allow_origins: none"}, layer: tenantsSource, layerText: tenantsText, init: leftOut},
		{option: "AllowOriginRequestFunc", wrap: rsOriginRequestFunc, rules: buyRule, note: byPath, init: leftOut},
		{option: "AllowOriginVaryRequestFunc", wrap: rsOriginVaryRequestFunc, policy: []string{"allow_origins: [https://app.example.com]", "allow_headers: [x-tenant-id]"}, note: byValue, names: []sidebyside.Named{valuesOfFields}, init: leftOut},
		{option: "AllowedMethods", wrap: rsMethods, note: methodsBySchema, names: []sidebyside.Named{sidebyside.Methods, sidebyside.Get}},
		{option: "AllowedMethods", wrap: rsMethods, rules: filesRule, note: methodsOfPath, names: []sidebyside.Named{sidebyside.Methods, sidebyside.Get}, init: leftOut},
		{option: "AllowedMethods", wrap: rsMethodsCase, note: methodsCase, names: []sidebyside.Named{methodCase, sidebyside.Get}, init: leftOut},
		{option: "AllowedHeaders", wrap: rsHeaders, policy: []string{"allow_headers: [authorization, x-tenant-id]"}, note: contentType},
		{option: "AllowedHeaders", wrap: rsHeadersStar, policy: []string{`allow_headers: ["*", authorization]`}, names: []sidebyside.Named{sidebyside.HeaderStar}},
		{words: "no `AllowedHeaders`", wrap: rsOrigins, policy: []string{"allow_headers: [x-requested-with]"}, note: "Its default list has this header"},
		{words: "no `ExposedHeaders`", wrap: rsOrigins, policy: []string{"expose: DECLARED"}},
		{words: "no `ExposedHeaders`", wrap: rsOrigins, policy: []string{"expose: none"}, note: exposeDefault, names: []sidebyside.Named{sidebyside.Exposed}, init: another},
		{option: "ExposedHeaders", wrap: rsExposed, policy: []string{"expose: DECLARED", "expose_headers: [x-request-id]"}, names: []sidebyside.Named{sidebyside.Trailers}},
		{option: "ExposedHeaders", wrap: rsExposedStar, policy: []string{"expose: PRESENT"}, names: []sidebyside.Named{sidebyside.ExposeStar}},
		{option: "MaxAge", wrap: rsMaxAge, policy: []string{"max_age: 600s"}},
		{option: "MaxAge", wrap: rsMaxAgeNone, policy: []string{"max_age: 0s"}},
		{option: "MaxAge", wrap: rsMaxAgeWeek, policy: []string{"max_age: 86400s"}, note: maxAgeDay, names: []sidebyside.Named{sidebyside.MaxAge}},
		{words: "no `MaxAge`", wrap: rsOrigins, policy: []string{"max_age: 5s"}, note: maxAgeFive},
		{words: "no `MaxAge`", wrap: rsOrigins, policy: []string{"max_age: none"}, note: maxAgeDefault, names: []sidebyside.Named{sidebyside.MaxAge}, init: another},
		{option: "AllowCredentials", wrap: rsCredentials, policy: []string{"allow_credentials: true"}},
		{words: "`AllowCredentials: true` and `AllowedOrigins: []string{\"*\"}`", wrap: rsCredentialsStar, policy: []string{`allow_origins: ["*"]`}, note: credentialsStar},
		{option: "AllowPrivateNetwork", wrap: rsPrivateNetwork, note: privateNetwork},
		{option: "OptionsPassthrough", wrap: rsPassthrough, note: passthrough, names: []sidebyside.Named{sidebyside.PreflightsAnswered}},
		{option: "OptionsSuccessStatus", wrap: rsSuccessStatus, note: successStatus},
		{option: "Debug", wrap: rsDebug, note: debug},
		{option: "Logger", wrap: rsLogger, layer: discard, layerText: "corsrpc.WithLogger(logger)"},
		{words: "`cors.Default()`", wrap: rsDefault, policy: []string{`allow_origins: ["*"]`}},
		{words: "`cors.AllowAll()`", wrap: rsAllowAll, policy: []string{`allow_origins: ["*"]`, `allow_headers: ["*", authorization]`}, names: []sidebyside.Named{sidebyside.Methods, sidebyside.HeaderStar}},
	},
}

func rsOriginsCase(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"HTTPS://App.Example.com"},
	}).Handler(next)
}

func rsOriginsNull(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"null"},
	}).Handler(next)
}

func rsOriginFuncTenants(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowOriginFunc: func(origin string) bool { return tenants[origin] },
	}).Handler(next)
}

func rsMethodsCase(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		AllowedMethods: []string{"get", "post"},
	}).Handler(next)
}

func rsCredentialsStar(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins:   []string{"*"},
		AllowCredentials: true,
	}).Handler(next)
}

func rsOrigins(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"https://app.example.com", "https://admin.example.com"},
	}).Handler(next)
}

func rsOriginsStar(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"*"},
	}).Handler(next)
}

func rsOriginsSubdomains(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"https://*.example.com"},
	}).Handler(next)
}

func rsOriginsPreviews(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"https://pr-*.example.com"},
	}).Handler(next)
}

func rsOriginsPlainHTTP(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"http://app.example.com"},
	}).Handler(next)
}

func rsOriginFunc(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowOriginFunc: func(origin string) bool { return strings.HasSuffix(origin, ".example.com") },
	}).Handler(next)
}

func rsOriginRequestFunc(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowOriginRequestFunc: func(r *http.Request, origin string) bool { return allowedFor(r.URL.Path, origin) }, //nolint:staticcheck // configurations have it
	}).Handler(next)
}

func rsOriginVaryRequestFunc(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowOriginVaryRequestFunc: func(r *http.Request, origin string) (bool, []string) {
			return origin == "https://app.example.com" && r.Header.Get("X-Tenant-Id") == "", []string{"X-Tenant-Id"}
		},
		AllowedHeaders: []string{"Content-Type", "X-Tenant-Id"},
	}).Handler(next)
}

func rsMethods(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		AllowedMethods: []string{http.MethodGet, http.MethodPost, http.MethodPut},
	}).Handler(next)
}

func rsHeaders(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		AllowedHeaders: []string{"Content-Type", "Authorization", "X-Tenant-Id"},
	}).Handler(next)
}

func rsHeadersStar(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		AllowedHeaders: []string{"*"},
	}).Handler(next)
}

func rsExposed(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		ExposedHeaders: []string{"X-Request-Id"},
	}).Handler(next)
}

func rsExposedStar(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		ExposedHeaders: []string{"*"},
	}).Handler(next)
}

func rsMaxAge(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		MaxAge:         600,
	}).Handler(next)
}

func rsMaxAgeNone(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		MaxAge:         -1,
	}).Handler(next)
}

func rsMaxAgeWeek(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		MaxAge:         604800,
	}).Handler(next)
}

func rsCredentials(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins:   []string{"https://app.example.com", "https://admin.example.com"},
		AllowCredentials: true,
	}).Handler(next)
}

func rsPrivateNetwork(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins:      []string{"https://app.example.com", "https://admin.example.com"},
		AllowPrivateNetwork: true,
	}).Handler(next)
}

func rsPassthrough(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins:     []string{"https://app.example.com", "https://admin.example.com"},
		OptionsPassthrough: true,
	}).Handler(next)
}

func rsSuccessStatus(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins:       []string{"https://app.example.com", "https://admin.example.com"},
		OptionsSuccessStatus: 200,
	}).Handler(next)
}

func rsDebug(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		Debug:          true,
	}).Handler(next)
}

func rsLogger(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"https://app.example.com", "https://admin.example.com"},
		Logger:         logger{},
	}).Handler(next)
}

func rsDefault(next http.Handler) http.Handler { return cors.Default().Handler(next) }

func rsAllowAll(next http.Handler) http.Handler { return cors.AllowAll().Handler(next) }

// logger writes nothing.
type logger struct{}

// Printf does nothing.
func (logger) Printf(string, ...any) {}
