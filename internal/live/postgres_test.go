package live

import (
	"testing"

	"github.com/corsrpc/corsrpc-go/examples/tenants/domains"
	"github.com/corsrpc/corsrpc-go/internal/postgres"
)

// openTable opens the example's table on a server.
func openTable(t *testing.T, p *postgres.Server) *domains.Table {
	t.Helper()
	table, err := domains.OpenPostgres(t.Context(), p.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := table.Close(); err != nil {
			t.Error(err)
		}
	})
	return table
}
