package configurations

import (
	"net/http"
	"strings"

	"github.com/rs/cors"
)

func RSOriginFunc(mux http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"https://ignored.example.com"},
		AllowOriginFunc: func(origin string) bool {
			return origin == "https://example.com" || strings.HasSuffix(origin, ".example.com")
		},
		AllowedHeaders:   []string{"Content-Type", "Authorization"},
		AllowCredentials: true,
	}).Handler(mux)
}
