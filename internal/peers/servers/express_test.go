package servers

import "github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"

const (
	expressRecipe = `app.use(cors({
  origin: ["https://app.example.com", "https://admin.example.com"],
  credentials: true,
  methods: ["GET", "POST"],
  allowedHeaders: ["Authorization", "Content-Type"],
  exposedHeaders: ["X-Request-Id"],
  maxAge: 600,
}));`
	expressOrigin      = `origin: ["https://app.example.com", "https://admin.example.com"]`
	expressMethods     = `methods: ["GET", "POST"]`
	expressHeaders     = `allowedHeaders: ["Authorization", "Content-Type"]`
	expressCredentials = "  credentials: true,\n"
)

func expressWith(old, text string, r row) row {
	r.text = edit(expressRecipe, old, text)
	r.show = []string{text}
	return r
}

var express = program{
	name: "Express `cors`", id: "express", language: "js", base: recipePolicy, start: startExpress,
	every: append(everywhere, sidebyside.OperationalServices),
	rows: []row{
		{text: expressRecipe, words: "the options above", policy: recipePolicy},
		{text: expressRecipe, show: []string{expressOrigin}, policy: []string{twoOrigins}},
		expressWith(expressOrigin, `origin: "https://app.example.com"`, row{policy: []string{"allow_origins: [https://app.example.com]"}}),
		expressWith(expressOrigin, `origin: /^https:\/\/([a-z0-9-]+\.)+example\.com$/`, row{policy: []string{`allow_origins: ["https://*.example.com"]`}, note: noRegexp}),
		expressWith(expressOrigin, `origin: /example\.com$/`, row{
			policy: []string{`allow_origins: [https://example.com, "https://*.example.com"]`}, names: []sidebyside.Named{narrowed(evilSuffix, plainHTTP)},
		}),
		expressWith(expressOrigin, `origin: true`, row{policy: []string{anyOrigin, noCredentials}, note: reflected, names: []sidebyside.Named{cookiesOfAll}}),
		expressWith(expressOrigin, `origin: (origin, callback) => callback(null, origin === "https://app.example.com")`, row{policy: []string{"allow_origins: [https://app.example.com]"}, note: "With a database, `allow_origins_from` and an [origin source](gateway.md#tenants-in-a-database)"}),
		expressWith(expressOrigin, `origin: false`, row{policy: without("disabled: true"), note: "No page of another origin may call"}),
		expressWith(expressOrigin, `origin: "*"`, row{policy: []string{anyOrigin, noCredentials}, note: credentialsStar, names: []sidebyside.Named{sidebyside.CredentialsRefused}}),
		{
			text: edit(expressRecipe, expressOrigin, `origin: ["https://app.example.com", "null"]`, expressCredentials, ""), show: []string{`origin: ["https://app.example.com", "null"]`},
			policy: []string{`allow_origins: [https://app.example.com, "null"]`, "accept_risks: [NULL_ORIGIN]", noCredentials}, note: nullRisk,
			names: []sidebyside.Named{sidebyside.CredentialsRefused},
		},
		{text: expressRecipe, show: []string{"credentials: true"}, policy: []string{"allow_credentials: true"}},
		{text: edit(expressRecipe, expressCredentials, ""), words: "no `credentials`", policy: []string{noCredentials}, note: "Nothing", names: []sidebyside.Named{sidebyside.CredentialsRefused}},
		expressWith(expressMethods, `methods: ["GET", "POST", "PUT"]`, row{note: methodsBySchema, names: []sidebyside.Named{sidebyside.Methods}}),
		expressWith(expressMethods, `methods: ["GET", "POST", "PUT"]`, row{rules: filesRule, note: methodsOfPath, names: []sidebyside.Named{sidebyside.Methods}}),
		{text: edit(expressRecipe, "  "+expressMethods+",\n", ""), words: "no `methods`", note: methodsBySchema, names: []sidebyside.Named{sidebyside.Methods}},
		expressWith(expressHeaders, `allowedHeaders: ["Authorization", "Content-Type", "X-Tenant-Id"]`, row{policy: []string{"allow_headers: [authorization, x-tenant-id]"}, note: contentType}),
		{text: edit(expressRecipe, "  "+expressHeaders+",\n", ""), words: "no `allowedHeaders`", policy: []string{`allow_headers: ["*", authorization]`}, note: "The middleware grants every header that is asked for", names: []sidebyside.Named{sidebyside.HeaderStar}},
		{text: expressRecipe, show: []string{`exposedHeaders: ["X-Request-Id"]`}, policy: []string{"expose: DECLARED", "expose_headers: [x-request-id]"}},
		{text: edit(expressRecipe, "  exposedHeaders: [\"X-Request-Id\"],\n", ""), words: "no `exposedHeaders`", policy: []string{"expose: DECLARED", "expose_headers: none"}},
		{text: edit(expressRecipe, "  exposedHeaders: [\"X-Request-Id\"],\n", ""), words: "no `exposedHeaders`", policy: []string{"expose: none", "expose_headers: none"}, note: exposeDefault, names: []sidebyside.Named{sidebyside.Exposed}},
		{text: expressRecipe, show: []string{"maxAge: 600"}, policy: []string{"max_age: 600s"}},
		{text: edit(expressRecipe, "  maxAge: 600,\n", ""), words: "no `maxAge`", policy: []string{"max_age: 5s"}, note: maxAgeFive},
		{text: edit(expressRecipe, "  maxAge: 600,\n", ""), words: "no `maxAge`", policy: []string{"max_age: none"}, note: maxAgeDefault, names: []sidebyside.Named{sidebyside.MaxAge}},
		{text: edit(expressRecipe, "maxAge: 600", "maxAge: 600,\n  preflightContinue: true"), show: []string{"preflightContinue: true"}, note: answered, names: []sidebyside.Named{sidebyside.PreflightsAnswered}},
		{text: edit(expressRecipe, "maxAge: 600", "maxAge: 600,\n  optionsSuccessStatus: 200"), show: []string{"optionsSuccessStatus: 200"}, note: "Nothing: the gateway answers with `204`"},
		{
			text: "app.use(cors());", show: []string{"app.use(cors());"}, policy: []string{anyOrigin, noCredentials, `allow_headers: ["*", authorization]`, "expose_headers: none", "max_age: 5s"},
			names: []sidebyside.Named{sidebyside.CredentialsRefused, sidebyside.Methods, sidebyside.HeaderStar}, every: true,
		},
		{
			text: `app.use("/files", cors({ origin: "https://app.example.com" }));`, show: []string{`app.use("/files", cors({ origin: "https://app.example.com" }));`},
			policy: without(),
			rules:  "rules:\n  - path: /files/\n    allow_origins: [https://app.example.com]\n    allow_methods: [GET, HEAD, PUT, PATCH, POST, DELETE]\n    allow_headers: [\"*\", authorization]\n    max_age: 5s\n",
			note:   "A rule: `path: /files/` with `allow_origins: [https://app.example.com]`",
		},
	},
}
