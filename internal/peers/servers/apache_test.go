package servers

import "github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"

const (
	apacheRecipe = `SetEnvIf Origin "^https://(app|admin)\.example\.com$" CORS_ORIGIN=$0
Header always set Access-Control-Allow-Origin %{CORS_ORIGIN}e env=CORS_ORIGIN
Header always set Access-Control-Allow-Credentials true env=CORS_ORIGIN
Header always set Access-Control-Allow-Methods "GET, POST" env=CORS_ORIGIN
Header always set Access-Control-Allow-Headers "Authorization, Content-Type" env=CORS_ORIGIN
Header always set Access-Control-Expose-Headers X-Request-Id env=CORS_ORIGIN
Header always set Access-Control-Max-Age 600 env=CORS_ORIGIN
Header always merge Vary Origin
RewriteEngine on
RewriteCond %{REQUEST_METHOD} OPTIONS
RewriteRule ^ - [R=204,L]
ProxyPass / http://127.0.0.1:9090/`
	apacheCredentials = "Header always set Access-Control-Allow-Credentials true env=CORS_ORIGIN\n"
	apacheSetEnv      = `SetEnvIf Origin "^https://(app|admin)\.example\.com$" CORS_ORIGIN=$0`
	apacheOrigin      = "Header always set Access-Control-Allow-Origin %{CORS_ORIGIN}e env=CORS_ORIGIN"
	apacheOptions     = "RewriteCond %{REQUEST_METHOD} OPTIONS\nRewriteRule ^ - [R=204,L]\n"
	apacheExpose      = "Header always set Access-Control-Expose-Headers X-Request-Id env=CORS_ORIGIN\n"
	apacheMaxAge      = "Header always set Access-Control-Max-Age 600 env=CORS_ORIGIN\n"
	// apacheError makes an error of Apache itself.
	apacheError = "RewriteCond %{QUERY_STRING} own=1\nRewriteRule ^ - [R=502,L]\nProxyPass"
)

