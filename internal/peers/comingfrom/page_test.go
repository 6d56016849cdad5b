package comingfrom

import (
	"flag"
	"os"
	"strings"
	"testing"
)

// page is the page that has the tables.
const page = "../../../corsrpc/docs/coming-from-options.md"

// command writes the tables anew.
const command = "cd internal/peers && go test -run 'TestTables|TestBehaviour' -update ./comingfrom"

var update = flag.Bool("update", false, "write the tables of the pages anew")

// tables are in the order of the page.
var tables = []table{rsTable, connectTable, chiTable, gorillaTable, ginTable, grpcWebTable, expressTable, flaskTable, phpTable, apacheTable, nginxTable}

// TestTables: each option of another implementation and the lines of the policy that it becomes give the same to every
// page, apart from the differences that the row names. The page has the tables.
func TestTables(t *testing.T) {
	var b strings.Builder
	for _, tb := range tables {
		t.Run(tb.name, func(t *testing.T) { b.WriteString("\n## " + tb.name + "\n\n" + tb.check(t)) })
	}
	if !t.Failed() {
		compare(t, page, b.String())
	}
}

// compare compares the part of a page between two comments with a text, or writes it with -update.
func compare(t *testing.T, page, text string) {
	t.Helper()
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- this part is written by "+command+" -->\n", "\n<!-- end of the tables -->"
	before, rest, ok := strings.Cut(string(content), begin)
	got, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s does not have the comments %q and %q", page, begin, end)
	}
	if got == text {
		return
	}
	if !*update {
		t.Errorf("%s does not have the tables of this run: %s\n%s", page, command, text)
		return
	}
	if err := os.WriteFile(page, []byte(before+begin+text+end+after), 0o666); err != nil {
		t.Fatal(err)
	}
}
