package corsrpc

import (
	"log"
	"log/slog"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// TestDiscardedLog checks that a layer whose logger discards everything builds no records.
func TestDiscardedLog(t *testing.T) {
	plan, err := Compile(&corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: []string{"https://app.example.com"}}})
	if err != nil {
		t.Fatal(err)
	}
	discard := slog.New(slog.DiscardHandler)
	defer log.SetFlags(log.Flags()) // slog.SetDefault changes the flags and the writer
	defer log.SetOutput(log.Writer())
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(discard)
	for name, opts := range map[string][]LayerOption{
		"given":           {WithLogger(discard)},
		"with attributes": {WithLogger(discard.With("server", "a").WithGroup("cors"))},
		"by default":      nil,
	} {
		layer, err := New(plan, opts...)
		if err != nil {
			t.Fatal(err)
		}
		if layer.log != nil {
			t.Errorf("%s: lines are built", name)
		}
	}
}
