package configurations

import (
	"net/http"

	"github.com/jub0bs/cors"
)

func Jub0bsMethods(mux http.Handler) http.Handler {
	middleware, err := cors.NewMiddleware(cors.Config{
		Origins:        []string{"https://app.example.com"},
		Methods:        []string{http.MethodGet, http.MethodPost, http.MethodPut},
		RequestHeaders: []string{"Authorization"},
	})
	if err != nil {
		return nil
	}
	return middleware.Wrap(mux)
}
