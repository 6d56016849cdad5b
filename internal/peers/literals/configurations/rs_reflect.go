package configurations

import (
	"net/http"

	"github.com/rs/cors"
)

func anyOrigin(*http.Request, string) bool { return true }

func RSReflect(mux http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowOriginRequestFunc: anyOrigin,
		AllowCredentials:       true,
		AllowedHeaders:         []string{"*"},
	}).Handler(mux)
}
