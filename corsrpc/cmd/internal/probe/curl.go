package probe

import (
	"maps"

	"github.com/corsrpc/corsrpc-go/internal/curl"
)

// curlOf returns a command that sends the request of an exchange to the server. It omits the fields that a
// browser adds and on which no server's CORS decision depends.
func curlOf(s Server, e Exchange) string {
	header := maps.Clone(e.Header)
	for _, name := range []string{"Accept", "Accept-Encoding", "Referer", "User-Agent"} {
		delete(header, name)
	}
	var options []string
	if s.URL.Scheme == "h2c" {
		options = []string{"--http2-prior-knowledge"}
	}
	return curl.Command(e.Method, e.URL, header, options...)
}
