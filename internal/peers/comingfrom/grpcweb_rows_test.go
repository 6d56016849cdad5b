package comingfrom

import (
	"net/http"
	"testing"

	"github.com/improbable-eng/grpc-web/go/grpcweb"
)

// grpcWebKinds are calls of gRPC-Web, which is all that the wrapper grants.
var grpcWebKinds = []kind{
	{name: "call", method: http.MethodPost, path: procedure, header: grpcWeb()},
	{name: "call with Authorization", method: http.MethodPost, path: procedure, header: grpcWeb("Authorization", "Bearer x")},
	{name: "call with X-Tenant-Id", method: http.MethodPost, path: procedure, header: grpcWeb("X-Tenant-Id", "7")},
	{name: "call with cookies", method: http.MethodPost, path: procedure, header: grpcWeb(), credentials: true},
}

// grpcWeb returns the header of a call by gRPC-Web, with another field.
func grpcWeb(more ...string) http.Header {
	h := connect(more...)
	h.Set("Content-Type", "application/grpc-web+proto")
	h.Del("Connect-Protocol-Version")
	h.Set("X-Grpc-Web", "1")
	return h
}

func wrapped(options ...grpcweb.Option) func(*testing.T) http.Handler {
	return func(*testing.T) http.Handler {
		all := append([]grpcweb.Option{
			grpcweb.WithOriginFunc(func(origin string) bool { return origin == app[0] }),
			grpcweb.WithEndpointsFunc(func() []string { return []string{procedure} }),
		}, options...)
		return grpcweb.WrapHandler(http.HandlerFunc(application), all...)
	}
}

// everything are the lines of a policy that grants what the wrapper grants by default.
const everything = "allow_credentials: true\nallow_headers: [\"*\", authorization]\nexpose: PRESENT\nmax_age: 600s"

var grpcWebTable = table{"improbable-eng/grpc-web", grpcWebKinds, common, usualMethods, []row{
	{option: `WrapServer(server, WithOriginFunc(func(origin string) bool { return origin == "https://app.example.com" }))`, becomes: "allow_origins: [https://app.example.com]\n" + everything, server: wrapped()},
	{option: `WithOriginFunc(func(origin string) bool { return strings.HasSuffix(origin, ".example.com") })`, becomes: "allow_origins: [\"https://*.example.com\"]\n" + everything, differs: []string{"stricter: all calls of http://app.example.com"}, note: overHTTPNote, server: wrapped(grpcweb.WithOriginFunc(endsInDomain))},
	{option: `WithOriginFunc(func(string) bool { return true })`, becomes: "allow_origins: [\"*\"]\nallow_headers: [\"*\", authorization]\nexpose: PRESENT\nmax_age: 600s", differs: []string{"stricter: call with cookies of every page"}, note: "Everyone and credentials together are an error in a policy: list the origins that need cookies.", server: wrapped(grpcweb.WithOriginFunc(func(string) bool { return true }))},
	{option: `WithAllowedRequestHeaders([]string{"Content-Type", "X-Grpc-Web", "Authorization"})`, becomes: "allow_credentials: true\nallow_headers: [authorization]\nexpose: PRESENT\nmax_age: 600s", server: wrapped(grpcweb.WithAllowedRequestHeaders([]string{"Content-Type", "X-Grpc-Web", "Authorization"}))},
	{option: `WithCorsForRegisteredEndpointsOnly(false)`, becomes: everything, note: "`defaults` cover procedures that the schema does not have.", server: wrapped(grpcweb.WithCorsForRegisteredEndpointsOnly(false))},
	{option: `WithAllowNonRootResource(true)`, becomes: everything, note: "In Go: `WithPathPrefix` for each prefix.", server: wrapped(grpcweb.WithAllowNonRootResource(true))},
	{option: `WithWebsockets(true)`, becomes: everything, note: "The transport over WebSockets has no equivalent. Pages make unary calls and server streams by gRPC-Web.", server: wrapped(grpcweb.WithWebsockets(true))},
}}
