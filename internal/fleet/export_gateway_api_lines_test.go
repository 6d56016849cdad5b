package fleet_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/export"
	"github.com/corsrpc/corsrpc-go/internal/fleet/gatewayapi"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// richExport returns the export of the rich policy of package export.
func richExport(t *testing.T, target export.Target) string {
	t.Helper()
	const name = "../export/testdata/rich.yaml"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	files, err := vectors.Schema("")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := planaccess.CompileText(name, text, corsrpc.WithFiles(files))
	if err != nil {
		t.Fatal(err)
	}
	m, err := export.New(planaccess.Rules(plan), export.Options{OwnOrigins: []string{ownOrigin, "http://localhost:8080"}})
	if err != nil {
		t.Fatal(err)
	}
	x, err := export.Write(target, m)
	if err != nil {
		t.Fatal(err)
	}
	return x.Text
}

// TestExportGatewayAPILines checks that the model of a Gateway notices each line of an export that is missing: it refuses the manifests,
// or answers differently.
func TestExportGatewayAPILines(t *testing.T) {
	t.Parallel()
	text := richExport(t, export.GatewayAPI)
	whole, err := gatewayAnswers(text)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(text, "\n")
	refused, different := 0, 0
	for i, line := range lines {
		if trimmed := strings.TrimSpace(line); trimmed == "" || trimmed[0] == '#' {
			continue
		}
		answers, err := gatewayAnswers(strings.Join(lines[:i], "") + strings.Join(lines[i+1:], ""))
		switch {
		case err != nil:
			refused++
		case answers != whole:
			different++
		default:
			t.Errorf("nothing changes without line %d: %s", i+1, line)
		}
	}
	t.Logf("%d lines are needed to read the text, and %d change an answer", refused, different)
}

// gatewayAnswers returns the answers of a Gateway to a fixed set of requests.
func gatewayAnswers(text string) (string, error) {
	s := &server{header: http.Header{"Vary": {"Accept"}}}
	for _, name := range []string{
		"Access-Control-Allow-Credentials", "Access-Control-Allow-Headers", "Access-Control-Allow-Methods", "Access-Control-Allow-Origin", "Access-Control-Allow-Private-Network",
		"Access-Control-Expose-Headers", "Access-Control-Max-Age", "Timing-Allow-Origin",
	} {
		s.header[name] = []string{"of the server"}
	}
	var b strings.Builder
	for seed := range uint64(2) { // with other choices
		g, err := gatewayapi.New(text, s, rand.New(rand.NewPCG(seed, 1)))
		if err != nil {
			return "", err
		}
		writeAnswers(&b, g)
	}
	return b.String(), nil
}

// writeAnswers writes the answers of one Gateway.
func writeAnswers(b *strings.Builder, g *gatewayapi.Gateway) {
	for _, path := range []string{
		"/Greeter/Hello", "/acme.account.v1.AccountService/Close", "/acme.account.v1.AccountService/Get", "/acme.account.v1.AccountService/Update", "/acme.catalog.v1.CatalogService/Get",
		"/acme.catalog.v1.CatalogService/List", "/acme.catalog.v1.CatalogService/Watch", "/acme.catalog.v1.StockService/Get", "/healthz", "/none",
	} {
		for _, method := range []string{"OPTIONS", "GET", "POST"} {
			for _, host := range []string{"api.example.com", "localhost:8080"} {
				for _, page := range []string{"https://app.example.com", "https://a.preview.example.com", "https://anybody.example"} {
					r := httptest.NewRequest(method, path, nil)
					r.Host = host
					r.Header.Set("Origin", page)
					if method == http.MethodOptions {
						r.Header.Set("Access-Control-Request-Method", "GET")
					}
					w := httptest.NewRecorder()
					g.ServeHTTP(w, r)
					fmt.Fprintln(b, method, path, host, page, w.Code, w.Header(), w.Body)
				}
			}
		}
	}
}
