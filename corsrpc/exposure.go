package corsrpc

import (
	"net/http"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// Bounds on what is kept of an answer, or of a preflight.
const (
	maxCachedBytes = 1 << 10
	maxCachedNames = 32
)

// exposure is what is exposed of answers that carry just these names.
type exposure struct {
	names []string // as the header spells them
	value string   // of Access-Control-Expose-Headers
}

// isOf reports whether a header has just the names.
func (e *exposure) isOf(header http.Header) bool {
	if len(header) != len(e.names) {
		return false
	}
	for _, name := range e.names {
		if len(header[name]) == 0 {
			return false
		}
	}
	return true
}

// rememberExposure keeps what was worked out for a header, unless that depends on
// more than its names, or is long.
func (t *target) rememberExposure(header http.Header, value string) {
	if len(header) > maxCachedNames || len(value) > maxCachedBytes {
		return
	}
	names, size := make([]string, 0, len(header)), 0
	for name, values := range header {
		if len(values) == 0 || name == "Connection" || fetch.IsAccessControl(name) {
			return
		}
		names, size = append(names, name), size+len(name)
	}
	if size <= maxCachedBytes {
		t.answers.Add(exposure{names, value})
	}
}
