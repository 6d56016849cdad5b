package safetext_test

import (
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

func TestSample(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", safetext.MaxBytes)
	for s, want := range map[string]string{
		"":                        "",
		"https://app.example.com": "https://app.example.com",
		"a\nlevel=ERROR":          `a\nlevel=ERROR`,
		"\x1b[31m":                `\x1b[31m`,
		`say "yes"\`:              `say \"yes\"\\`,
		"bücher":                  `b\u00fccher`,
		"\xff":                    `\xff`,
		long:                      long,
		long + "y":                long + "...",
		long[1:] + "ü":            long[1:] + `\xc3...`,
	} {
		if got := safetext.Sample(s); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
}
