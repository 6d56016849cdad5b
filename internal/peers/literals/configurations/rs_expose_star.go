package configurations

import (
	"net/http"

	"github.com/rs/cors"
)

func RSExposeStar(mux http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"https://app.example.com"},
		ExposedHeaders: []string{"*"},
		MaxAge:         600,
	}).Handler(mux)
}
