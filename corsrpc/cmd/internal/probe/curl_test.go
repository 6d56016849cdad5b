package probe

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
)

// TestCurlOf: the command sends what the probe has sent, to the same server, and verifies its certificate in
// the same way.
func TestCurlOf(t *testing.T) {
	t.Parallel()
	at := func(scheme, host string) Server { return Server{URL: &url.URL{Scheme: scheme, Host: host}} }
	named := at("https", "10.0.0.1")
	named.ServerName, named.rootsFile = "api.example.com", "my ca.pem"
	v6 := at("https", "[::1]:8443")
	v6.ServerName = "api.example.com"
	sent := func(method, to, contentType, body string) Exchange {
		e := Exchange{Exchange: corsbrowser.Exchange{Method: method, URL: to, Header: http.Header{"Accept": {"*/*"}, "Origin": {"https://a.example"}}}, Sent: []byte(body)}
		if contentType != "" {
			e.Header.Set("Content-Type", contentType)
		}
		return e
	}
	for _, c := range []struct {
		server   Server
		exchange Exchange
		want     string
	}{
		{at("h2c", "a.example"), sent("GET", "http://a.example/x", "", ""), "curl -i -g --path-as-is --http2-prior-knowledge -X GET http://a.example/x -H 'Origin: https://a.example'"},
		{at("http", "a.example"), sent("POST", "http://a.example/x", "application/grpc-web+proto", "\x00\x00\x00\x00\x00"), `printf '\000\000\000\000\000' | curl -i -g --path-as-is -X POST http://a.example/x -H 'Content-Type: application/grpc-web+proto' -H 'Origin: https://a.example' --data-binary @-`},
		{at("http", "a.example"), sent("POST", "http://a.example/x", "text/plain", "{}"), `curl -i -g --path-as-is -X POST http://a.example/x -H 'Content-Type: text/plain' -H 'Origin: https://a.example' --data '{}'`},
		{named, sent("GET", "https://10.0.0.1/x?y", "", ""), `curl -i -g --path-as-is --cacert 'my ca.pem' --connect-to api.example.com:443:10.0.0.1:443 -X GET 'https://api.example.com:443/x?y' -H 'Host: 10.0.0.1' -H 'Origin: https://a.example'`},
		{v6, sent("GET", "https://[::1]:8443/x", "", ""), `curl -i -g --path-as-is --connect-to 'api.example.com:8443:[::1]:8443' -X GET https://api.example.com:8443/x -H 'Host: [::1]:8443' -H 'Origin: https://a.example'`},
	} {
		if got := curlOf(c.server, c.exchange); got != c.want {
			t.Errorf("got %s\nwant %s", got, c.want)
		}
	}
}
