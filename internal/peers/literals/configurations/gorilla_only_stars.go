package configurations

import (
	"net/http"

	"github.com/gorilla/handlers"
)

// GorillaOnlyStars allows no origin.
func GorillaOnlyStars(router http.Handler) http.Handler {
	return handlers.CORS(handlers.AllowedOrigins([]string{"https://*.example.com", "*.example.org"}))(router)
}
