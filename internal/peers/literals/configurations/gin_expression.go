package configurations

import (
	"net/http"

	"github.com/gin-contrib/cors"
)

func GinExpression(next http.Handler) http.Handler {
	cfg := cors.DefaultConfig()
	cfg.AllowOrigins = []string{`/^https://[a-z]+\.example\.com$/`, "https://app.example.org"}
	return ginHandler(cors.New(cfg), next)
}
