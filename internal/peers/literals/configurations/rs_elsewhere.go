package configurations

import (
	"net/http"

	"github.com/rs/cors"
)

type elsewhere struct {
	Origins     []string
	Credentials bool
	MaxAge      int
	Headers     []string
	Exposed     []string
}

var fromElsewhere = loadElsewhere()

func loadElsewhere() elsewhere {
	e := elsewhere{Headers: []string{"X-Tenant-Id"}}
	e.Origins = append(e.Origins, "https://partner.example.com")
	e.Credentials, e.MaxAge, e.Exposed = true, 600, []string{"X-Request-Id"}
	return e
}

// RSElsewhere takes most values from somewhere else.
func RSElsewhere(mux http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins:   append([]string{"https://app.example.com"}, fromElsewhere.Origins...),
		AllowedHeaders:   append([]string{"Content-Type"}, fromElsewhere.Headers...),
		ExposedHeaders:   fromElsewhere.Exposed,
		AllowCredentials: fromElsewhere.Credentials,
		MaxAge:           fromElsewhere.MaxAge,
	}).Handler(mux)
}
