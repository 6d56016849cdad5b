package configurations

import (
	"net/http"

	"github.com/rs/cors"
)

func RSPassthrough(mux http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins:       []string{"https://app.example.com"},
		OptionsPassthrough:   true,
		OptionsSuccessStatus: http.StatusOK,
		AllowPrivateNetwork:  true,
		MaxAge:               -1,
	}).Handler(mux)
}
