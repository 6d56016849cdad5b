package export_test

import (
	"flag"
	"os"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/export"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

var update = flag.Bool("update", false, "write the golden files")

// TestEnvoyGolden compares the export of a rich policy with its golden file.
func TestEnvoyGolden(t *testing.T) {
	t.Parallel()
	x, err := export.Write(export.Envoy, richModel(t))
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/rich.envoy.yaml"
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

// richPolicy returns testdata/rich.yaml.
func richPolicy(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/rich.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// richModel returns the model of testdata/rich.yaml. Without own origins there are a name and an address.
func richModel(t *testing.T, own ...string) *export.Model {
	t.Helper()
	return richModelOf(t, richPolicy(t), own...)
}

// richModelOf returns the model of a policy with the name rich.yaml.
func richModelOf(t *testing.T, text string, own ...string) *export.Model {
	t.Helper()
	if own == nil {
		own = []string{"https://api.example.com", "http://[::1]:8080"}
	}
	doc, err := corsrpc.ParsePolicy("rich.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	files, err := vectors.Schema("")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithFiles(files), corsrpc.WithDocument(doc), corsrpc.WithPathPrefix("/api"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := export.New(planaccess.Rules(plan), export.Options{OwnOrigins: own})
	if err != nil {
		t.Fatal(err)
	}
	return m
}
