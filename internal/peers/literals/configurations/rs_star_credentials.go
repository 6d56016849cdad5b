package configurations

import (
	"net/http"

	"github.com/rs/cors"
)

func RSStarCredentials(router http.Handler) http.Handler {
	c := cors.New(cors.Options{
		AllowedOrigins:   []string{"*"},
		AllowedHeaders:   []string{"*"},
		AllowedMethods:   []string{"GET", "POST"},
		AllowCredentials: true,
		Debug:            false,
	})
	return c.Handler(router)
}
