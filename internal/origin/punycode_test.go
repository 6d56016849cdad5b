package origin

import (
	"strings"
	"testing"

	"golang.org/x/net/idna"
)

func TestPunycodeAgainstIDNA(t *testing.T) {
	for _, host := range []string{
		"bücher.example", "exämple.example.com", "faß.de", "straße.example", "παράδειγμα.example", "ναός.example", "пример.рф",
		"例え.テスト", "中文.tw", "한국.kr", "ひらがな.example", "a.ü.b", "üü.example", "ü", "zażółć-gęślą.pl", "dvořák.cz", "日本語abc123.jp",
		"ünï-" + strings.Repeat("a", 20) + "é" + strings.Repeat("日", 10) + ".example",
	} {
		got, ok := punycodeHost(host)
		want, err := idna.Lookup.ToASCII(host)
		if !ok || err != nil || got != want {
			t.Errorf("punycodeHost(%q) = %q, %t; idna says %q, %v", host, got, ok, want, err)
		}
	}
}

// TestPunycodeTakesPlainLettersOnly: IDNA leaves every letter unchanged that punycodeHost
// accepts.
func TestPunycodeTakesPlainLettersOnly(t *testing.T) {
	n := 0
	for r := rune(0x80); r <= 0x2ffff; r++ {
		host := "a" + string(r) + "b.example"
		if r >= 0x590 && r < 0x600 { // right to left
			host = string(r) + ".example"
		}
		got, ok := punycodeHost(host)
		if !ok {
			continue
		}
		n++
		if want, err := idna.Lookup.ToASCII(host); err != nil || got != want {
			t.Errorf("punycodeHost(%q, U+%04X) = %q; idna says %q, %v", host, r, got, want, err)
		}
	}
	if n < 30_000 {
		t.Errorf("only %d letters are taken", n)
	}
}
