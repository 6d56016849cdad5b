package configurations

import (
	"net/http"

	"github.com/rs/cors"
)

var localhostOrigins = []string{"http://localhost:*", "http://127.0.0.1:5173"}

func RSLocalhost(mux http.Handler) http.Handler {
	origins := append([]string{"https://app.example.com"}, localhostOrigins...)
	return cors.New(cors.Options{AllowedOrigins: origins}).Handler(mux)
}
