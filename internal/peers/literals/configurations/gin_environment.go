package configurations

import (
	"net/http"
	"os"
	"strings"

	"github.com/gin-contrib/cors"
)

func GinEnvironment(next http.Handler) http.Handler {
	corsConfig := cors.DefaultConfig()
	corsConfig.AllowOrigins = strings.Split(os.Getenv("CORS_ORIGINS"), ",")
	corsConfig.AllowCredentials = true
	corsConfig.AddAllowHeaders("Authorization")
	return ginHandler(cors.New(corsConfig), next)
}
