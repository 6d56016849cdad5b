package servers

import (
	"github.com/corsrpc/corsrpc-go/internal/export"
	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
)

const (
	envoyRecipe = `typed_per_filter_config:
  envoy.filters.http.cors:
    "@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy
    allow_origin_string_match: [{exact: "https://app.example.com"}, {exact: "https://admin.example.com"}]
    allow_credentials: true
    allow_methods: GET, POST
    allow_headers: authorization, content-type
    expose_headers: x-request-id
    max_age: "600"`
	envoyOrigins     = `allow_origin_string_match: [{exact: "https://app.example.com"}, {exact: "https://admin.example.com"}]`
	envoyCredentials = "    allow_credentials: true\n"
)

func envoyWith(old, text string, r row) row {
	r.text = edit(envoyRecipe, old, text)
	r.show = []string{text}
	return r
}

func envoyAlso(text string, r row) row {
	r.text = envoyRecipe + "\n    " + text
	r.show = []string{text}
	return r
}

// envoy has no start: its rows run under the build tag fleet.
var envoy = program{
	name: "Envoy `CorsPolicy`", id: "envoy", language: "yaml", base: recipePolicy, target: export.Envoy,
	every: append(everywhere, sidebyside.OperationalServices),
	rows: []row{
		{text: envoyRecipe, words: "the policy above", policy: recipePolicy},
		{text: envoyRecipe, show: []string{envoyOrigins}, policy: []string{twoOrigins}},
		envoyWith(envoyOrigins, `allow_origin_string_match: [{prefix: "https://app.example.com"}]`, row{policy: []string{"allow_origins: [https://app.example.com]"}, names: []sidebyside.Named{narrowed(evilPrefix, otherPort)}}),
		envoyWith(envoyOrigins, `allow_origin_string_match: [{suffix: "example.com"}]`, row{policy: []string{`allow_origins: [https://example.com, "https://*.example.com"]`}, names: []sidebyside.Named{narrowed(evilSuffix, plainHTTP)}}),
		envoyWith(envoyOrigins, `allow_origin_string_match: [{suffix: ".example.com"}]`, row{policy: []string{`allow_origins: ["https://*.example.com"]`}, names: []sidebyside.Named{narrowed(plainHTTP)}}),
		envoyWith(envoyOrigins, `allow_origin_string_match: [{contains: "app.example.com"}]`, row{policy: []string{"allow_origins: [https://app.example.com]"}, names: []sidebyside.Named{narrowed(evilPrefix, otherPort, plainHTTP)}}),
		envoyWith(envoyOrigins, `allow_origin_string_match: [{safe_regex: {regex: "https://([a-z0-9-]+\\.)+example\\.com"}}]`, row{policy: []string{`allow_origins: ["https://*.example.com"]`}, note: noRegexp}),
		envoyWith(envoyOrigins, `allow_origin_string_match: [{safe_regex: {regex: "https://.*.example.com"}}]`, row{
			policy: []string{`allow_origins: ["https://*.example.com"]`}, names: []sidebyside.Named{narrowed(evilSuffix, unescaped)}, origins: []string{unescaped},
		}),
		envoyWith(envoyOrigins, `allow_origin_string_match: [{exact: "HTTPS://APP.EXAMPLE.COM", ignore_case: true}]`, row{policy: []string{"allow_origins: [https://app.example.com]"}, note: "Browsers write origins in lower case"}),
		envoyWith(envoyOrigins, `allow_origin_string_match: [{exact: "*"}]`, row{policy: []string{anyOrigin, noCredentials}, note: reflected, names: []sidebyside.Named{cookiesOfAll}}),
		{
			text: edit(envoyRecipe, envoyOrigins, `allow_origin_string_match: [{exact: "null"}]`, envoyCredentials, ""), show: []string{`allow_origin_string_match: [{exact: "null"}]`},
			policy: []string{`allow_origins: ["null"]`, "accept_risks: [NULL_ORIGIN]", noCredentials}, note: nullRisk,
			names: []sidebyside.Named{sidebyside.CredentialsRefused},
		},
		{text: envoyRecipe, show: []string{"allow_credentials: true"}, policy: []string{"allow_credentials: true"}},
		{text: edit(envoyRecipe, envoyCredentials, ""), words: "no `allow_credentials`", policy: []string{noCredentials}, note: "Nothing", names: []sidebyside.Named{sidebyside.CredentialsRefused}},
		envoyWith("allow_methods: GET, POST", "allow_methods: GET, POST, PUT", row{note: methodsBySchema, names: []sidebyside.Named{sidebyside.Methods}}),
		envoyWith("allow_methods: GET, POST", "allow_methods: GET, POST, PUT", row{rules: filesRule, note: methodsOfPath, names: []sidebyside.Named{sidebyside.Methods}}),
		envoyWith("allow_headers: authorization, content-type", "allow_headers: authorization, content-type, x-tenant-id", row{policy: []string{"allow_headers: [authorization, x-tenant-id]"}, note: contentType}),
		envoyWith("allow_headers: authorization, content-type", `allow_headers: "*"`, row{policy: []string{`allow_headers: ["*", authorization]`}, note: "The filter sends back what the browser asks for", names: []sidebyside.Named{sidebyside.HeaderStar}}),
		{text: envoyRecipe, show: []string{"expose_headers: x-request-id"}, policy: []string{"expose: DECLARED", "expose_headers: [x-request-id]"}},
		{text: edit(envoyRecipe, "    expose_headers: x-request-id\n", ""), words: "no `expose_headers`", policy: []string{"expose: DECLARED", "expose_headers: none"}},
		{text: edit(envoyRecipe, "    expose_headers: x-request-id\n", ""), words: "no `expose_headers`", policy: []string{"expose: none", "expose_headers: none"}, note: exposeDefault, names: []sidebyside.Named{sidebyside.Exposed}},
		{text: envoyRecipe, show: []string{`max_age: "600"`}, policy: []string{"max_age: 600s"}},
		{text: edit(envoyRecipe, "\n    max_age: \"600\"", ""), words: "no `max_age`", policy: []string{"max_age: 5s"}, note: maxAgeFive},
		{text: edit(envoyRecipe, "\n    max_age: \"600\"", ""), words: "no `max_age`", policy: []string{"max_age: none"}, note: maxAgeDefault, names: []sidebyside.Named{sidebyside.MaxAge}},
		envoyAlso("filter_enabled: {default_value: {numerator: 0}}", row{policy: without("disabled: true")}),
		envoyAlso("shadow_enabled: {default_value: {numerator: 100}}", row{note: "Nothing: see [A first rollout](while-it-runs.md#a-first-rollout) for a trial"}),
		envoyAlso("allow_private_network_access: true", row{note: privateNetwork}),
		envoyAlso("forward_not_matching_preflights: false", row{note: answered}),
	},
}

