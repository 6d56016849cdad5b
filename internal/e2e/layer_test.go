package e2e

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// newLayer returns the layer of a policy, in which ORIGIN is replaced by the page's origin.
func newLayer(t *testing.T, origin, policy string, opts ...corsrpc.LayerOption) *corsrpc.Layer {
	t.Helper()
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(strings.ReplaceAll(policy, "ORIGIN", origin)))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := corsrpc.New(plan, append(opts, corsrpc.WithLogger(slog.New(slog.DiscardHandler)))...)
	if err != nil {
		t.Fatal(err)
	}
	return layer
}
