package corsrpc

import (
	"log/slog"
	"testing"
)

// TestDiscardedLog: a logger that discards everything is none, so that no line is built.
func TestDiscardedLog(t *testing.T) {
	t.Parallel()
	for _, logger := range []*slog.Logger{slog.New(slog.DiscardHandler), slog.New(slog.DiscardHandler).With("server", "a").WithGroup("cors")} {
		if c := newLayerConfig([]LayerOption{WithLogger(logger)}); len(c.problems) != 0 || c.logger != nil {
			t.Errorf("lines are built: %+v", c)
		}
	}
}
