package comingfrom

import (
	"net/http"

	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
	jubcors "github.com/jub0bs/cors"
)

var jub = library{
	name: "jub0bs/cors", init: true,
	base:  []string{"allow_origins: [https://app.example.com, https://admin.example.com]", "expose: DECLARED", "max_age: 5s"},
	every: rs.every,
	rows: []row{
		{option: "Origins", wrap: jubOrigins, policy: []string{"allow_origins: [https://app.example.com, https://admin.example.com]"}},
		{option: "Origins", wrap: jubStar, policy: []string{`allow_origins: ["*"]`}, note: starNull},
		{option: "Origins", wrap: jubSubdomains, policy: []string{`allow_origins: ["https://*.example.com"]`}},
		{option: "Origins", wrap: jubPorts, policy: []string{`allow_origins: ["http://localhost:*"]`}},
		{option: "Credentialed", wrap: jubCredentialed, policy: []string{"allow_credentials: true"}},
		{option: "Methods", wrap: jubMethods, note: methodsBySchema, names: []sidebyside.Named{sidebyside.Methods}},
		{option: "Methods", wrap: jubMethods, rules: filesRule, note: methodsOfPath, names: []sidebyside.Named{sidebyside.Methods}, init: leftOut},
		{option: "Methods", wrap: jubMethodsStar, note: methodsBySchema, names: []sidebyside.Named{sidebyside.Methods}},
		{option: "RequestHeaders", wrap: jubHeaders, policy: []string{"allow_headers: [authorization, x-tenant-id]"}, note: contentType},
		{option: "RequestHeaders", wrap: jubHeadersStar, policy: []string{`allow_headers: ["*"]`}, names: []sidebyside.Named{sidebyside.HeaderStar}},
		{option: "RequestHeaders", wrap: jubHeadersStarAuthorization, policy: []string{`allow_headers: ["*", authorization]`}, names: []sidebyside.Named{sidebyside.HeaderStar}},
		{option: "MaxAgeInSeconds", wrap: jubMaxAge, policy: []string{"max_age: 600s"}},
		{option: "MaxAgeInSeconds", wrap: jubMaxAgeNone, policy: []string{"max_age: 0s"}},
		{words: "no `MaxAgeInSeconds`", wrap: jubOrigins, policy: []string{"max_age: none"}, note: maxAgeDefault, names: []sidebyside.Named{sidebyside.MaxAge}, init: another},
		{words: "no `ResponseHeaders`", wrap: jubOrigins, policy: []string{"expose: DECLARED"}},
		{words: "no `ResponseHeaders`", wrap: jubOrigins, policy: []string{"expose: none"}, note: exposeDefault, names: []sidebyside.Named{sidebyside.Exposed}, init: another},
		{option: "ResponseHeaders", wrap: jubExposed, policy: []string{"expose: DECLARED", "expose_headers: [x-request-id]"}, names: []sidebyside.Named{sidebyside.Trailers}},
		{option: "ResponseHeaders", wrap: jubExposedStar, policy: []string{"expose: PRESENT"}, names: []sidebyside.Named{sidebyside.ExposeStar}},
		{option: "DangerouslyTolerateInsecureOrigins", wrap: jubInsecure, policy: []string{"allow_origins: [http://app.example.com]", "allow_credentials: true", "accept_risks: [PLAIN_HTTP]"}, init: leftOut},
		{option: "DangerouslyTolerateSubdomainsOfPublicSuffixes", wrap: jubSuffixes, policy: []string{`allow_origins: ["https://*.github.io"]`, "allow_credentials: true", "accept_risks: [PUBLIC_SUFFIX]"}, origins: []string{"https://a.github.io"}, init: leftOut},
	},
}

func jubMiddleware(m *jubcors.Middleware, err error) *jubcors.Middleware {
	if err != nil {
		panic(err)
	}
	return m
}

func jubOrigins(next http.Handler) http.Handler {
	return jubMiddleware(jubcors.NewMiddleware(jubcors.Config{
		Origins:        []string{"https://app.example.com", "https://admin.example.com"},
		RequestHeaders: []string{"Content-Type"},
	})).Wrap(next)
}

func jubStar(next http.Handler) http.Handler {
	return jubMiddleware(jubcors.NewMiddleware(jubcors.Config{
		Origins:        []string{"*"},
		RequestHeaders: []string{"Content-Type"},
	})).Wrap(next)
}

func jubSubdomains(next http.Handler) http.Handler {
	return jubMiddleware(jubcors.NewMiddleware(jubcors.Config{
		Origins:        []string{"https://*.example.com"},
		RequestHeaders: []string{"Content-Type"},
	})).Wrap(next)
}

