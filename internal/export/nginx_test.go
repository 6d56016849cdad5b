package export_test

import (
	"os"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/export"
)

// TestNginxGolden compares the export of a rich policy with its golden file.
func TestNginxGolden(t *testing.T) {
	t.Parallel()
	x, err := export.Write(export.Nginx, richModel(t))
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/rich.nginx.conf"
	if *update {
		if err := os.WriteFile(golden, []byte(x.Text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if x.Text != string(want) {
		t.Errorf("the text is not that of %s: go test -update writes it. It is\n%s", golden, x.Text)
	}
}
