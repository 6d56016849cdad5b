package configurations

import (
	"net/http"

	connectcors "connectrpc.com/cors"
	"github.com/rs/cors"
)

func RSConnectMetadata(mux http.Handler) http.Handler {
	headers := append(connectcors.AllowedHeaders(), "Authorization", "X-Tenant-Id")
	exposed := append(connectcors.ExposedHeaders(), "X-Request-Id", "Content-Length")
	options := cors.Options{
		AllowedOrigins:   []string{"https://app.example.com", "https://admin.example.com"},
		AllowedMethods:   connectcors.AllowedMethods(),
		AllowedHeaders:   headers,
		ExposedHeaders:   exposed,
		AllowCredentials: true,
	}
	return cors.New(options).Handler(mux)
}
