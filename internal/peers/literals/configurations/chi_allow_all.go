package configurations

import (
	"net/http"

	"github.com/go-chi/cors"
)

func ChiAllowAll(r http.Handler) http.Handler {
	return cors.AllowAll().Handler(r)
}
