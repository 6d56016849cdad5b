package configurations

import (
	"net/http"

	"github.com/rs/cors"
)

func RSNullCredentials(mux http.Handler) http.Handler {
	var options cors.Options
	options.AllowedOrigins = []string{"null", "https://app.example.com"}
	options.AllowCredentials = true
	return cors.New(options).Handler(mux)
}
