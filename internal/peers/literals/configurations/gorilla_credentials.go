package configurations

import (
	"net/http"

	gorillahandlers "github.com/gorilla/handlers"
)

func GorillaCredentials(router http.Handler) http.Handler {
	cors := gorillahandlers.CORS(
		gorillahandlers.AllowedOrigins([]string{"https://app.example.com", "https://App.example.org"}),
		gorillahandlers.AllowedHeaders([]string{"Content-Type"}),
		gorillahandlers.AllowedHeaders([]string{"X-Tenant-Id"}),
		gorillahandlers.AllowedMethods([]string{http.MethodPost}),
		gorillahandlers.ExposedHeaders([]string{"X-Request-Id", "ETag"}),
		gorillahandlers.AllowCredentials(),
		gorillahandlers.MaxAge(86400),
	)
	return cors(router)
}
