package servers

import (
	"net/http"

	"github.com/corsrpc/corsrpc-go/internal/export"
	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
)

const (
	nginxMap = `map $http_origin $cors_origin {
    https://app.example.com    $http_origin;
    https://admin.example.com  $http_origin;
}`
	nginxRecipe = `location / {
    if ($request_method = OPTIONS) {
        add_header Access-Control-Allow-Origin $cors_origin;
        add_header Access-Control-Allow-Credentials true;
        add_header Access-Control-Allow-Methods "GET, POST";
        add_header Access-Control-Allow-Headers "Authorization, Content-Type";
        add_header Access-Control-Max-Age 600;
        return 204;
    }
    add_header Access-Control-Allow-Origin $cors_origin always;
    add_header Access-Control-Allow-Credentials true always;
    add_header Access-Control-Expose-Headers X-Request-Id always;
    add_header Vary Origin always;
    proxy_pass http://127.0.0.1:9090;
}`
	nginxInIf = `    if ($request_method = OPTIONS) {
        add_header Access-Control-Allow-Origin $cors_origin;
        add_header Access-Control-Allow-Credentials true;
        add_header Access-Control-Allow-Methods "GET, POST";
        add_header Access-Control-Allow-Headers "Authorization, Content-Type";
        add_header Access-Control-Max-Age 600;
        return 204;
    }
`
)

// mapOf returns a map with other lines.
func mapOf(lines string) string {
	return "map $http_origin $cors_origin {\n" + lines + "\n}"
}

