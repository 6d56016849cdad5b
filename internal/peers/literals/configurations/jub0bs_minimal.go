package configurations

import (
	"net/http"

	"github.com/jub0bs/cors"
)

// Jub0bsMinimal allows no preflight.
func Jub0bsMinimal(mux http.Handler) http.Handler {
	middleware, err := cors.NewMiddleware(cors.Config{Origins: []string{"https://app.example.com", "http://plain.example.com"}})
	if err != nil {
		return nil
	}
	return middleware.Wrap(mux)
}
