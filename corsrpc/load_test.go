package corsrpc_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// load writes a policy file and loads it, and returns the error.
func load(t *testing.T, name, text string, opts ...corsrpc.Option) error {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := corsrpc.Load(file, opts...)
	return err
}
