package proxy

import "strings"

// symptoms are parts of the errors of upstreams that have never answered, with what to write instead, by the scheme
// of the URL. The first one that fits counts.
var symptoms = []struct {
	text   string
	remedy map[string]string
}{
	{"first record does not look like a TLS handshake", map[string]string{
		"grpcs": "the server does not speak TLS: write grpc:// instead of grpcs://",
		"https": "the server does not speak TLS: write http:// instead of https://, or h2c:// for HTTP/2",
	}},
	{"looked like an HTTP/1.1 header", map[string]string{"grpc": needsHTTP1, "h2c": needsHTTP1}},
	{"no application protocol", map[string]string{"grpcs": "the server speaks TLS without HTTP/2: write https:// instead of grpcs://, or the address of the server that speaks gRPC"}},
	{"certificate signed by unknown authority", map[string]string{"grpcs": needsAuthority, "https": needsAuthority}},
	{"certificate is valid for", map[string]string{"grpcs": needsName, "https": needsName}},
	{"cannot validate certificate for", map[string]string{"grpcs": needsName, "https": needsName}},
	{"EOF", ended}, {"connection reset", ended}, {"broken pipe", ended}, {"could not be established", ended}, {"malformed HTTP", ended},
}

// ended is for connections that the server ends without an answer. Which error that leads to is a matter of chance.
var ended = map[string]string{
	"grpc":  "if the server speaks TLS, write grpcs:// instead of grpc://; if it speaks HTTP/1.1, write http://",
	"h2c":   "if the server speaks TLS, write https:// instead of h2c://; if it speaks HTTP/1.1, write http://",
	"http":  "if the server speaks HTTP/2, write grpc:// or h2c:// instead of http://; if it speaks TLS, write https://",
	"grpcs": "if the server does not speak TLS, write grpc:// instead of grpcs://",
	"https": "if the server does not speak TLS, write http:// instead of https://, or h2c:// for HTTP/2",
}

const (
	needsHTTP1     = "the server speaks HTTP/1.1: write http://, or the address of the server that speaks HTTP/2"
	needsAuthority = "name the authority of the server's certificate: ca in tls of the upstream, or --upstream-ca"
	needsName      = "give the name that the server's certificate is for: server_name in tls of the upstream, or --upstream-server-name"
)

// remedy says what to write instead of the URL of an upstream that has not answered yet; empty if nothing is known.
func (u *Upstream) remedy(err error) string {
	if u.answered.Load() {
		return "" // the URL is right
	}
	for _, s := range symptoms {
		if remedy := s.remedy[u.scheme]; remedy != "" && strings.Contains(err.Error(), s.text) {
			return remedy
		}
	}
	return ""
}
