package corsbrowser

import (
	"strings"
	"testing"
)

// TestCallWithoutValue: a header name without a value is not a call.
func TestCallWithoutValue(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("a header name without a value")
		}
	}()
	Fetch("GET", server, strings.Fields("X-A")...)
}
