package corsinspect

import (
	"net/http"

	"github.com/corsrpc/corsrpc-go/internal/pageguard"
)

// refusal returns the status and the text for a request that the inspector refuses, and
// status 0 for every other request.
func (i *Inspector) refusal(r *http.Request) (status int, text string) {
	switch {
	case !pageguard.AnswersUnder(i.hosts, r.Host):
		return http.StatusForbidden, "corsinspect: unknown host: as a protection against DNS rebinding, the inspector answers only under localhost, IP addresses and the names given to corsinspect.WithHosts"
	case !pageguard.FromItself(r):
		return http.StatusForbidden, "corsinspect: the inspector refuses requests from pages of other origins: open it from the address bar"
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return http.StatusMethodNotAllowed, "corsinspect: the inspector is read-only: use GET or HEAD"
	}
	return 0, ""
}
