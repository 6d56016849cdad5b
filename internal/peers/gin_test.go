package peers

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/gin-contrib/cors"
	"github.com/gin-gonic/gin"
)

// ginConfigurations are configurations of gin-contrib/cors. The report quotes the second value of each from this file.
var ginConfigurations = []struct {
	class  *class
	config cors.Config
}{
	{httpsTrustsHTTP, cors.Config{AllowOrigins: []string{"https://app.example.com", "http://app.example.com"}}},
	{httpsTrustsHTTP, cors.Config{AllowOrigins: []string{"http*://app.example.com"}}},
	{httpsTrustsHTTP, cors.Config{AllowOriginFunc: func(origin string) bool { return hostname(origin) == "app.example.com" }}},

	{allSubdomains, cors.Config{AllowOrigins: []string{"https://*.example.com"}}},
	{allSubdomains, cors.Config{AllowOriginFunc: func(origin string) bool { return strings.HasSuffix(origin, ".example.com") }}},

	{reflectingOrigin, cors.Config{AllowOrigins: []string{"*"}}},
	{reflectingOrigin, cors.Config{AllowOrigins: []string{"https://*"}}},
	{reflectingOrigin, cors.Config{AllowOriginFunc: func(origin string) bool { return true }}},

	{prefixMatch, cors.Config{AllowOrigins: []string{"https://app.example.com*"}}},
	{prefixMatch, cors.Config{AllowOrigins: []string{"/^https://app[.]example[.]com/"}}},
	{prefixMatch, cors.Config{AllowOriginFunc: func(origin string) bool { return strings.HasPrefix(origin, "https://app.example.com") }}},
	{prefixMatch, cors.Config{AllowOriginFunc: regexp.MustCompile("^https://app[.]example[.]com").MatchString}},

	{suffixMatch, cors.Config{AllowOrigins: []string{"https://*example.com"}}},
	{suffixMatch, cors.Config{AllowOriginFunc: func(origin string) bool { return strings.HasSuffix(origin, "example.com") }}},
	{suffixMatch, cors.Config{AllowOriginFunc: regexp.MustCompile("example[.]com$").MatchString}},

	{substringMatch, cors.Config{AllowOrigins: []string{"*example.com*"}}},
	{substringMatch, cors.Config{AllowOriginFunc: func(origin string) bool { return strings.Contains(origin, "example.com") }}},
	{substringMatch, cors.Config{AllowOriginFunc: func(origin string) bool { return strings.Contains("https://app.example.com", origin) }}},
	{substringMatch, cors.Config{AllowOrigins: []string{"https://app.example.com,https://admin.example.com"}}},

	{notEscapingDot, cors.Config{AllowOrigins: []string{"^https://app.example.com$"}}},
	{notEscapingDot, cors.Config{AllowOrigins: []string{"/^https://app.example.com$/"}}},
	{notEscapingDot, cors.Config{AllowOriginFunc: regexp.MustCompile("^https://app.example.com$").MatchString}},
	{notEscapingDot, cors.Config{AllowOrigins: []string{"https://app.example.com"}}},

	{trustNull, cors.Config{AllowOrigins: []string{"https://app.example.com", "null"}}},
	{trustNull, cors.Config{AllowOriginFunc: func(origin string) bool { return origin == "https://app.example.com" || origin == "null" }}},

	{loopbackBackdoor, cors.Config{AllowOrigins: []string{"https://app.example.com", "http://localhost:3000"}}},
	{loopbackBackdoor, cors.Config{AllowOrigins: []string{"https://app.example.com", "http://localhost:*"}}},
	{loopbackBackdoor, cors.Config{AllowOrigins: []string{"https://app.example.com", "http://localhost*"}}},
	{loopbackBackdoor, cors.Config{AllowOriginFunc: func(origin string) bool {
		return origin == "https://app.example.com" || hostname(origin) == "localhost"
	}}},

	{notAsMeant, cors.Config{AllowOrigins: []string{}}},
	{notAsMeant, cors.Config{AllowOrigins: []string{"https://app.example.com/"}}},
	{notAsMeant, cors.Config{AllowOrigins: []string{"app.example.com"}}},
	{notAsMeant, cors.Config{AllowOrigins: []string{"https://*.*.example.com"}}},
}

// loadGin builds gin-contrib/cors as its README does. It adds credentials, the request header that the calls need, and
// the stars of lists, which the library reads only with AllowWildcard. Gin's debug mode prints lines about Gin itself.
func loadGin(config cors.Config) http.Handler {
	config.AllowCredentials = true
	config.AllowHeaders = []string{"Content-Type"}
	config.AllowMethods = []string{"GET", "POST"}
	config.AllowWildcard = true
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.Use(cors.New(config))
	engine.Any("/*path", gin.WrapF(account))
	return engine
}