var apache = program{
	name: "Apache", id: "apache", language: "apache", base: recipePolicy, start: startApache,
	every: append(everywhere, sidebyside.OperationalServices),
	rows: []row{
		{text: apacheRecipe, words: "the configuration above", policy: recipePolicy},
		{text: apacheRecipe, show: []string{apacheSetEnv}, policy: []string{twoOrigins}},
		{
			text: edit(apacheRecipe, apacheSetEnv, `SetEnvIf Origin "^https://([a-z0-9-]+\.)+example\.com$" CORS_ORIGIN=$0`), show: []string{`SetEnvIf Origin "^https://([a-z0-9-]+\.)+example\.com$" CORS_ORIGIN=$0`},
			policy: []string{`allow_origins: ["https://*.example.com"]`}, note: noRegexp,
		},
		{
			text: edit(apacheRecipe, apacheSetEnv, `SetEnvIf Origin "https?://.*example.com$" CORS_ORIGIN=$0`), show: []string{`SetEnvIf Origin "https?://.*example.com$" CORS_ORIGIN=$0`},
			policy: []string{`allow_origins: [https://example.com, "https://*.example.com"]`}, names: []sidebyside.Named{narrowed(evilSuffix, plainHTTP)},
		},
		{
			text: edit(apacheRecipe, apacheSetEnv, `SetEnvIf Origin "^https://app.example.com" CORS_ORIGIN=$0`), show: []string{`SetEnvIf Origin "^https://app.example.com" CORS_ORIGIN=$0`},
			policy: []string{"allow_origins: [https://app.example.com]"}, note: "`$0` is the part that matches, so that browsers refuse the answer for a longer origin. The expression matches more than it seems",
		},
		{
			text: edit(apacheRecipe, apacheSetEnv, `SetEnvIf Origin "(.+)" CORS_ORIGIN=$1`), show: []string{`SetEnvIf Origin "(.+)" CORS_ORIGIN=$1`},
			policy: []string{anyOrigin, noCredentials}, note: reflected, names: []sidebyside.Named{cookiesOfAll},
		},
		{
			text: edit(apacheRecipe, apacheSetEnv+"\n", "", " env=CORS_ORIGIN", "", "%{CORS_ORIGIN}e", "*"), show: []string{"Header always set Access-Control-Allow-Origin *", "Header always set Access-Control-Allow-Credentials true"},
			policy: []string{anyOrigin, noCredentials}, note: credentialsStar,
			names: []sidebyside.Named{sidebyside.CredentialsRefused},
		},
		{
			text: edit(apacheRecipe, apacheSetEnv+"\n", "", " env=CORS_ORIGIN", "", "%{CORS_ORIGIN}e", "https://app.example.com"), show: []string{"Header always set Access-Control-Allow-Origin https://app.example.com"},
			policy: []string{"allow_origins: [https://app.example.com]"},
		},
		{
			text: edit(apacheRecipe, apacheSetEnv, `SetEnvIf Origin "^null$" CORS_ORIGIN=$0`, apacheCredentials, ""), show: []string{`SetEnvIf Origin "^null$" CORS_ORIGIN=$0`},
			policy: []string{`allow_origins: ["null"]`, "accept_risks: [NULL_ORIGIN]", noCredentials}, note: nullRisk,
			names: []sidebyside.Named{sidebyside.CredentialsRefused},
		},
		{text: apacheRecipe, show: []string{"Header always set Access-Control-Allow-Credentials true env=CORS_ORIGIN"}, policy: []string{"allow_credentials: true"}},
		{text: edit(apacheRecipe, apacheCredentials, ""), words: "no `Access-Control-Allow-Credentials`", policy: []string{noCredentials}, note: "Nothing", names: []sidebyside.Named{sidebyside.CredentialsRefused}},
		{
			text: edit(apacheRecipe, `"GET, POST"`, `"GET, POST, PUT"`), show: []string{`Header always set Access-Control-Allow-Methods "GET, POST, PUT" env=CORS_ORIGIN`},
			note: methodsBySchema, names: []sidebyside.Named{sidebyside.Methods},
		},
		{
			text: edit(apacheRecipe, `"GET, POST"`, `"GET, POST, PUT"`), show: []string{`Header always set Access-Control-Allow-Methods "GET, POST, PUT" env=CORS_ORIGIN`},
			rules: filesRule, note: methodsOfPath, names: []sidebyside.Named{sidebyside.Methods},
		},
		{
			text: edit(apacheRecipe, `"Authorization, Content-Type"`, `"Authorization, Content-Type, X-Tenant-Id"`), show: []string{`Header always set Access-Control-Allow-Headers "Authorization, Content-Type, X-Tenant-Id" env=CORS_ORIGIN`},
			policy: []string{"allow_headers: [authorization, x-tenant-id]"}, note: contentType,
		},
		{
			text:   edit(apacheRecipe, "SetEnvIf Origin", "SetEnvIf Access-Control-Request-Headers \"(.+)\" CORS_HEADERS=$1\nSetEnvIf Origin", `"Authorization, Content-Type" env=CORS_ORIGIN`, "%{CORS_HEADERS}e env=CORS_HEADERS"),
			show:   []string{`Header always set Access-Control-Allow-Headers %{CORS_HEADERS}e env=CORS_HEADERS`},
			policy: []string{`allow_headers: ["*", authorization]`}, note: "The variable has the list that the browser asks for", names: []sidebyside.Named{sidebyside.HeaderStar},
		},
		{text: apacheRecipe, show: []string{"Header always set Access-Control-Expose-Headers X-Request-Id env=CORS_ORIGIN"}, policy: []string{"expose: DECLARED", "expose_headers: [x-request-id]"}},
		{text: edit(apacheRecipe, apacheExpose, ""), words: "no `Access-Control-Expose-Headers`", policy: []string{"expose: DECLARED", "expose_headers: none"}},
		{
			text: edit(apacheRecipe, apacheExpose, ""), words: "no `Access-Control-Expose-Headers`", policy: []string{"expose: none", "expose_headers: none"},
			note: exposeDefault, names: []sidebyside.Named{sidebyside.Exposed},
		},
		{text: apacheRecipe, show: []string{"Header always set Access-Control-Max-Age 600 env=CORS_ORIGIN"}, policy: []string{"max_age: 600s"}},
		{text: edit(apacheRecipe, apacheMaxAge, ""), words: "no `Access-Control-Max-Age`", policy: []string{"max_age: 5s"}, note: maxAgeFive},
		{
			text: edit(apacheRecipe, apacheMaxAge, ""), words: "no `Access-Control-Max-Age`", policy: []string{"max_age: none"},
			note: maxAgeDefault, names: []sidebyside.Named{sidebyside.MaxAge},
		},
		{text: apacheRecipe, show: []string{"Header always merge Vary Origin"}, note: varyNote},
		{
			text: edit(apacheRecipe, "Header always set", "Header set", "ProxyPass", apacheError), words: "`Header set` without `always`", note: "Nothing", calls: call("GET that Apache refuses", failedHere),
			names: []sidebyside.Named{errorsReadable, preflightFields},
		},
		{text: edit(apacheRecipe, apacheOptions, ""), words: "no `RewriteRule` for `OPTIONS`", note: answered, names: []sidebyside.Named{sidebyside.PreflightsAnswered}},
		{
			text: apacheRecipe, words: "`Header always set`, and a server that sends the field too", note: replaced,
			calls: call("GET of an answer with CORS fields", ownFields), names: []sidebyside.Named{twoValues},
		},
		{
			text: edit(apacheRecipe, "ProxyPass", "Header onsuccess unset Access-Control-Allow-Origin\nProxyPass"), show: []string{"Header onsuccess unset Access-Control-Allow-Origin"}, note: replaced,
			calls: call("GET of an answer with CORS fields", ownFields),
		},
	},
}
