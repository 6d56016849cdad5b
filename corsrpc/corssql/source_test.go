package corssql_test

import (
	"database/sql"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corssql"
)

// TestSourceOfNothing: New and WithNotify panic for a missing argument.
func TestSourceOfNothing(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(){
		"no database": func() { corssql.New(nil, "SELECT origin FROM domains") },
		"no query":    func() { corssql.New(new(sql.DB), "") },
		"no function": func() { corssql.New(new(sql.DB), "SELECT origin FROM domains").WithNotify(nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			make()
		}()
	}
}
