package configurations

import (
	"net/http"

	"github.com/gorilla/handlers"
)

func GorillaIgnoreOptions(router http.Handler) http.Handler {
	options := []handlers.CORSOption{
		handlers.AllowedOrigins([]string{"https://app.example.com"}),
		handlers.AllowedHeaders([]string{"Content-Type", "Authorization"}),
		handlers.IgnoreOptions(),
	}
	return handlers.CORS(options...)(router)
}
