package configurations

import (
	"net/http"

	"github.com/jub0bs/cors"
)

func Jub0bsStar(mux http.Handler) http.Handler {
	config := cors.Config{
		Origins:         []string{"*"},
		Methods:         []string{"*"},
		RequestHeaders:  []string{"*", "Authorization"},
		ResponseHeaders: []string{"*"},
		MaxAgeInSeconds: -1,
	}
	middleware, err := cors.NewMiddleware(config)
	if err != nil {
		return nil
	}
	return middleware.Wrap(mux)
}
