package configurations

import "net/http"

// A Configuration is one case.
type Configuration struct {
	// File is the file of this folder that has the configuration.
	File string
	// Wrap returns a handler behind the middleware.
	Wrap func(http.Handler) http.Handler
	// Variable is the environment variable that the configuration reads, and Values are values to try.
	Variable string
	Values   []string
	// Origins are origins that the middleware treats in a special way, apart from those that every case is tried with.
	Origins []string
	// Complete are the origins that an author writes into a policy that allows none.
	Complete []string
}

// All are all cases.
var All = []Configuration{
	{File: "rs_default.go", Wrap: RSDefault},
	{File: "rs_allow_all.go", Wrap: RSAllowAll},
	{File: "rs_connect.go", Wrap: RSConnect},
	{File: "rs_connect_metadata.go", Wrap: RSConnectMetadata},
	{File: "rs_rest.go", Wrap: RSREST},
	{File: "rs_star_credentials.go", Wrap: RSStarCredentials},
	{File: "rs_subdomains.go", Wrap: RSSubdomains, Origins: []string{"http://a.example.org"}},
	{File: "rs_any_text.go", Wrap: RSAnyText, Origins: []string{
		"https://evilexample.com", "https://app.example.org", "https://app.example.org.evil.example", "http://a.example.net", "https://a.example.net",
		"http://shop.example.com", "https://shop.example.com", "https://api.evil.example",
	}},
	{File: "rs_localhost.go", Wrap: RSLocalhost},
	{File: "rs_plain_http.go", Wrap: RSPlainHTTP, Origins: []string{"http://192.168.1.5:3000"}},
	{File: "rs_null_credentials.go", Wrap: RSNullCredentials},
	{File: "rs_origin_func.go", Wrap: RSOriginFunc, Complete: []string{"https://app.example.com"}},
	{File: "rs_reflect.go", Wrap: RSReflect, Complete: []string{"https://app.example.com"}},
	{File: "rs_environment.go", Wrap: RSEnvironment, Variable: "FRONTEND_URL", Values: []string{"https://app.example.com", "https://app.example.com,https://shop.example.com"}},
	{File: "rs_environment_list.go", Wrap: RSEnvironmentList, Variable: "ALLOWED_ORIGINS", Values: []string{"https://app.example.com,https://admin.example.com", "https://app.example.com, https://shop.example.com"}},
	{File: "rs_environment_fallback.go", Wrap: RSEnvironmentFallback, Variable: "WEB_ORIGIN", Values: []string{"", "https://shop.example.com", "https://app.example.com,https://shop.example.com"}},
	{File: "rs_get_only.go", Wrap: RSGetOnly, Complete: []string{"https://app.example.com"}},
	{File: "rs_post_only.go", Wrap: RSPostOnly},
	{File: "rs_method_star.go", Wrap: RSMethodStar, Complete: []string{"https://app.example.com"}},
	{File: "rs_passthrough.go", Wrap: RSPassthrough},
	{File: "rs_expose_star.go", Wrap: RSExposeStar},
	{File: "rs_mistakes.go", Wrap: RSMistakes, Origins: []string{"https://admin.example.com", "https://a.example.org", "https://c.example.org", "https://a.b.example.org"}},
	{File: "rs_previews.go", Wrap: RSPreviews, Origins: []string{"https://x.vercel.app"}},
	{File: "rs_elsewhere.go", Wrap: RSElsewhere, Origins: []string{"https://partner.example.com"}},
	{File: "rs_branch.go", Wrap: RSBranch},
	{File: "chi_readme.go", Wrap: ChiREADME, Complete: []string{"https://app.example.com"}},
	{File: "chi_default.go", Wrap: ChiDefault},
	{File: "chi_list.go", Wrap: ChiList, Origins: []string{"https://a.staging.example.com"}},
	{File: "chi_func.go", Wrap: ChiFunc, Complete: []string{"https://app.example.com"}},
	{File: "chi_allow_all.go", Wrap: ChiAllowAll},
	{File: "gorilla_default.go", Wrap: GorillaDefault},
	{File: "gorilla_variables.go", Wrap: GorillaVariables, Variable: "ORIGIN_ALLOWED", Values: []string{"https://app.example.com", "https://*.example.com"}},
	{File: "gorilla_credentials.go", Wrap: GorillaCredentials, Origins: []string{"https://app.example.org"}},
	{File: "gorilla_stars.go", Wrap: GorillaStars},
	{File: "gorilla_only_stars.go", Wrap: GorillaOnlyStars},
	{File: "gorilla_validator.go", Wrap: GorillaValidator, Complete: []string{"https://app.example.com"}},
	{File: "gorilla_ignore_options.go", Wrap: GorillaIgnoreOptions},
	{File: "gorilla_get_only.go", Wrap: GorillaGetOnly, Complete: []string{"*"}},
	{File: "gin_default.go", Wrap: GinDefault},
	{File: "gin_default_config.go", Wrap: GinDefaultConfig, Origins: []string{"https://app.example.org"}},
	{File: "gin_literal.go", Wrap: GinLiteral, Origins: []string{"https://partner.example.org"}},
	{File: "gin_wildcard.go", Wrap: GinWildcard, Origins: []string{"https://a.example.org", "http://a.example.org"}},
	{File: "gin_wildcard_off.go", Wrap: GinWildcardOff},
	{File: "gin_star.go", Wrap: GinStar},
	{File: "gin_star_headers.go", Wrap: GinStarHeaders},
	{File: "gin_extensions.go", Wrap: GinExtensions, Origins: []string{
		"chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb", "moz-extension://5ba2b5c0-2b9a-4b43-8a4e-000000000000", "tauri://localhost", "file://",
	}},
	{File: "gin_expression.go", Wrap: GinExpression, Origins: []string{"https://app.example.org"}},
	{File: "gin_environment.go", Wrap: GinEnvironment, Variable: "CORS_ORIGINS", Values: []string{"https://app.example.com", "https://app.example.com,https://*.example.org"}, Origins: []string{"https://a.example.org"}},
	{File: "jub0bs_methods.go", Wrap: Jub0bsMethods},
	{File: "jub0bs_credentialed.go", Wrap: Jub0bsCredentialed, Origins: []string{"https://a.example.org"}},
	{File: "jub0bs_star.go", Wrap: Jub0bsStar},
	{File: "jub0bs_minimal.go", Wrap: Jub0bsMinimal, Origins: []string{"http://plain.example.com"}},
	{File: "jub0bs_star_headers.go", Wrap: Jub0bsStarHeaders, Origins: []string{"https://admin.example.com:8443"}},
}
