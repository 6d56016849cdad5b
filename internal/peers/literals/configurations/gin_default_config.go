package configurations

import (
	"net/http"

	"github.com/gin-contrib/cors"
)

func GinDefaultConfig(next http.Handler) http.Handler {
	config := cors.DefaultConfig()
	config.AllowOrigins = []string{"http://localhost:3000", "https://app.example.com", "https://App.example.org"}
	config.AllowCredentials = true
	config.AddAllowHeaders("Authorization", "X-Tenant-Id")
	config.AddExposeHeaders("X-Request-Id")
	return ginHandler(cors.New(config), next)
}
