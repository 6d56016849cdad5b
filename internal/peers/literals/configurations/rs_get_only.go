package configurations

import (
	"net/http"

	"github.com/rs/cors"
)

func RSGetOnly(mux http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"https://app.example.com"},
		AllowedMethods: []string{"GET"},
	}).Handler(mux)
}
