package configurations

import (
	"net/http"

	rscors "github.com/rs/cors"
)

func RSSubdomains(mux http.Handler) http.Handler {
	wrapper := rscors.New(rscors.Options{
		AllowedOrigins:   []string{"https://*.example.com", "http://*.example.org"},
		AllowCredentials: true,
	})
	return wrapper.Handler(mux)
}
