package configurations

import (
	"net/http"

	chicors "github.com/go-chi/cors"
)

func ChiList(r http.Handler) http.Handler {
	c := chicors.New(chicors.Options{
		AllowedOrigins:   []string{"https://app.example.com", "http://localhost:3000", "https://*.staging.example.com"},
		AllowedMethods:   []string{"get", "post", "patch"},
		AllowedHeaders:   []string{"content-type", "authorization", "x-requested-with"},
		AllowCredentials: true,
		MaxAge:           int(86400 * 30),
	})
	return c.Handler(r)
}
