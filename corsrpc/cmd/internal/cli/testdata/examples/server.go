package main

import (
	"net/http"

	"github.com/rs/cors"
)

func handler(mux http.Handler) http.Handler {
	c := cors.New(cors.Options{
		AllowedOrigins: []string{
			"https://app.example.com",
			"https://*.preview.example.com",
			"http://app.example.com",
		},
		AllowedHeaders:   []string{"Content-Type", "Authorization"},
		AllowCredentials: true,
	})
	return c.Handler(mux)
}
