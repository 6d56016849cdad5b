package corsinspect

import (
	"net/http"

	"github.com/corsrpc/corsrpc-go/internal/privatepage"
)

// refusal returns the status and the text for a request that the inspector refuses, and an empty text for
// every other request.
func (i *Inspector) refusal(r *http.Request) (status int, text string) {
	why, status := privatepage.Refused(r, i.hosts)
	switch why {
	case privatepage.UnknownHost:
		return status, "corsinspect: unknown host: as a protection against DNS rebinding, the inspector answers only under localhost, IP addresses and the names given to corsinspect.WithHosts"
	case privatepage.OtherOrigin:
		return status, "corsinspect: the inspector refuses requests from pages of other origins: open it from the address bar"
	case privatepage.NotReadOnly:
		return status, "corsinspect: the inspector is read-only: use GET or HEAD"
	}
	return status, ""
}
