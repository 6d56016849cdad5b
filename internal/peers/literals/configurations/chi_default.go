package configurations

import (
	"net/http"

	"github.com/go-chi/cors"
)

func ChiDefault(r http.Handler) http.Handler {
	return cors.Handler(cors.Options{})(r)
}
