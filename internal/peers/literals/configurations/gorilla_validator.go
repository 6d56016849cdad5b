package configurations

import (
	"net/http"
	"regexp"

	"github.com/gorilla/handlers"
)

var gorillaPattern = regexp.MustCompile(`^https://[a-z]+\.example\.com$`)

func GorillaValidator(router http.Handler) http.Handler {
	return handlers.CORS(
		handlers.AllowedOriginValidator(gorillaPattern.MatchString),
		handlers.AllowedHeaders([]string{"Content-Type"}),
		handlers.AllowCredentials(),
	)(router)
}
