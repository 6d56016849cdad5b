package configurations

import (
	"net/http"

	"github.com/gorilla/handlers"
)

// GorillaStars has stars, which the library compares as text.
func GorillaStars(router http.Handler) http.Handler {
	return handlers.CORS(
		handlers.AllowedOrigins([]string{"https://*.example.com", "https://app.example.com"}),
		handlers.AllowedHeaders([]string{"*"}),
	)(router)
}
