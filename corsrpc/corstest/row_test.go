package corstest

import "testing"

// TestRowWithoutSource: the row is found in the working directory if the name of the file has no folder of this machine, as with
// -trimpath; without the file, it is the line of the call.
func TestRowWithoutSource(t *testing.T) {
	t.Parallel()
	cases := []Case{{Name: "a row for the test of rows"}} // line 9
	for file, want := range map[string]string{
		"github.com/corsrpc/corsrpc-go/corsrpc/corstest/row_test.go": "row_test.go:9",
		"elsewhere/unknown_test.go":                                  "unknown_test.go:77",
	} {
		if got := (site{file, 77}).row(cases, 0); got != want {
			t.Errorf("%s: %s, want %s", file, got, want)
		}
	}
}
