package configurations

import (
	"net/http"

	"github.com/gin-contrib/cors"
)

func GinExtensions(next http.Handler) http.Handler {
	return ginHandler(cors.New(cors.Config{
		AllowOrigins:           []string{"chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb", "moz-extension://*", "tauri://localhost", "file://"},
		AllowBrowserExtensions: true,
		AllowWildcard:          true,
		AllowWebSockets:        true,
		AllowFiles:             true,
		CustomSchemas:          []string{"tauri://"},
		AllowPrivateNetwork:    true,
		AllowHeaders:           []string{"Content-Type"},
	}), next)
}
