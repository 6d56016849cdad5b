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

// TestPunycodeIsDecoded: decodePunycode returns the text that punycode encoded.
func TestPunycodeIsDecoded(t *testing.T) {
	for _, label := range []string{"ü", "bücher", "例え", "a-ü", "-ü-", "üü", "\U0001f600", "i❤", "\u00a1", "\U0010ffff", "abc\U0010ffff\u0080", strings.Repeat("a", 30) + "\U0010ffff", strings.Repeat("日", 12) + "本"} {
		if got, ok := decodePunycode(punycode([]rune(label))); !ok || string(got) != label {
			t.Errorf("decodePunycode(%q) = %q, %t", punycode([]rune(label)), string(got), ok)
		}
	}
}

// TestInvalidPunycode: each of these labels is refused.
func TestInvalidPunycode(t *testing.T) {
	for name, label := range map[string]string{
		"nothing": "xn--", "ends within a number": "xn--f", "a hyphen behind no ASCII characters": "xn---tda", "ASCII only": "xn--abc-", "a hyphen only": "xn---", "another character": "xn--a_b",
		"beyond Unicode": "xn--99999999", "an encoded upper case letter": "xn--" + punycode([]rune("bÜcher")), "a number that overflows": "xn--a" + strings.Repeat("9", 50),
		"a control character": "xn--" + punycode([]rune("a\u0080")), "a surrogate": "xn--" + punycode([]rune{0xd800}),
	} {
		if got := invalidPunycode("a." + label + ".example"); got != label {
			t.Errorf("%s: %q is accepted", name, label)
		}
	}
	for _, host := range []string{"xn--bcher-kva.example", "a.xn--p1ai", "xn--i-7iq.ws", "xn--tda", "axn--f.example", "x.n--f", "xn-f.example", "xn--f7b.example"} {
		if got := invalidPunycode(host); got != "" {
			t.Errorf("%s: %s is refused", host, got)
		}
	}
}

// browserIDNA is the profile of the URL standard (domain to ASCII, not strict).
var browserIDNA = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.CheckHyphens(false), idna.BidiRule(), idna.CheckJoiners(true), idna.VerifyDNSLength(false))

// TestPunycodeOfEachCharacter: the label of each character that IDNA accepts is accepted.
func TestPunycodeOfEachCharacter(t *testing.T) {
	t.Parallel()
	n := 0
	for r := rune(0x80); r <= 0x2ffff; r++ {
		ascii, err := browserIDNA.ToASCII(string(r))
		again, _ := browserIDNA.ToASCII(ascii)
		if err != nil || again != ascii || !strings.HasPrefix(ascii, "xn--") {
			continue
		}
		n++
		if invalidPunycode(ascii) != "" {
			t.Errorf("%s (U+%04X) is refused", ascii, r)
		}
	}
	if n < 100_000 {
		t.Errorf("only %d characters", n)
	}
}

// FuzzInvalidPunycode: no label is refused that IDNA accepts.
func FuzzInvalidPunycode(f *testing.F) {
	for _, label := range []string{"", "f", "abc-", "bcher-kva", "p1ai", "i-7iq", "99999999", "bcher-vva", "f7b", "58d", "-", "--"} {
		f.Add(label)
	}
	f.Fuzz(func(t *testing.T, label string) {
		host := "xn--" + label
		if len(host) > 63 || !validName(host) || strings.Contains(host, ".") {
			return
		}
		ascii, err := browserIDNA.ToASCII(host)
		if name, _ := browserIDNA.ToUnicode(host); err == nil && ascii == host && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" && invalidPunycode(host) != "" {
			t.Errorf("%s is refused, and is %q", host, name)
		}
	})
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
