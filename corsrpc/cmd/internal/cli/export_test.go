package cli

import (
	"io"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/policydiff"
)

// DiffExit returns the exit code of diff for a result, and writes what it says on standard error.
func DiffExit(fail string, w io.Writer, result *policydiff.Result) int {
	return (&diffFlags{failOn: failOn(fail)}).exit(w, result)
}
