package configurations

import (
	"net/http"
	"os"
	"strings"

	"github.com/rs/cors"
)

func RSEnvironmentList(mux http.Handler) http.Handler {
	allowed := strings.Split(os.Getenv("ALLOWED_ORIGINS"), ",")
	return cors.New(cors.Options{
		AllowedOrigins:   allowed,
		AllowedMethods:   []string{"GET", "POST", "PATCH"},
		AllowCredentials: true,
	}).Handler(mux)
}
