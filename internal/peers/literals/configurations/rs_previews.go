package configurations

import (
	"net/http"

	"github.com/rs/cors"
)

func RSPreviews(mux http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"https://app.example.com", "https://pr-*.example.com", "https://*.vercel.app"},
		AllowedHeaders: []string{"Content-Type"},
	}).Handler(mux)
}
