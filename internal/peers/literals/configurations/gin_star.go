package configurations

import (
	"net/http"

	"github.com/gin-contrib/cors"
)

func GinStar(next http.Handler) http.Handler {
	config := cors.DefaultConfig()
	config.AllowOrigins = []string{"*"}
	config.AllowHeaders = []string{"*"}
	config.ExposeHeaders = []string{"*"}
	return ginHandler(cors.New(config), next)
}
