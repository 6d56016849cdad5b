package fetch_test

import (
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

func TestExtractHeaderListValues(t *testing.T) {
	t.Parallel()
	tests := []struct {
		lines []string
		want  string
		ok    bool
	}{
		{nil, "", true}, {[]string{""}, "", true}, {[]string{"a"}, "a", true}, {[]string{" a ,\tb"}, "a b", true}, {[]string{",a,,b,"}, "a b", true},
		{[]string{"a", "b"}, "a b", true}, {[]string{"*"}, "*", true}, {[]string{"a b"}, "", false}, {[]string{"a", "b c"}, "", false}, {[]string{`"a"`}, "", false}, {[]string{"a;b"}, "", false},
	}
	for _, test := range tests {
		got, ok := fetch.ExtractHeaderListValues(test.lines)
		if strings.Join(got, " ") != test.want || ok != test.ok {
			t.Errorf("%q: %q %v", test.lines, got, ok)
		}
	}
	if got, _ := fetch.ExtractHeaderListValues(nil); got != nil {
		t.Errorf("absent: %q", got)
	}
	if got, _ := fetch.ExtractHeaderListValues([]string{""}); got == nil {
		t.Error("the result for an empty line is that for no lines")
	}
}
