package configurations

import (
	"net/http"
	"time"

	"github.com/rs/cors"
)

// RSMistakes has items that never allowed anything, and a maximum age in nanoseconds.
func RSMistakes(mux http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{
			"https://app.example.com",
			"https://shop.example.com/",
			"admin.example.com",
			"https://*.*.example.org",
			"https://a.example.org, https://b.example.org",
			"https://c.example.org:443",
		},
		AllowedHeaders: []string{"Content-Type", "X-Tenant-Id", "Origin", "Content-Length", "Access-Control-Allow-Origin", "X-A, X-B"},
		ExposedHeaders: []string{"X-Request-Id", "two words"},
		MaxAge:         int(12 * time.Hour),
	}).Handler(mux)
}
