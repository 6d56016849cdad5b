package regexpsyntax

import (
	"regexp"
	"testing"
)

func TestLiteral(t *testing.T) {
	t.Parallel()
	var printable []byte
	for c := byte(' '); c < 0x7f; c++ {
		if c != '\\' && c != '^' {
			printable = append(printable, c)
		}
	}
	for _, text := range []string{"", "https://[::1]:80", "a.b", "/v1/$x", string(printable)} {
		re := regexp.MustCompile("^(?:" + Literal(text) + ")$")
		if !re.MatchString(text) {
			t.Errorf("%s does not match %q", re, text)
		}
		for i := range text { // each character counts
			if other := text[:i] + "\x01" + text[i+1:]; re.MatchString(other) {
				t.Errorf("%s matches %q", re, other)
			}
		}
	}
}
