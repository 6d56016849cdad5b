package servers

import "github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"

const (
	flaskRecipe = `CORS(
    app,
    origins=["https://app.example.com", "https://admin.example.com"],
    supports_credentials=True,
    methods=["GET", "POST"],
    allow_headers=["Authorization", "Content-Type"],
    expose_headers=["X-Request-Id"],
    max_age=600,
)`
	flaskOrigins     = `origins=["https://app.example.com", "https://admin.example.com"]`
	flaskMethods     = `methods=["GET", "POST"]`
	flaskHeaders     = `allow_headers=["Authorization", "Content-Type"]`
	flaskCredentials = "    supports_credentials=True,\n"
)

func flaskWith(old, text string, r row) row {
	r.text = edit(flaskRecipe, old, text)
	r.show = []string{text}
	return r
}

func flaskAlso(text string, r row) row {
	r.text = edit(flaskRecipe, "    max_age=600,\n", "    max_age=600,\n    "+text+",\n")
	r.show = []string{text}
	return r
}

var flask = program{
	name: "Flask-CORS", id: "flask", language: "python", base: recipePolicy, start: startFlask,
	every: append(everywhere, sidebyside.OperationalServices),
	rows: []row{
		{text: flaskRecipe, words: "the arguments above", policy: recipePolicy},
		{text: flaskRecipe, show: []string{flaskOrigins}, policy: []string{twoOrigins}},
		flaskWith(flaskOrigins, `origins=re.compile(r"https://([a-z0-9-]+\.)+example\.com$")`, row{policy: []string{`allow_origins: ["https://*.example.com"]`}, note: noRegexp}),
		flaskWith(flaskOrigins, `origins=r"https://.*.example.com"`, row{
			policy: []string{`allow_origins: ["https://*.example.com"]`}, note: "The library takes the text for an expression, and compares the beginning of an origin with it",
			names: []sidebyside.Named{narrowed(evilSuffix, evilPrefix, otherPort)},
		}),
		flaskWith(flaskOrigins, `origins="https://App.example.com"`, row{policy: []string{"allow_origins: [https://app.example.com]"}, note: "A policy with upper case in an origin does not load"}),
		flaskWith(flaskOrigins, `origins="*"`, row{policy: []string{anyOrigin, noCredentials}, words: "with `supports_credentials=True`,", note: reflected, names: []sidebyside.Named{cookiesOfAll}}),
		{
			text: edit(flaskRecipe, flaskOrigins, `origins="*"`, flaskCredentials, ""), show: []string{`origins="*"`}, words: "without `supports_credentials`,",
			policy: []string{anyOrigin, noCredentials},
			names:  []sidebyside.Named{sidebyside.CredentialsRefused},
		},
		{
			text: edit(flaskRecipe, flaskOrigins, `origins=["https://app.example.com", "null"]`, flaskCredentials, ""), show: []string{`origins=["https://app.example.com", "null"]`},
			policy: []string{`allow_origins: [https://app.example.com, "null"]`, "accept_risks: [NULL_ORIGIN]", noCredentials}, note: nullRisk,
			names: []sidebyside.Named{sidebyside.CredentialsRefused},
		},
		{text: flaskRecipe, show: []string{"supports_credentials=True"}, policy: []string{"allow_credentials: true"}},
		{text: edit(flaskRecipe, flaskCredentials, ""), words: "no `supports_credentials`", policy: []string{noCredentials}, note: "Nothing", names: []sidebyside.Named{sidebyside.CredentialsRefused}},
		flaskWith(flaskMethods, `methods=["GET", "POST", "PUT"]`, row{note: methodsBySchema, names: []sidebyside.Named{sidebyside.Methods}}),
		flaskWith(flaskMethods, `methods=["GET", "POST", "PUT"]`, row{rules: filesRule, note: methodsOfPath, names: []sidebyside.Named{sidebyside.Methods}}),
		flaskWith(flaskHeaders, `allow_headers=["Authorization", "Content-Type", "X-Tenant-Id"]`, row{policy: []string{"allow_headers: [authorization, x-tenant-id]"}, note: contentType}),
		{text: edit(flaskRecipe, "    "+flaskHeaders+",\n", ""), words: "no `allow_headers`", policy: []string{`allow_headers: ["*", authorization]`}, note: "The library grants every header that is asked for", names: []sidebyside.Named{sidebyside.HeaderStar}},
		{text: flaskRecipe, show: []string{`expose_headers=["X-Request-Id"]`}, policy: []string{"expose: DECLARED", "expose_headers: [x-request-id]"}},
		{text: edit(flaskRecipe, "    expose_headers=[\"X-Request-Id\"],\n", ""), words: "no `expose_headers`", policy: []string{"expose: DECLARED", "expose_headers: none"}},
		{text: edit(flaskRecipe, "    expose_headers=[\"X-Request-Id\"],\n", ""), words: "no `expose_headers`", policy: []string{"expose: none", "expose_headers: none"}, note: exposeDefault, names: []sidebyside.Named{sidebyside.Exposed}},
		{text: flaskRecipe, show: []string{"max_age=600"}, policy: []string{"max_age: 600s"}},
		flaskWith("max_age=600", "max_age=timedelta(minutes=10)", row{policy: []string{"max_age: 600s"}}),
		{text: edit(flaskRecipe, "    max_age=600,\n", ""), words: "no `max_age`", policy: []string{"max_age: 5s"}, note: maxAgeFive},
		{text: edit(flaskRecipe, "    max_age=600,\n", ""), words: "no `max_age`", policy: []string{"max_age: none"}, note: maxAgeDefault, names: []sidebyside.Named{sidebyside.MaxAge}},
		{
			text: "CORS(app, resources={r\"/files/*\": {\"origins\": \"https://app.example.com\", \"max_age\": 600}})", show: []string{`resources={r"/files/*": {"origins": "https://app.example.com", "max_age": 600}}`},
			policy: without(),
			rules:  "rules:\n  - path: /files/\n    allow_origins: [https://app.example.com]\n    allow_methods: [GET, HEAD, POST, PUT, PATCH, DELETE]\n    allow_headers: [\"*\", authorization]\n    max_age: 600s\n",
			note:   "A rule: `path: /files/` with `allow_origins: [https://app.example.com]`",
		},
		{
			text: edit(flaskRecipe, flaskOrigins, "origins=\"*\",\n    send_wildcard=True", flaskCredentials, ""), show: []string{"send_wildcard=True"}, words: "with `origins=\"*\"`,",
			policy: []string{anyOrigin, noCredentials}, note: "The gateway always answers with `*` then",
			names: []sidebyside.Named{sidebyside.CredentialsRefused},
		},
		flaskAlso("vary_header=False", row{note: varyNote}),
		flaskAlso("always_send=False", row{note: "Nothing: requests without `Origin` get no CORS fields"}),
		{
			text: flaskRecipe, show: nil, words: "no `intercept_exceptions`", note: "Nothing", calls: call("GET that raises an exception", crash),
		},
		flaskAlso("intercept_exceptions=False", row{note: "Nothing: the gateway adds the fields to errors too", calls: call("GET that raises an exception", crash)}),
		flaskAlso("automatic_options=False", row{note: answered}),
		flaskAlso("allow_private_network=True", row{note: privateNetwork}),
		{
			text: "CORS(app)", show: []string{"CORS(app)"}, policy: []string{anyOrigin, noCredentials, `allow_headers: ["*", authorization]`, "expose_headers: none", "max_age: 5s"},
			names: []sidebyside.Named{sidebyside.CredentialsRefused, sidebyside.Methods, sidebyside.HeaderStar}, every: true,
		},
	},
}

// crash is a path whose handler fails without an answer.
const crash = sidebyside.Me + "?crash=1"
