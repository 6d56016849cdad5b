// Package cors stands in for the CORS middleware of the conformance suite's
// servers: it has the names that they use, and is a corsrpc layer.
package cors

import (
	"log"
	"net/http"
	"os"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsgrpc"
)

// Options are what the servers ask for. The layer needs none of it.
type Options struct {
	AllowCredentials bool
	AllowOriginFunc  func(string) bool
	AllowedMethods   []string
	AllowedHeaders   []string
	ExposedHeaders   []string
}

// Cors puts a layer around a handler.
type Cors struct{}

// New returns the one that there is, whatever the options.
func New(Options) Cors { return Cors{} }

// Handler is h behind the layer, with the text mode of gRPC-Web. The suite's
// client is no browser. With PAGE_ORIGIN in the environment each request
// becomes one that a page of that origin makes, so that the layer grants and
// exposes; without, it passes through. With TEXT each gRPC-Web request becomes
// one in text mode.
func (Cors) Handler(h http.Handler) http.Handler {
	const policy = `
defaults:
  allow_origins: [https://app.example.com]
  allow_credentials: true
`
	doc, err := corsrpc.ParsePolicy("conformance.yaml", []byte(policy))
	if err != nil {
		log.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc))
	if err != nil {
		log.Fatal(err)
	}
	layer, err := corsrpc.New(plan)
	if err != nil {
		log.Fatal(err)
	}
	served := layer.Wrap(corsgrpc.Text(h))
	if os.Getenv("TEXT") != "" {
		served = inText(served)
	}
	if origin := os.Getenv("PAGE_ORIGIN"); origin != "" {
		served = fromPage(origin, served)
	}
	return served
}

func fromPage(origin string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Origin", origin)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "cors")
		r.Header.Set("Sec-Fetch-Dest", "empty")
		h.ServeHTTP(w, r)
	})
}
