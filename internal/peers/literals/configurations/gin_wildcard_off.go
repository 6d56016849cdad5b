package configurations

import (
	"net/http"

	"github.com/gin-contrib/cors"
)

// GinWildcardOff has a star, and not the setting that it needs.
func GinWildcardOff(next http.Handler) http.Handler {
	config := cors.DefaultConfig()
	config.AllowOrigins = []string{
		"http://localhost:5173",
		"https://shop.example.com",
		"https://*.example.com", // all others
	}
	config.AllowMethods = []string{"GET", "POST", "PUT", "DELETE"}
	config.MaxAge = 86400
	return ginHandler(cors.New(config), next)
}
