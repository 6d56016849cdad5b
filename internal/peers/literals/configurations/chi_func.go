package configurations

import (
	"net/http"
	"slices"

	"github.com/go-chi/cors"
)

var chiOrigins = []string{"https://app.example.com", "https://admin.example.com"}

func ChiFunc(r http.Handler) http.Handler {
	return cors.Handler(cors.Options{
		AllowOriginFunc: func(_ *http.Request, origin string) bool { return slices.Contains(chiOrigins, origin) },
		AllowedHeaders:  []string{"*"},
		ExposedHeaders:  []string{"*"},
	})(r)
}
