package configurations

import (
	"net/http"
	"os"

	"github.com/rs/cors"
)

func RSEnvironment(mux http.Handler) http.Handler {
	c := cors.New(cors.Options{
		AllowedOrigins: []string{os.Getenv("FRONTEND_URL"), "https://admin.example.com"},
		AllowedHeaders: []string{"Authorization", "Content-Type"},
	})
	return c.Handler(mux)
}
