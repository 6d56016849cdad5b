package probe

import (
	"cmp"
	"maps"
	"net"
	"net/url"

	"github.com/corsrpc/corsrpc-go/internal/curl"
)

// curlOf returns a command that sends the request of an exchange to the server. It omits the fields that a
// browser adds and on which no server's CORS decision depends. The certificate of the server is verified as the
// probe does.
func curlOf(s Server, e Exchange) string {
	header := maps.Clone(e.Header)
	for _, name := range []string{"Accept", "Accept-Encoding", "Referer", "User-Agent"} {
		delete(header, name)
	}
	var options []string
	if s.URL.Scheme == "h2c" {
		options = []string{"--http2-prior-knowledge"}
	}
	to := e.URL
	if s.rootsFile != "" {
		options = append(options, "--cacert", s.rootsFile)
	}
	if u, err := url.Parse(to); err == nil && s.ServerName != "" { // curl verifies the host of the URL
		port := cmp.Or(u.Port(), "443")
		options = append(options, "--connect-to", net.JoinHostPort(s.ServerName, port)+":"+net.JoinHostPort(u.Hostname(), port))
		header.Set("Host", u.Host)
		u.Host = net.JoinHostPort(s.ServerName, port)
		to = u.String()
	}
	return curl.Command(e.Method, to, header, string(e.Sent), options...)
}