var nginxProgram = program{
	name: "nginx", id: "nginx", language: "nginx", base: recipePolicy, target: export.Nginx, start: startNginx,
	every: append(everywhere, sidebyside.OperationalServices),
	rows: []row{
		{outer: nginxMap, text: nginxRecipe, words: "the configuration above", policy: recipePolicy},
		{outer: nginxMap, text: nginxRecipe, show: []string{"https://app.example.com $http_origin;"}, words: "`map` with", policy: []string{twoOrigins}},
		{
			outer: mapOf(`~^https://([a-z0-9-]+\.)+example\.com$ $http_origin;`), text: nginxRecipe, show: []string{`~^https://([a-z0-9-]+\.)+example\.com$ $http_origin;`}, words: "`map` with",
			policy: []string{`allow_origins: ["https://*.example.com"]`}, note: noRegexp,
		},
		{
			outer: mapOf(`~^https://.*.example.com$ $http_origin;`), text: nginxRecipe, show: []string{`~^https://.*.example.com$ $http_origin;`}, words: "`map` with",
			policy: []string{`allow_origins: ["https://*.example.com"]`}, note: noRegexp, names: []sidebyside.Named{narrowed(evilSuffix, unescaped)}, origins: []string{unescaped},
		},
		{
			outer: mapOf(`~^https://app\.example\.com $http_origin;`), text: nginxRecipe, show: []string{`~^https://app\.example\.com $http_origin;`}, words: "`map` with",
			policy: []string{"allow_origins: [https://app.example.com]"}, names: []sidebyside.Named{narrowed(evilPrefix, otherPort)},
		},
		{
			outer: "", text: edit(nginxRecipe, "location / {", "set $cors_origin \"\";\nif ($http_origin ~* \"^https://(app|admin)\\.example\\.com$\") {\n    set $cors_origin $http_origin;\n}\nlocation / {"),
			show: []string{`if ($http_origin ~* "^https://(app|admin)\.example\.com$") { set $cors_origin $http_origin; }`}, policy: []string{twoOrigins},
		},
		{
			outer: mapOf(`null $http_origin;`), text: edit(nginxRecipe, "        add_header Access-Control-Allow-Credentials true;\n", "", "    add_header Access-Control-Allow-Credentials true always;\n", ""), show: []string{`null $http_origin;`}, words: "`map` with",
			policy: []string{`allow_origins: ["null"]`, "accept_risks: [NULL_ORIGIN]", noCredentials}, note: nullRisk,
			names: []sidebyside.Named{sidebyside.CredentialsRefused},
		},
		{
			text: edit(nginxRecipe, "$cors_origin", "$http_origin"), show: []string{"add_header Access-Control-Allow-Origin $http_origin always;", "add_header Access-Control-Allow-Credentials true always;"},
			policy: []string{anyOrigin, noCredentials}, note: reflected, names: []sidebyside.Named{cookiesOfAll},
		},
		{
			text: edit(nginxRecipe, "$cors_origin", "*"), show: []string{"add_header Access-Control-Allow-Origin * always;", "add_header Access-Control-Allow-Credentials true always;"},
			policy: []string{anyOrigin, noCredentials}, note: credentialsStar,
			names: []sidebyside.Named{sidebyside.CredentialsRefused},
		},
		{
			text: edit(nginxRecipe, "$cors_origin", "https://app.example.com"), show: []string{"add_header Access-Control-Allow-Origin https://app.example.com always;"},
			policy: []string{"allow_origins: [https://app.example.com]"},
		},
		{
			text: edit(nginxRecipe, "Access-Control-Allow-Origin $cors_origin;", "Access-Control-Allow-Origin https://app.example.com;\n        add_header Access-Control-Allow-Origin https://admin.example.com;",
				"Access-Control-Allow-Origin $cors_origin always;", "Access-Control-Allow-Origin https://app.example.com always;\n    add_header Access-Control-Allow-Origin https://admin.example.com always;"),
			show:   []string{"add_header Access-Control-Allow-Origin https://app.example.com always; add_header Access-Control-Allow-Origin https://admin.example.com always;"},
			policy: []string{twoOrigins}, names: []sidebyside.Named{twoValues},
		},
		{outer: nginxMap, text: nginxRecipe, show: []string{"add_header Access-Control-Allow-Credentials true always;"}, policy: []string{"allow_credentials: true"}},
		{
			outer: nginxMap, text: edit(nginxRecipe, "        add_header Access-Control-Allow-Credentials true;\n", "", "    add_header Access-Control-Allow-Credentials true always;\n", ""),
			words: "no `Access-Control-Allow-Credentials`", policy: []string{noCredentials}, note: "Nothing",
			names: []sidebyside.Named{sidebyside.CredentialsRefused},
		},
		{
			outer: nginxMap, text: edit(nginxRecipe, `"GET, POST"`, `"GET, POST, PUT"`), show: []string{`add_header Access-Control-Allow-Methods "GET, POST, PUT";`},
			note: methodsBySchema, names: []sidebyside.Named{sidebyside.Methods},
		},
		{
			outer: nginxMap, text: edit(nginxRecipe, `"GET, POST"`, `"GET, POST, PUT"`), show: []string{`add_header Access-Control-Allow-Methods "GET, POST, PUT";`},
			rules: filesRule, note: methodsOfPath, names: []sidebyside.Named{sidebyside.Methods},
		},
		{
			outer: nginxMap, text: edit(nginxRecipe, `"Authorization, Content-Type"`, `"Authorization, Content-Type, X-Tenant-Id"`), show: []string{`add_header Access-Control-Allow-Headers "Authorization, Content-Type, X-Tenant-Id";`},
			policy: []string{"allow_headers: [authorization, x-tenant-id]"}, note: contentType,
		},
		{
			outer: nginxMap, text: edit(nginxRecipe, `"Authorization, Content-Type"`, "$http_access_control_request_headers"), show: []string{`add_header Access-Control-Allow-Headers $http_access_control_request_headers;`},
			policy: []string{`allow_headers: ["*", authorization]`}, names: []sidebyside.Named{sidebyside.HeaderStar},
		},
		{
			outer: nginxMap, text: edit(nginxRecipe, `"Authorization, Content-Type"`, "*", "        add_header Access-Control-Allow-Credentials true;\n", "", "    add_header Access-Control-Allow-Credentials true always;\n", ""),
			show: []string{`add_header Access-Control-Allow-Headers *;`}, words: "without credentials,",
			policy: []string{`allow_headers: ["*"]`, noCredentials}, names: []sidebyside.Named{sidebyside.CredentialsRefused, sidebyside.HeaderStar},
		},
		{
			outer: nginxMap, text: edit(nginxRecipe, `"Authorization, Content-Type"`, "*"), show: []string{`add_header Access-Control-Allow-Headers *;`}, words: "with credentials,",
			policy: []string{`allow_headers: ["*"]`}, names: []sidebyside.Named{sidebyside.HeaderStar, starWithCookies},
			calls: []sidebyside.Call{{Name: "GET with cookies and x-tenant-id", Origin: sidebyside.App, Method: "GET", Path: sidebyside.Me, Header: http.Header{"X-Tenant-Id": {"1"}}, Credentials: true}},
		},
		{outer: nginxMap, text: nginxRecipe, show: []string{"add_header Access-Control-Expose-Headers X-Request-Id always;"}, policy: []string{"expose: DECLARED", "expose_headers: [x-request-id]"}},
		{
			outer: nginxMap, text: edit(nginxRecipe, "Expose-Headers X-Request-Id", "Expose-Headers *", "        add_header Access-Control-Allow-Credentials true;\n", "", "    add_header Access-Control-Allow-Credentials true always;\n", ""),
			show: []string{"add_header Access-Control-Expose-Headers * always;"}, words: "without credentials,", policy: []string{"expose: PRESENT", "expose_headers: none", noCredentials}, names: []sidebyside.Named{sidebyside.CredentialsRefused, sidebyside.ExposeStar, exposedOfServer},
		},
		{
			outer: nginxMap, text: edit(nginxRecipe, "    add_header Access-Control-Expose-Headers X-Request-Id always;\n", ""), words: "no `Access-Control-Expose-Headers`",
			policy: []string{"expose: DECLARED", "expose_headers: none"},
		},
		{
			outer: nginxMap, text: edit(nginxRecipe, "    add_header Access-Control-Expose-Headers X-Request-Id always;\n", ""), words: "no `Access-Control-Expose-Headers`",
			policy: []string{"expose: none", "expose_headers: none"}, note: exposeDefault, names: []sidebyside.Named{sidebyside.Exposed},
		},
		{outer: nginxMap, text: nginxRecipe, show: []string{"add_header Access-Control-Max-Age 600;"}, policy: []string{"max_age: 600s"}},
		{
			outer: nginxMap, text: edit(nginxRecipe, "Max-Age 600", "Max-Age 1728000"), show: []string{"add_header Access-Control-Max-Age 1728000;"},
			policy: []string{"max_age: 86400s"}, note: maxAgeDay, names: []sidebyside.Named{sidebyside.MaxAge},
		},
		{outer: nginxMap, text: edit(nginxRecipe, "        add_header Access-Control-Max-Age 600;\n", ""), words: "no `Access-Control-Max-Age`", policy: []string{"max_age: 5s"}, note: maxAgeFive},
		{
			outer: nginxMap, text: edit(nginxRecipe, "        add_header Access-Control-Max-Age 600;\n", ""), words: "no `Access-Control-Max-Age`", policy: []string{"max_age: none"},
			note: maxAgeDefault, names: []sidebyside.Named{sidebyside.MaxAge},
		},
		{outer: nginxMap, text: nginxRecipe, show: []string{"add_header Vary Origin always;"}, note: varyNote},
		{outer: nginxMap, text: edit(nginxRecipe, " always;", ";"), words: "`add_header` without `always`", note: "Nothing", names: []sidebyside.Named{errorsReadable}},
		{outer: nginxMap, text: edit(nginxRecipe, nginxInIf, ""), words: "no `if ($request_method = OPTIONS)`", note: answered, names: []sidebyside.Named{sidebyside.PreflightsAnswered}},
		{
			outer: nginxMap, text: edit(nginxRecipe, "        add_header Access-Control-Allow-Origin $cors_origin;\n        add_header Access-Control-Allow-Credentials true;\n", ""),
			words: "`if` with an `add_header`, and without `Access-Control-Allow-Origin`", note: "Nothing", names: []sidebyside.Named{inheritance},
		},
		{
			outer: nginxMap, text: edit(nginxRecipe, "    proxy_pass", "    proxy_hide_header Access-Control-Allow-Origin;\n    proxy_pass"), show: []string{"proxy_hide_header Access-Control-Allow-Origin;"},
			note: replaced, calls: call("GET of an answer with CORS fields", ownFields),
		},
		{
			outer: nginxMap, text: nginxRecipe, words: "no `proxy_hide_header`, and a server that sends the field too", note: replaced,
			calls: call("GET of an answer with CORS fields", ownFields), names: []sidebyside.Named{twoValues},
		},
	},
}
