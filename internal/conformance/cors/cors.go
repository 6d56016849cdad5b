// Package cors replaces github.com/rs/cors in the servers of the conformance suite. It has
// the names that they use, and is implemented by a corsrpc layer.
package cors

import (
	"log"
	"net/http"
	"os"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsgrpc"
)

// Options holds the options that the servers set. They have no effect.
type Options struct {
	AllowCredentials bool
	AllowOriginFunc  func(string) bool
	AllowedMethods   []string
	AllowedHeaders   []string
	ExposedHeaders   []string
}

// Cors wraps handlers in a layer.
type Cors struct{}

// New returns a Cors. It ignores the options.
func New(Options) Cors { return Cors{} }

// Handler returns h wrapped in corsgrpc.Text and in the layer. The suite's client is not a
// browser. If the environment has PAGE_ORIGIN, each request is changed to one of a page of
// that origin; otherwise requests pass through the layer. If the environment has TEXT, each
// gRPC-Web request is changed to text mode.
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

// fromPage changes requests to those of a page of an origin.
func fromPage(origin string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Origin", origin)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "cors")
		r.Header.Set("Sec-Fetch-Dest", "empty")
		h.ServeHTTP(w, r)
	})
}
