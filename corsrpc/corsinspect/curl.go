package corsinspect

import (
	"maps"
	"net/http"

	"github.com/corsrpc/corsrpc-go/internal/curl"
)

// curlOf returns a command that sends the request of an exchange to the URL of the call. It omits header
// fields that browsers add and that no decision depends on. The body of a POST is {}.
func curlOf(e Exchange, call *http.Request) string {
	header := maps.Clone(e.Request.Header)
	for _, name := range []string{"Accept", "Accept-Encoding", "Referer", "User-Agent"} {
		if e.Preflight || len(call.Header[name]) == 0 {
			delete(header, name)
		}
	}
	return curl.Command(e.Request.Method, call.URL.String(), header, "{}")
}
