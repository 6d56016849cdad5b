package corsbrowser

import (
	"strings"
	"testing"
)

// TestCallWithoutValue: a call whose last header name has no value fails and is not sent.
func TestCallWithoutValue(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, page, WithHandler(respondWith("Access-Control-Allow-Origin", "*")))
	header := []string{"X-A"}
	err := Fetch("GET", server, header...)(t.Context(), b.Client())
	if err == nil || !strings.Contains(err.Error(), "X-A has no value") || len(b.Log()) > 0 {
		t.Errorf("%v, sent %v", err, sentLines(b))
	}
}
