package configurations

import (
	"net/http"
	"time"

	"github.com/gin-contrib/cors"
)

func GinWildcard(next http.Handler) http.Handler {
	config := cors.Config{
		AllowOrigins:  []string{"https://*.example.com", "http://localhost:*", "*.example.org"},
		AllowWildcard: true,
		AllowMethods:  []string{"GET", "POST", "OPTIONS"},
		AllowHeaders:  []string{"Origin, Content-Type, Authorization"},
		MaxAge:        600 * time.Second,
	}
	return ginHandler(cors.New(config), next)
}