// envoyAnswers are the cells of Envoy in the table of exchanges, one for each of exchanges. TestEnvoy compares them.
var envoyAnswers = []string{
	"`200`, granted",       // Preflight that is allowed
	"`405`",                // Preflight of another origin
	"`200`, granted",       // Preflight for a method that is not allowed
	"`200`, granted",       // Preflight for a header that is not allowed
	"`405`",                // `OPTIONS` without `Origin`
	"`200`, runs, granted", // `GET` of an allowed origin
	"`200`, runs, granted", // `PUT` of an allowed origin
	"`503`, runs, granted", // `GET` of an allowed origin, which the application answers with an error
	"`200`, runs",          // `POST` of another origin
	"`200`, runs",          // `POST` of the origin `null`
	"`200`, runs",          // `POST` without `Origin`, as programs send it
	"`200`, runs",          // `POST` without `Origin`, as a form of another site sends it
	"`200`, runs",          // `GET` of another origin, of a path that is not a procedure
	"`200`, runs, granted", // `GET` of an allowed origin, of a path that is not a procedure
	"none",                 // `Access-Control-Allow-Credentials` for another origin
	"none",                 // `Vary` of a preflight
	"none",                 // `Vary` of a `GET`, allowed origin
	"none",                 // `Vary` of a `GET` without `Origin`
	"none",                 // `Access-Control-Max-Age`, without a setting
}
