package servers

import "github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"

const (
	phpRecipe = `$allowed = ['https://app.example.com', 'https://admin.example.com'];
$origin = $_SERVER['HTTP_ORIGIN'] ?? '';
if (in_array($origin, $allowed, true)) {
    header("Access-Control-Allow-Origin: $origin");
    header('Access-Control-Allow-Credentials: true');
    header('Access-Control-Allow-Methods: GET, POST');
    header('Access-Control-Allow-Headers: Authorization, Content-Type');
    header('Access-Control-Expose-Headers: X-Request-Id');
    header('Access-Control-Max-Age: 600');
}
header('Vary: Origin');
if ($_SERVER['REQUEST_METHOD'] === 'OPTIONS') {
    http_response_code(204);
    exit;
}`
	phpIf          = "if (in_array($origin, $allowed, true)) {"
	phpCredentials = "    header('Access-Control-Allow-Credentials: true');\n"
	phpExpose      = "    header('Access-Control-Expose-Headers: X-Request-Id');\n"
	phpMaxAge      = "    header('Access-Control-Max-Age: 600');\n"
	phpMethods     = "header('Access-Control-Allow-Methods: GET, POST');"
	phpHeaders     = "header('Access-Control-Allow-Headers: Authorization, Content-Type');"
	phpOrigin      = `header("Access-Control-Allow-Origin: $origin");`
	phpExit        = "if ($_SERVER['REQUEST_METHOD'] === 'OPTIONS') {\n    http_response_code(204);\n    exit;\n}"
)

func phpWith(old, text string, r row) row {
	r.text = edit(phpRecipe, old, text)
	r.show = []string{text}
	return r
}

