package configurations

import (
	"net/http"

	"github.com/gin-contrib/cors"
)

func GinStarHeaders(next http.Handler) http.Handler {
	return ginHandler(cors.New(cors.Config{
		AllowOrigins:     []string{"https://app.example.com"},
		AllowHeaders:     []string{"*"},
		AllowMethods:     []string{"*"},
		ExposeHeaders:    []string{"*"},
		AllowCredentials: true,
	}), next)
}
