package policydiff

import (
	"fmt"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
)

// rulesFor returns a policy with n rules, each of which grants a header of its own if header is true.
func rulesFor(n int, header bool) string {
	var b strings.Builder
	b.WriteString("defaults: {allow_origins: [" + app + "]}\nrules:\n")
	for i := range n {
		name := "x-a"
		if header {
			name = fmt.Sprintf("x-%d", i)
		}
		fmt.Fprintf(&b, "  - {selector: acme.p%d.v1.*, allow_headers: [%s], accept_risks: [UNKNOWN_SELECTORS]}\n", i, name)
	}
	return b.String()
}

// TestLargeComparison checks that each of many differences has its own sentence and witness.
func TestLargeComparison(t *testing.T) {
	t.Parallel()
	const n = 200
	var settings input.Settings
	sides := make([]*Side, 2)
	for i := range sides {
		text := rulesFor(n, i == 1)
		policy, err := settings.Compile("cors.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		sides[i] = NewSide(policy, settings, []byte(text))
	}
	r := Compare(sides[0], sides[1])
	sentences := map[string]bool{}
	for _, d := range r.Differences {
		sentences[d.Sentence] = true
	}
	if gained := len(r.part(true)); gained != n || len(sentences) != 2*n || len(r.Bugs()) > 0 {
		t.Errorf("%d differences are gained, with %d sentences and %d bugs", gained, len(sentences), len(r.Bugs()))
	}
}
