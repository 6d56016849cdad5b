package peers

import (
	"errors"
	"net/http"
	"slices"

	"github.com/jub0bs/cors"
	"github.com/jub0bs/cors/cfgerrors"
)

// jub0bsConfigurations are configurations of jub0bs/cors, which accepts no function. The report quotes the second value
// of each from this file.
var jub0bsConfigurations = []struct {
	class  *class
	config cors.Config
}{
	{httpsTrustsHTTP, cors.Config{Origins: []string{"https://app.example.com", "http://app.example.com"}}},
	{httpsTrustsHTTP, cors.Config{Origins: []string{"https://app.example.com", "http://app.example.com"}, DangerouslyTolerateInsecureOrigins: true}},
	{httpsTrustsHTTP, cors.Config{Origins: []string{"http*://app.example.com"}}},

	{allSubdomains, cors.Config{Origins: []string{"https://*.example.com"}}},

	{reflectingOrigin, cors.Config{Origins: []string{"*"}}},
	{reflectingOrigin, cors.Config{Origins: []string{"https://*"}}},

	{prefixMatch, cors.Config{Origins: []string{"https://app.example.com*"}}},
	{prefixMatch, cors.Config{Origins: []string{"https://app.example.com.*"}}},

	{suffixMatch, cors.Config{Origins: []string{"https://*example.com"}}},
	{suffixMatch, cors.Config{Origins: []string{"*example.com"}}},

	{substringMatch, cors.Config{Origins: []string{"*example.com*"}}},
	{substringMatch, cors.Config{Origins: []string{"https://app.example.com,https://admin.example.com"}}},

	{notEscapingDot, cors.Config{Origins: []string{"^https://app.example.com$"}}},
	{notEscapingDot, cors.Config{Origins: []string{"https://app.example.com"}}},

	{trustNull, cors.Config{Origins: []string{"https://app.example.com", "null"}}},

	{loopbackBackdoor, cors.Config{Origins: []string{"https://app.example.com", "http://localhost:3000"}}},
	{loopbackBackdoor, cors.Config{Origins: []string{"https://app.example.com", "http://localhost:*"}}},
	{loopbackBackdoor, cors.Config{Origins: []string{"https://app.example.com", "http://localhost*"}}},

	{notAsMeant, cors.Config{Origins: []string{}}},
	{notAsMeant, cors.Config{Origins: []string{"https://app.example.com/"}}},
	{notAsMeant, cors.Config{Origins: []string{"app.example.com"}}},
	{notAsMeant, cors.Config{Origins: []string{"https://*.*.example.com"}}},
}

// loadJub0bs builds jub0bs/cors as its README does. It adds credentials, and the request header that the calls need.
func loadJub0bs(config cors.Config) loading {
	config.Credentialed = true
	config.RequestHeaders = []string{"Content-Type"}
	middleware, err := cors.NewMiddleware(config)
	if err == nil {
		return loading{handler: middleware.Wrap(http.HandlerFunc(account))}
	}
	l := loading{invalid: true}
	for e := range cfgerrors.All(err) {
		reason, invalid := "", false
		var unacceptable *cfgerrors.UnacceptableOriginPatternError
		var incompatible *cfgerrors.IncompatibleOriginPatternError
		switch {
		case errors.As(e, &unacceptable):
			reason, invalid = unacceptable.Reason, unacceptable.Reason == "invalid"
		case errors.As(e, &incompatible):
			reason = incompatible.Reason
		default:
			reason = e.Error()
		}
		if !slices.Contains(l.refused, reason) {
			l.refused = append(l.refused, reason)
		}
		l.invalid = l.invalid && invalid
	}
	return l
}
