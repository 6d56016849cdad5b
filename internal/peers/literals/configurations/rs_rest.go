package configurations

import (
	"net/http"

	"github.com/rs/cors"
)

const restDomain = "example.com"

const (
	restApp   = "https://app." + restDomain
	restAdmin = "https://Admin." + restDomain
)

func RSREST(router http.Handler) http.Handler {
	c := cors.New(cors.Options{
		AllowedOrigins: []string{restApp, restAdmin},
		AllowedMethods: []string{
			http.MethodGet,
			http.MethodPost,
			http.MethodPut,
			http.MethodDelete,
			http.MethodOptions,
		},
		AllowedHeaders:   []string{"Accept", "Authorization", "Content-Type", "X-CSRF-Token"},
		ExposedHeaders:   []string{"Link"},
		AllowCredentials: true,
		MaxAge:           300,
	})
	return c.Handler(router)
}
