package export_test

import (
	"os"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/export"
)

// TestGatewayAPIGolden compares the export of a rich policy with its golden file.
func TestGatewayAPIGolden(t *testing.T) {
	t.Parallel()
	x, err := export.Write(export.GatewayAPI, richModel(t, "https://api.example.com", "http://localhost:8080"))
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/rich.gateway-api.yaml"
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
