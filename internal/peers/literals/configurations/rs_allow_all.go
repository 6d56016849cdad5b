package configurations

import (
	"net/http"

	"github.com/rs/cors"
)

func RSAllowAll(mux http.Handler) http.Handler {
	middleware := cors.AllowAll()
	return middleware.Handler(mux)
}
