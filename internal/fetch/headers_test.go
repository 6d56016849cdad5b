package fetch_test

import (
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

func TestForbiddenRequestField(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, value string
		want        bool
	}{
		{"Host", "x", true},
		{"cookie", "", true},
		{"Proxy-Anything", "x", true},
		{"SEC-FETCH-SITE", "same-origin", true},
		{"Authorization", "x", false},
		{"X-HTTP-Method", "trace", true},
		{"X-HTTP-Method-Override", "GET,\ttrack ", true},
		{"X-Method-Override", "CONNECT", true},
		{"X-Method-Override", "PUT", false},
		{"X-Method-Override", "TRACER", false},
		{"X-Original-Method", "TRACE", false}, // not listed in the standard
		{"X-A", "TRACE", false},
	}
	for _, test := range tests {
		if got := fetch.ForbiddenRequestField(test.name, test.value); got != test.want {
			t.Errorf("%s: %q: %v", test.name, test.value, got)
		}
	}
}
