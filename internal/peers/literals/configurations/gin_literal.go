package configurations

import (
	"net/http"
	"time"

	"github.com/gin-contrib/cors"
)

func GinLiteral(next http.Handler) http.Handler {
	return ginHandler(cors.New(cors.Config{
		AllowOrigins:     []string{"https://app.example.com"},
		AllowMethods:     []string{"PUT", "PATCH"},
		AllowHeaders:     []string{"Origin"},
		ExposeHeaders:    []string{"Content-Length"},
		AllowCredentials: true,
		AllowOriginFunc: func(origin string) bool {
			return origin == "https://partner.example.org"
		},
		MaxAge: 12 * time.Hour,
	}), next)
}
