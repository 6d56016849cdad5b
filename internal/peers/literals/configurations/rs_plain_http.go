package configurations

import (
	"net/http"

	"github.com/rs/cors"
)

func RSPlainHTTP(mux http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"https://app.example.com", "http://app.example.com", "http://192.168.1.5:3000", "null"},
		AllowedHeaders: []string{"Content-Type", "X-Requested-With"},
	}).Handler(mux)
}
