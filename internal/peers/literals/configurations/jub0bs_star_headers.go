package configurations

import (
	"net/http"

	"github.com/jub0bs/cors"
)

func Jub0bsStarHeaders(mux http.Handler) http.Handler {
	config := cors.Config{Origins: []string{"https://app.example.com", "https://admin.example.com:8443"}}
	config.Credentialed = true
	config.RequestHeaders = []string{"*"}
	middleware, err := cors.NewMiddleware(config)
	if err != nil {
		return nil
	}
	return middleware.Wrap(mux)
}
