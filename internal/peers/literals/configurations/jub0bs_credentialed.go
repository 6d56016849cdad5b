package configurations

import (
	"net/http"

	"github.com/jub0bs/cors"
)

func Jub0bsCredentialed(mux http.Handler) http.Handler {
	middleware, err := cors.NewMiddleware(cors.Config{
		Origins:         []string{"https://app.example.com", "https://*.example.org", "http://localhost:*"},
		Credentialed:    true,
		RequestHeaders:  []string{"Content-Type", "X-Tenant-Id"},
		ResponseHeaders: []string{"X-Request-Id"},
		MaxAgeInSeconds: 600,
	})
	if err != nil {
		return nil
	}
	return middleware.Wrap(mux)
}
