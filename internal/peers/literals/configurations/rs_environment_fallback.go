package configurations

import (
	"net/http"
	"os"

	"github.com/rs/cors"
)

func RSEnvironmentFallback(mux http.Handler) http.Handler {
	origin := os.Getenv("WEB_ORIGIN")
	if origin == "" {
		origin = "https://app.example.com"
	}
	return cors.New(cors.Options{AllowedOrigins: []string{origin}}).Handler(mux)
}
