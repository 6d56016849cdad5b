package configurations

import (
	"net/http"

	"github.com/gin-contrib/cors"
)

func GinDefault(next http.Handler) http.Handler {
	return ginHandler(cors.Default(), next)
}
