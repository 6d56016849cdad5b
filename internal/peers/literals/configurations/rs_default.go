package configurations

import (
	"net/http"

	"github.com/rs/cors"
)

func RSDefault(mux http.Handler) http.Handler {
	return cors.Default().Handler(mux)
}
