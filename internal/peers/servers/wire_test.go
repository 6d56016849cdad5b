package servers

import (
	"net/http"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
)

func wire(t *testing.T, starts []running, gateway http.RoundTripper) sidebyside.Table {
	t.Helper()
	return sidebyside.Table{Header: []string{"Request"}}
}
