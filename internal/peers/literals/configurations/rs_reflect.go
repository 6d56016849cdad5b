package configurations

import (
	"net/http"

	"github.com/rs/cors"
)

func anyOrigin(string) bool { return true }

func RSReflect(mux http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowOriginFunc:  anyOrigin,
		AllowCredentials: true,
		AllowedHeaders:   []string{"*"},
	}).Handler(mux)
}
