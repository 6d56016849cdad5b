package peers

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/go-chi/cors"
)

// chiConfigurations are configurations of go-chi/cors. The report quotes the second value of each from this file.
var chiConfigurations = []struct {
	class   *class
	options cors.Options
}{
	{httpsTrustsHTTP, cors.Options{AllowedOrigins: []string{"https://app.example.com", "http://app.example.com"}}},
	{httpsTrustsHTTP, cors.Options{AllowedOrigins: []string{"http*://app.example.com"}}},
	{httpsTrustsHTTP, cors.Options{AllowOriginFunc: func(_ *http.Request, origin string) bool { return hostname(origin) == "app.example.com" }}},

	{allSubdomains, cors.Options{AllowedOrigins: []string{"https://*.example.com"}}},
	{allSubdomains, cors.Options{AllowOriginFunc: func(_ *http.Request, origin string) bool { return strings.HasSuffix(origin, ".example.com") }}},

	{reflectingOrigin, cors.Options{AllowedOrigins: []string{"*"}}},
	{reflectingOrigin, cors.Options{AllowedOrigins: []string{"https://*"}}},
	{reflectingOrigin, cors.Options{AllowOriginFunc: func(_ *http.Request, origin string) bool { return true }}},

	{prefixMatch, cors.Options{AllowedOrigins: []string{"https://app.example.com*"}}},
	{prefixMatch, cors.Options{AllowOriginFunc: func(_ *http.Request, origin string) bool { return strings.HasPrefix(origin, "https://app.example.com") }}},
	{prefixMatch, cors.Options{AllowOriginFunc: func(_ *http.Request, origin string) bool {
		return regexp.MustCompile("^https://app[.]example[.]com").MatchString(origin)
	}}},

	{suffixMatch, cors.Options{AllowedOrigins: []string{"https://*example.com"}}},
	{suffixMatch, cors.Options{AllowOriginFunc: func(_ *http.Request, origin string) bool { return strings.HasSuffix(origin, "example.com") }}},
	{suffixMatch, cors.Options{AllowOriginFunc: func(_ *http.Request, origin string) bool {
		return regexp.MustCompile("example[.]com$").MatchString(origin)
	}}},

	{substringMatch, cors.Options{AllowedOrigins: []string{"*example.com*"}}},
	{substringMatch, cors.Options{AllowOriginFunc: func(_ *http.Request, origin string) bool { return strings.Contains(origin, "example.com") }}},
	{substringMatch, cors.Options{AllowOriginFunc: func(_ *http.Request, origin string) bool { return strings.Contains("https://app.example.com", origin) }}},
	{substringMatch, cors.Options{AllowedOrigins: []string{"https://app.example.com,https://admin.example.com"}}},

	{notEscapingDot, cors.Options{AllowedOrigins: []string{"^https://app.example.com$"}}},
	{notEscapingDot, cors.Options{AllowOriginFunc: func(_ *http.Request, origin string) bool {
		return regexp.MustCompile("^https://app.example.com$").MatchString(origin)
	}}},
	{notEscapingDot, cors.Options{AllowedOrigins: []string{"https://app.example.com"}}},

	{trustNull, cors.Options{AllowedOrigins: []string{"https://app.example.com", "null"}}},
	{trustNull, cors.Options{AllowOriginFunc: func(_ *http.Request, origin string) bool {
		return origin == "https://app.example.com" || origin == "null"
	}}},

	{loopbackBackdoor, cors.Options{AllowedOrigins: []string{"https://app.example.com", "http://localhost:3000"}}},
	{loopbackBackdoor, cors.Options{AllowedOrigins: []string{"https://app.example.com", "http://localhost:*"}}},
	{loopbackBackdoor, cors.Options{AllowedOrigins: []string{"https://app.example.com", "http://localhost*"}}},
	{loopbackBackdoor, cors.Options{AllowOriginFunc: func(_ *http.Request, origin string) bool {
		return origin == "https://app.example.com" || hostname(origin) == "localhost"
	}}},

	{notAsMeant, cors.Options{AllowedOrigins: []string{}}},
	{notAsMeant, cors.Options{AllowedOrigins: []string{"https://app.example.com/"}}},
	{notAsMeant, cors.Options{AllowedOrigins: []string{"app.example.com"}}},
	{notAsMeant, cors.Options{AllowedOrigins: []string{"https://*.*.example.com"}}},
}

// loadChi builds go-chi/cors as its README does. It adds credentials, and the request header that the calls need.
func loadChi(options cors.Options) http.Handler {
	options.AllowCredentials = true
	options.AllowedHeaders = []string{"Content-Type"}
	return cors.Handler(options)(http.HandlerFunc(account))
}
