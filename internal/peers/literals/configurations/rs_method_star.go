package configurations

import (
	"net/http"

	"github.com/rs/cors"
)

// RSMethodStar has a star that the library does not know.
func RSMethodStar(mux http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"https://app.example.com"},
		AllowedMethods: []string{"*"},
	}).Handler(mux)
}
