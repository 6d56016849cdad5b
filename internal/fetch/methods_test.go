package fetch_test

import (
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

func TestMethods(t *testing.T) {
	t.Parallel()
	tests := []struct {
		method                string
		safelisted, forbidden bool
		normalized            string
	}{
		{"GET", true, false, "GET"},
		{"HEAD", true, false, "HEAD"},
		{"POST", true, false, "POST"},
		{"PUT", false, false, "PUT"},
		{"get", false, false, "GET"},
		{"Post", false, false, "POST"},
		{"head", false, false, "HEAD"},
		{"pUt", false, false, "PUT"},
		{"delete", false, false, "DELETE"},
		{"options", false, false, "OPTIONS"},
		{"patch", false, false, "patch"}, // not normalized
		{"query", false, false, "query"},
		{"CONNECT", false, true, "CONNECT"},
		{"trace", false, true, "trace"},
		{"Track", false, true, "Track"},
		{"TRACER", false, false, "TRACER"},
		{"", false, false, ""},
	}
	for _, test := range tests {
		if got := fetch.SafelistedMethod(test.method); got != test.safelisted {
			t.Errorf("%q is safelisted: %v", test.method, got)
		}
		if got := fetch.ForbiddenMethod(test.method); got != test.forbidden {
			t.Errorf("%q is forbidden: %v", test.method, got)
		}
		if got := fetch.NormalizeMethod(test.method); got != test.normalized {
			t.Errorf("%q becomes %q", test.method, got)
		}
	}
}