var php = program{
	name: "PHP", id: "php", language: "php", base: recipePolicy, start: startPHP,
	every: append(everywhere, sidebyside.OperationalServices),
	rows: []row{
		{text: phpRecipe, words: "the lines above", policy: recipePolicy},
		{text: phpRecipe, show: []string{"$allowed = ['https://app.example.com', 'https://admin.example.com'];"}, policy: []string{twoOrigins}},
		phpWith(phpIf, `if (preg_match('#^https://([a-z0-9-]+\.)+example\.com$#D', $origin)) {`, row{policy: []string{`allow_origins: ["https://*.example.com"]`}, note: noRegexp}),
		phpWith(phpIf, `if (str_ends_with($origin, 'example.com')) {`, row{
			policy: []string{`allow_origins: [https://example.com, "https://*.example.com"]`}, names: []sidebyside.Named{narrowed(evilSuffix, plainHTTP)},
		}),
		phpWith(phpIf, `if (str_contains($origin, 'app.example.com')) {`, row{
			policy: []string{"allow_origins: [https://app.example.com]"}, names: []sidebyside.Named{narrowed(evilPrefix, otherPort, plainHTTP)},
		}),
		phpWith(phpIf, "if ($origin !== '') {", row{policy: []string{anyOrigin, noCredentials}, note: reflected, names: []sidebyside.Named{cookiesOfAll}}),
		{
			text: edit(phpRecipe, phpIf, "{", phpOrigin, "header('Access-Control-Allow-Origin: *');"), show: []string{"header('Access-Control-Allow-Origin: *');", "header('Access-Control-Allow-Credentials: true');"},
			policy: []string{anyOrigin, noCredentials}, note: credentialsStar,
			names: []sidebyside.Named{sidebyside.CredentialsRefused},
		},
		{
			text: edit(phpRecipe, phpIf, "{", phpOrigin, "header('Access-Control-Allow-Origin: *');", phpCredentials, ""), show: []string{"header('Access-Control-Allow-Origin: *');"},
			policy: []string{anyOrigin, noCredentials},
			names:  []sidebyside.Named{sidebyside.CredentialsRefused},
		},
		{
			text: edit(phpRecipe, phpIf, "{", phpOrigin, "header('Access-Control-Allow-Origin: https://app.example.com');"), show: []string{"header('Access-Control-Allow-Origin: https://app.example.com');"},
			policy: []string{"allow_origins: [https://app.example.com]"},
		},
		{
			text: edit(phpRecipe, phpIf, "{", phpOrigin, "header('Access-Control-Allow-Origin: https://app.example.com, https://admin.example.com');"),
			show: []string{"header('Access-Control-Allow-Origin: https://app.example.com, https://admin.example.com');"}, policy: []string{twoOrigins}, names: []sidebyside.Named{twoValues},
		},
		{
			text:   edit(phpRecipe, phpIf, "{", phpOrigin, "header('Access-Control-Allow-Origin: https://app.example.com');\n    header('Access-Control-Allow-Origin: https://admin.example.com');"),
			show:   []string{"header('Access-Control-Allow-Origin: https://app.example.com'); header('Access-Control-Allow-Origin: https://admin.example.com');"},
			policy: []string{"allow_origins: [https://admin.example.com]"}, note: "A second `header` replaces the first one",
		},
		{
			text: edit(phpRecipe, "'https://app.example.com', 'https://admin.example.com'", "'null'", phpCredentials, ""), show: []string{"$allowed = ['null'];"},
			policy: []string{`allow_origins: ["null"]`, "accept_risks: [NULL_ORIGIN]", noCredentials}, note: nullRisk,
			names: []sidebyside.Named{sidebyside.CredentialsRefused},
		},
		{text: phpRecipe, show: []string{"header('Access-Control-Allow-Credentials: true');"}, policy: []string{"allow_credentials: true"}},
		{text: edit(phpRecipe, phpCredentials, ""), words: "no `Access-Control-Allow-Credentials`", policy: []string{noCredentials}, note: "Nothing", names: []sidebyside.Named{sidebyside.CredentialsRefused}},
		phpWith(phpMethods, "header('Access-Control-Allow-Methods: GET, POST, PUT');", row{note: methodsBySchema, names: []sidebyside.Named{sidebyside.Methods}}),
		phpWith(phpMethods, "header('Access-Control-Allow-Methods: GET, POST, PUT');", row{rules: filesRule, note: methodsOfPath, names: []sidebyside.Named{sidebyside.Methods}}),
		phpWith(phpHeaders, "header('Access-Control-Allow-Headers: Authorization, Content-Type, X-Tenant-Id');", row{policy: []string{"allow_headers: [authorization, x-tenant-id]"}, note: contentType}),
		phpWith(phpHeaders, "header('Access-Control-Allow-Headers: ' . ($_SERVER['HTTP_ACCESS_CONTROL_REQUEST_HEADERS'] ?? ''));", row{policy: []string{`allow_headers: ["*", authorization]`}, names: []sidebyside.Named{sidebyside.HeaderStar}}),
		{text: phpRecipe, show: []string{"header('Access-Control-Expose-Headers: X-Request-Id');"}, policy: []string{"expose: DECLARED", "expose_headers: [x-request-id]"}},
		{text: edit(phpRecipe, phpExpose, ""), words: "no `Access-Control-Expose-Headers`", policy: []string{"expose: DECLARED", "expose_headers: none"}},
		{text: edit(phpRecipe, phpExpose, ""), words: "no `Access-Control-Expose-Headers`", policy: []string{"expose: none", "expose_headers: none"}, note: exposeDefault, names: []sidebyside.Named{sidebyside.Exposed}},
		{text: phpRecipe, show: []string{"header('Access-Control-Max-Age: 600');"}, policy: []string{"max_age: 600s"}},
		{text: edit(phpRecipe, phpMaxAge, ""), words: "no `Access-Control-Max-Age`", policy: []string{"max_age: 5s"}, note: maxAgeFive},
		{text: edit(phpRecipe, phpMaxAge, ""), words: "no `Access-Control-Max-Age`", policy: []string{"max_age: none"}, note: maxAgeDefault, names: []sidebyside.Named{sidebyside.MaxAge}},
		{text: phpRecipe, show: []string{"header('Vary: Origin');"}, note: varyNote},
		{text: edit(phpRecipe, phpExit, ""), words: "no `exit` for `OPTIONS`, and an application that answers it with `405`", note: answered, names: []sidebyside.Named{sidebyside.PreflightsAnswered}},
	},
}
