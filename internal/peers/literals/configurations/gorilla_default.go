package configurations

import (
	"net/http"

	"github.com/gorilla/handlers"
)

func GorillaDefault(router http.Handler) http.Handler {
	return handlers.CORS()(router)
}
