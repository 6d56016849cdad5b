package configurations

import (
	"net/http"

	"github.com/gorilla/handlers"
)

func GorillaGetOnly(router http.Handler) http.Handler {
	return handlers.CORS(handlers.AllowedMethods([]string{"GET"}), handlers.AllowedOrigins([]string{"*"}))(router)
}
