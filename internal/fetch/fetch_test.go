package fetch_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

func TestIsToken(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		want := strings.ContainsRune("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", rune(c)) && c < 128
		if got := fetch.IsToken(string([]byte{'x', byte(c)})); got != want {
			t.Errorf("%q: %v", c, got)
		}
	}
	if fetch.IsToken("") {
		t.Error("the empty string is a token")
	}
}

func TestLower(t *testing.T) {
	for s, want := range map[string]string{"": "", "x-a": "x-a", "X-A": "x-a", "x-AbC": "x-abc", "É": "É", "\u212a": "\u212a"} {
		if got := fetch.Lower(s); got != want {
			t.Errorf("%q: %q", s, got)
		}
	}
	if n := testing.AllocsPerRun(10, func() { fetch.Lower("content-type") }); n > 0 {
		t.Errorf("%v allocations for a string in lower case", n)
	}
}

func TestAppendRequested(t *testing.T) {
	t.Parallel()
	names := func(n int) string { return strings.TrimSuffix(strings.Repeat("x,", n), ",") }
	tests := []struct {
		name  string
		lines []string
		want  string
		ok    bool
	}{
		{"none", nil, "[]", true},
		{"one", []string{"content-type"}, "[content-type]", true},
		{"several, as browsers send them", []string{"a,b,c"}, "[a b c]", true},
		{"spaces and tabs", []string{" a ,\tb"}, "[a b]", true},
		{"empty items", []string{",,a,,", ""}, "[a]", true},
		{"upper case", []string{"X-A"}, "[x-a]", true},
		{"repetitions, as Firefox sends them", []string{"x-a,x-a"}, "[x-a x-a]", true},
		{"several lines", []string{"b", "a"}, "[b a]", true},
		{"a name that is no token", []string{"a,b c"}, "", false},
		{"a quoted name", []string{`"a"`}, "", false},
		{"a line feed", []string{"a\nb"}, "", false},
		{"64 names", []string{names(64)}, "", true},
		{"65 names", []string{names(65)}, "", false},
		{"16 lines", strings.Split(names(16), ","), "", true},
		{"17 lines", strings.Split(names(17), ","), "", false},
		{"8 KiB", []string{strings.Repeat("a", 8192)}, "", true},
		{"more than 8 KiB", []string{strings.Repeat("a", 8192), "b"}, "", false},
		{"1 MiB of commas", []string{strings.Repeat(",", 1<<20)}, "", false},
	}
	for _, test := range tests {
		got, ok := fetch.AppendRequested(nil, test.lines)
		if ok != test.ok || test.want != "" && fmt.Sprint(got) != test.want {
			t.Errorf("%s: %v %v", test.name, got, ok)
		}
	}
}
