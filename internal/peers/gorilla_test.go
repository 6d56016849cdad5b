package peers

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/gorilla/handlers"
)

// gorillaConfigurations are configurations of gorilla/handlers. The report quotes the second value of each from this file.
var gorillaConfigurations = []struct {
	class  *class
	option handlers.CORSOption
}{
	{httpsTrustsHTTP, handlers.AllowedOrigins([]string{"https://app.example.com", "http://app.example.com"})},
	{httpsTrustsHTTP, handlers.AllowedOrigins([]string{"http*://app.example.com"})},
	{httpsTrustsHTTP, handlers.AllowedOriginValidator(func(origin string) bool { return hostname(origin) == "app.example.com" })},

	{allSubdomains, handlers.AllowedOrigins([]string{"https://*.example.com"})},
	{allSubdomains, handlers.AllowedOriginValidator(func(origin string) bool { return strings.HasSuffix(origin, ".example.com") })},

	{reflectingOrigin, handlers.AllowedOrigins([]string{"*"})},
	{reflectingOrigin, handlers.AllowedOrigins([]string{"https://*"})},
	{reflectingOrigin, handlers.AllowedOriginValidator(func(origin string) bool { return true })},

	{prefixMatch, handlers.AllowedOrigins([]string{"https://app.example.com*"})},
	{prefixMatch, handlers.AllowedOriginValidator(func(origin string) bool { return strings.HasPrefix(origin, "https://app.example.com") })},
	{prefixMatch, handlers.AllowedOriginValidator(regexp.MustCompile("^https://app[.]example[.]com").MatchString)},

	{suffixMatch, handlers.AllowedOrigins([]string{"https://*example.com"})},
	{suffixMatch, handlers.AllowedOriginValidator(func(origin string) bool { return strings.HasSuffix(origin, "example.com") })},
	{suffixMatch, handlers.AllowedOriginValidator(regexp.MustCompile("example[.]com$").MatchString)},

	{substringMatch, handlers.AllowedOrigins([]string{"*example.com*"})},
	{substringMatch, handlers.AllowedOriginValidator(func(origin string) bool { return strings.Contains(origin, "example.com") })},
	{substringMatch, handlers.AllowedOriginValidator(func(origin string) bool { return strings.Contains("https://app.example.com", origin) })},
	{substringMatch, handlers.AllowedOrigins([]string{"https://app.example.com,https://admin.example.com"})},

	{notEscapingDot, handlers.AllowedOrigins([]string{"^https://app.example.com$"})},
	{notEscapingDot, handlers.AllowedOriginValidator(regexp.MustCompile("^https://app.example.com$").MatchString)},
	{notEscapingDot, handlers.AllowedOrigins([]string{"https://app.example.com"})},

	{trustNull, handlers.AllowedOrigins([]string{"https://app.example.com", "null"})},
	{trustNull, handlers.AllowedOriginValidator(func(origin string) bool { return origin == "https://app.example.com" || origin == "null" })},

	{loopbackBackdoor, handlers.AllowedOrigins([]string{"https://app.example.com", "http://localhost:3000"})},
	{loopbackBackdoor, handlers.AllowedOrigins([]string{"https://app.example.com", "http://localhost:*"})},
	{loopbackBackdoor, handlers.AllowedOrigins([]string{"https://app.example.com", "http://localhost*"})},
	{loopbackBackdoor, handlers.AllowedOriginValidator(func(origin string) bool {
		return origin == "https://app.example.com" || hostname(origin) == "localhost"
	})},

	{notAsMeant, handlers.AllowedOrigins([]string{})},
	{notAsMeant, handlers.AllowedOrigins([]string{"https://app.example.com/"})},
	{notAsMeant, handlers.AllowedOrigins([]string{"app.example.com"})},
	{notAsMeant, handlers.AllowedOrigins([]string{"https://*.*.example.com"})},
}

// loadGorilla builds gorilla/handlers as its documentation does. It adds credentials, and the request header that the calls need.
func loadGorilla(options ...handlers.CORSOption) http.Handler {
	options = append(options, handlers.AllowCredentials(), handlers.AllowedHeaders([]string{"Content-Type"}))
	return handlers.CORS(options...)(http.HandlerFunc(account))
}
