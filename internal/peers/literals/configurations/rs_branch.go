package configurations

import (
	"net/http"

	"github.com/rs/cors"
)

// RSBranch has one value that depends on where the program runs.
func RSBranch(mux http.Handler) http.Handler {
	options := cors.Options{AllowedOrigins: []string{"https://app.example.com"}}
	options.AllowedHeaders = []string{"Content-Type"}
	if production {
		options.AllowCredentials = true
	}
	return cors.New(options).Handler(mux)
}

var production = true
