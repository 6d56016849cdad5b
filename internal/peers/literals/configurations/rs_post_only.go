package configurations

import (
	"net/http"

	"github.com/rs/cors"
)

func RSPostOnly(mux http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"https://app.example.com"},
		AllowedMethods: []string{http.MethodPost},
		AllowedHeaders: []string{"Content-Type", "Connect-Protocol-Version"},
	}).Handler(mux)
}
