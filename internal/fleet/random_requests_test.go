//go:build fleet

package fleet_test

import (
	"io"
	"net/http"
	"strings"

	"pgregory.net/rapid"
)

// The parts of requests and of the server's responses.
var (
	oddOrigins = []string{
		"", "*", "https://app.example.com/", "HTTPS://APP.EXAMPLE.COM", "https://app.example.com,https://evil.example", "https://evil.example, https://app.example.com",
		"https://app.example.com:443", "https://app.example.com.", "https://app.example.com\x80", "https://app.example.com https://evil.example", "app.example.com", "file://", "null,null",
	}
	oddPaths = []string{
		"/files/../healthz", "/files/%2e%2e/healthz", "/files//a", "//files/a", "/files/a%2fb", "/files/..%2fhealthz", "/healthz/", "/health%7a", "/files/a%00", "/files/a%zz", "/files\\a", "/files/a;b=1",
		"/acme.catalog.v1.CatalogService/Lis%74", "/acme.catalog.v1.CatalogService%2FList", "/acme.catalog.v1.CatalogService/List/", "/x/../acme.catalog.v1.CatalogService/List",
		"/healthz?a=b#c", "/healthz#c", "/files/\xc3\xa9", "/files/a?b=%zz", "*", "files/a", "http://api.example.com/healthz", "https://evil.example/healthz", "",
	}
	contentTypes   = []string{"application/json", "application/proto", "application/connect+json", "application/grpc-web+proto", "application/grpc-web-text", "application/grpc", "application/grpc+proto", "text/plain", "multipart/form-data; boundary=a", "APPLICATION/JSON; charset=utf-8", "", "application/json, text/plain"}
	requestedNames = []string{"x-a", "x-b", "x-tenant-id", "authorization", "content-type", "connect-protocol-version", "x-grpc-web", "x-other", "traceparent", "X-A", "*", "x a", ""}
)

// drawRequest draws a request, which a browser may or may not send.
func drawRequest(t *rapid.T) rawRequest {
	r := rawRequest{method: pick(t, []string{"POST", "POST", "POST", "GET", "GET", "HEAD", "PUT", "DELETE", "PATCH"}, "method"), host: "api.example.com", path: pick(t, paths, "path")}
	add := func(name, value string) { r.fields = append(r.fields, [2]string{name, value}) }
	if chance(t, 3, "is a preflight") {
		r.method = http.MethodOptions
		add("Access-Control-Request-Method", pick(t, []string{"POST", "POST", "GET", "PUT", "DELETE", "post", "PATCH", "", "P OST"}, "requested method"))
		for range rapid.IntRange(0, 2).Draw(t, "number of requested lines") {
			add("Access-Control-Request-Headers", strings.Join(rapid.SliceOfN(rapid.SampledFrom(requestedNames), 0, 4).Draw(t, "requested"), pick(t, []string{",", ", ", " ,"}, "comma")))
		}
		if chance(t, 1, "asks for a private network") {
			add("Access-Control-Request-Private-Network", "true")
		}
	} else if chance(t, 8, "has a content type") {
		add(pick(t, []string{"Content-Type", "content-type", "CONTENT-TYPE"}, "name"), pick(t, contentTypes, "content type"))
	}
	if chance(t, 2, "has an odd path") {
		r.path = pick(t, oddPaths, "odd path")
	}
	if chance(t, 2, "has an odd host") {
		r.host = pick(t, []string{"API.Example.com", "api.example.com:443", "api.example.com:8443", "app.example.com", "evil.example", "api.example.com.", "[::1]:8080", ""}, "host")
	}
	if chance(t, 1, "has an odd method") {
		r.method = pick(t, []string{"OPTIONS", "TRACE", "PURGE", "post", "PROPFIND"}, "odd method")
	}
	if chance(t, 1, "is a handshake") {
		r.method = http.MethodGet
		add("Upgrade", "websocket")
		add("Connection", "Upgrade")
	}
	lines := pick(t, []int{0, 1, 1, 1, 1, 1, 1, 2}, "number of origins")
	for range lines {
		origin := pick(t, pages, "page")
		if lines == 1 && chance(t, 1, "has an odd origin") { // Envoy drops an empty line beside another
			origin = pick(t, oddOrigins, "odd origin")
		}
		add(pick(t, []string{"Origin", "Origin", "origin", "ORIGIN"}, "name"), origin)
	}
	for range pick(t, []int{0, 1, 1, 1, 2}, "number of sites") {
		add("Sec-Fetch-Site", pick(t, []string{"cross-site", "cross-site", "same-site", "same-origin", "none", "", "CROSS-SITE", "cross-site,none"}, "site"))
	}
	if chance(t, 6, "has a mode") {
		add("Sec-Fetch-Mode", pick(t, []string{"cors", "cors", "no-cors", "navigate", "websocket", ""}, "mode"))
	}
	for _, name := range some(t, []string{"Cookie", "X-A", "X_A", "X-Forwarded-Proto", "X-Forwarded-Host", "X-HTTP-Method-Override", "X-Original-Url", "X-Envoy-Original-Path", "X-Other", "Grpc-Timeout", "Connect-Protocol-Version"}, 3, "other fields") {
		add(name, pick(t, []string{"1", "http", "https", "/healthz", "GET"}, "value"))
	}
	if r.method == http.MethodPost {
		r.body = "body"
	}
	r.secure = chance(t, 4, "is over TLS")
	return r
}

// drawHandler draws the server's response.
func drawHandler(t *rapid.T) http.HandlerFunc {
	status := pick(t, []int{200, 200, 200, 204, 304, 400, 404, 500}, "status")
	hasBody := status != http.StatusNoContent && status != http.StatusNotModified
	header := http.Header{}
	if hasBody {
		header["Content-Type"] = []string{pick(t, []string{"application/json", "application/grpc-web+proto", "text/plain"}, "content type of the response")}
	}
	values := http.Header{
		"Access-Control-Allow-Origin": {"*", "https://evil.example", "https://app.example.com"}, "Access-Control-Allow-Credentials": {"true"},
		"Access-Control-Expose-Headers": {"*", "x-a"}, "access-control-allow-origin": {"https://evil.example"}, "Access-Control-New": {"1"},
		"Vary": {"Origin", "Accept", "*", "accept, origin"}, "Cache-Control": {"max-age=60", "public", "no-store"}, "Timing-Allow-Origin": {"*", "https://evil.example"},
		"Set-Cookie": {"a=1", "b=2; Secure"}, "X-A": {"1", "2"}, "X-Other": {"1"}, "Grpc-Status": {"0", "7"}, "Trailer-X-A": {"1"}, "ETag": {`"a"`},
		"Cross-Origin-Resource-Policy": {"same-origin"},
	}
	for _, name := range some(t, sortedNames(values), 5, "response fields") {
		header[name] = rapid.SliceOfN(rapid.SampledFrom(values[name]), 1, 2).Draw(t, "lines")
	}
	return func(w http.ResponseWriter, r *http.Request) {
		for name, lines := range header {
			w.Header()[name] = append([]string(nil), lines...)
		}
		w.WriteHeader(status)
		if hasBody && r.Method != http.MethodHead {
			_, _ = io.WriteString(w, "{}")
		}
	}
}
