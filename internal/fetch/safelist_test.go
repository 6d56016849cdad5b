package fetch_test

import (
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

func TestSafelistedRequestHeader(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, value string
		want        bool
	}{
		{"Accept", "*/*", true},
		{"ACCEPT", "*/*", true},
		{"accept", "a(b", false},
		{"accept", "a\tb", true},
		{"accept", "a\x7fb", false},
		{"accept", strings.Repeat("a", 128), true},
		{"accept", strings.Repeat("a", 129), false},
		{"accept-language", "de, en;q=0.5", true},
		{"accept-language", "de_AT", false},
		{"content-language", "de", true},
		{"content-language", "d\te", false},
		{"content-type", "text/plain", true},
		{"content-type", "Text/Plain; charset=utf-8", true},
		{"content-type", "text/plain; a", true},
		{"content-type", `text/plain; a="x"`, false},
		{"content-type", "multipart/form-data", true},
		{"content-type", "application/x-www-form-urlencoded", true},
		{"content-type", "application/json", false},
		{"content-type", "application/grpc-web+proto", false},
		{"content-type", "", false},
		{"content-type", " text/plain ;a", true},
		{"content-type", "text/plain\u00a0", false},
		{"content-type", "text/plain\u0085;a", false},
		{"content-type", "text/pla\u0130n", false},
		{"content-type", "mult\u0130part/form-data", false},
		{"content-type", "text/plain, text/plain", false},
		{"range", "bytes=0-", true},
		{"range", "bytes=0-0", true},
		{"range", "bytes=-10", false},
		{"range", "bytes=10-0", false},
		{"range", "bytes=0-1,2-3", false},
		{"range", "items=0-1", false},
		{"x-a", "1", false},
		{"authorization", "x", false},
	}
	for _, test := range tests {
		if got := fetch.SafelistedRequestHeader(test.name, test.value); got != test.want {
			t.Errorf("%s: %q: %v", test.name, test.value, got)
		}
	}
}

func TestNoCORSSafelistedRequestHeader(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, value string
		want        bool
	}{
		{"Accept", "*/*", true},
		{"accept", "a(b", false},
		{"Accept-Language", "de", true},
		{"content-language", "de", true},
		{"Content-Type", "text/plain", true},
		{"content-type", "application/json", false},
		{"range", "bytes=0-", false},
		{"x-a", "1", false},
	}
	for _, test := range tests {
		if got := fetch.NoCORSSafelistedRequestHeader(test.name, test.value); got != test.want {
			t.Errorf("%s: %q: %v", test.name, test.value, got)
		}
	}
}
