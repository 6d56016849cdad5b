package configurations

import (
	"net/http"

	"github.com/rs/cors"
)

// RSAnyText has stars that stand for more than their author meant.
func RSAnyText(mux http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{
			"https://*example.com",
			"https://app.example.org*",
			"*.example.net",
			"http*://shop.example.com",
			"https://api.*",
		},
		AllowedHeaders: []string{"Content-Type"},
	}).Handler(mux)
}
