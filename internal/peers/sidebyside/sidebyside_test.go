package sidebyside_test

import (
	"net/http/httptest"
	"reflect"
	"testing"

	"github.com/rs/cors"

	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
)

// TestCompare: a program and a handler get the same outcomes, and each difference from a policy has a name.
func TestCompare(t *testing.T) {
	t.Parallel()
	handler := cors.New(cors.Options{
		AllowedOrigins: []string{sidebyside.App, sidebyside.Admin}, AllowedHeaders: []string{"content-type", "authorization"}, ExposedHeaders: []string{"x-request-id"}, AllowedMethods: []string{"GET", "POST", "PUT"},
		AllowCredentials: true, MaxAge: 600,
	}).Handler(sidebyside.API())
	program := httptest.NewServer(handler)
	defer program.Close()
	calls := sidebyside.Calls()
	if a, b := sidebyside.Visit(t, sidebyside.Handler(handler), calls), sidebyside.Visit(t, sidebyside.At(t, program.URL), calls); !reflect.DeepEqual(a, b) {
		t.Error("the handler and the program that serves it have other outcomes")
	}
	layer := sidebyside.Layer(t, sidebyside.Defaults(
		"allow_origins: ["+sidebyside.App+", "+sidebyside.Admin+"]", "allow_headers: [authorization]",
		"allow_credentials: true", "expose: DECLARED", "expose_headers: [x-request-id]", "max_age: 600s",
	))
	diffs := sidebyside.Compare(t, sidebyside.At(t, program.URL), sidebyside.Handler(layer(sidebyside.API())), calls)
	sidebyside.Check(t, diffs, nil, []sidebyside.Named{
		sidebyside.RefusedBeforeHandler, sidebyside.Methods, sidebyside.OtherPaths, sidebyside.OperationalServices, sidebyside.ProtocolHeaders, sidebyside.Get,
		sidebyside.StatusHeaders, sidebyside.Trailers,
	})
}
