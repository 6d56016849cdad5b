// Package configurations has configurations of other CORS libraries as people write them. Each file with a
// configuration is one case: its function wraps a handler, and corsrpc init reads its text.
package configurations

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// ginHandler returns a handler behind a middleware of gin.
func ginHandler(middleware gin.HandlerFunc, next http.Handler) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.Use(middleware)
	r.NoRoute(func(c *gin.Context) {
		c.Status(http.StatusOK) // NoRoute begins with status 404
		next.ServeHTTP(c.Writer, c.Request)
	})
	return r
}