func jubPorts(next http.Handler) http.Handler {
	return jubMiddleware(jubcors.NewMiddleware(jubcors.Config{
		Origins:        []string{"http://localhost:*"},
		RequestHeaders: []string{"Content-Type"},
	})).Wrap(next)
}

func jubCredentialed(next http.Handler) http.Handler {
	return jubMiddleware(jubcors.NewMiddleware(jubcors.Config{
		Origins:        []string{"https://app.example.com", "https://admin.example.com"},
		RequestHeaders: []string{"Content-Type"},
		Credentialed:   true,
	})).Wrap(next)
}

func jubMethods(next http.Handler) http.Handler {
	return jubMiddleware(jubcors.NewMiddleware(jubcors.Config{
		Origins:        []string{"https://app.example.com", "https://admin.example.com"},
		RequestHeaders: []string{"Content-Type"},
		Methods:        []string{http.MethodGet, http.MethodPost, http.MethodPut},
	})).Wrap(next)
}

func jubHeaders(next http.Handler) http.Handler {
	return jubMiddleware(jubcors.NewMiddleware(jubcors.Config{
		Origins:        []string{"https://app.example.com", "https://admin.example.com"},
		RequestHeaders: []string{"Content-Type", "Authorization", "X-Tenant-Id"},
	})).Wrap(next)
}

func jubHeadersStar(next http.Handler) http.Handler {
	return jubMiddleware(jubcors.NewMiddleware(jubcors.Config{
		Origins:        []string{"https://app.example.com", "https://admin.example.com"},
		RequestHeaders: []string{"*"},
	})).Wrap(next)
}

func jubHeadersStarAuthorization(next http.Handler) http.Handler {
	return jubMiddleware(jubcors.NewMiddleware(jubcors.Config{
		Origins:        []string{"https://app.example.com", "https://admin.example.com"},
		RequestHeaders: []string{"*", "Authorization"},
	})).Wrap(next)
}

func jubMaxAge(next http.Handler) http.Handler {
	return jubMiddleware(jubcors.NewMiddleware(jubcors.Config{
		Origins:         []string{"https://app.example.com", "https://admin.example.com"},
		RequestHeaders:  []string{"Content-Type"},
		MaxAgeInSeconds: 600,
	})).Wrap(next)
}

func jubMaxAgeNone(next http.Handler) http.Handler {
	return jubMiddleware(jubcors.NewMiddleware(jubcors.Config{
		Origins:         []string{"https://app.example.com", "https://admin.example.com"},
		RequestHeaders:  []string{"Content-Type"},
		MaxAgeInSeconds: -1,
	})).Wrap(next)
}

func jubExposed(next http.Handler) http.Handler {
	return jubMiddleware(jubcors.NewMiddleware(jubcors.Config{
		Origins:         []string{"https://app.example.com", "https://admin.example.com"},
		RequestHeaders:  []string{"Content-Type"},
		ResponseHeaders: []string{"X-Request-Id"},
	})).Wrap(next)
}

func jubExposedStar(next http.Handler) http.Handler {
	return jubMiddleware(jubcors.NewMiddleware(jubcors.Config{
		Origins:         []string{"https://app.example.com", "https://admin.example.com"},
		RequestHeaders:  []string{"Content-Type"},
		ResponseHeaders: []string{"*"},
	})).Wrap(next)
}

func jubInsecure(next http.Handler) http.Handler {
	return jubMiddleware(jubcors.NewMiddleware(jubcors.Config{
		Origins:                            []string{"http://app.example.com"},
		RequestHeaders:                     []string{"Content-Type"},
		Credentialed:                       true,
		DangerouslyTolerateInsecureOrigins: true,
	})).Wrap(next)
}

func jubSuffixes(next http.Handler) http.Handler {
	return jubMiddleware(jubcors.NewMiddleware(jubcors.Config{
		Origins:        []string{"https://*.github.io"},
		RequestHeaders: []string{"Content-Type"},
		Credentialed:   true,
		DangerouslyTolerateSubdomainsOfPublicSuffixes: true,
	})).Wrap(next)
}

func jubMethodsStar(next http.Handler) http.Handler {
	return jubMiddleware(jubcors.NewMiddleware(jubcors.Config{
		Origins:        []string{"https://app.example.com", "https://admin.example.com"},
		RequestHeaders: []string{"Content-Type"},
		Methods:        []string{"*"},
	})).Wrap(next)
}
