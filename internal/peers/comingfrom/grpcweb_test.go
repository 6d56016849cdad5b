package comingfrom

import (
	"net/http"
	"time"

	"github.com/improbable-eng/grpc-web/go/grpcweb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
)

const (
	webSockets  = "Nothing: no other client has gRPC-Web over WebSocket. See [the gateway](gateway.md#coming-from-grpcwebproxy)"
	webUnary    = "Nothing: the schema and the routes of the server say which procedures there are"
	credentials = "allow_credentials: true"
)

var web = library{
	name: "improbable-eng/grpc-web",
	base: []string{
		"allow_origins: [https://app.example.com]", credentials, `allow_headers: ["*", authorization]`, "expose: PRESENT", "max_age: 600s",
	},
	every: []sidebyside.Named{sidebyside.RefusedBeforeHandler, sidebyside.StatusHeaders, withoutMark, otherProtocols, sidebyside.ExposeStar, sidebyside.HeaderStar},
	rows: []row{
		{option: "WithOriginFunc", wrap: webOriginFunc, policy: []string{"allow_origins: [https://app.example.com]", credentials, "expose: PRESENT", "max_age: 600s"}, note: "The wrapper always allows credentials, exposes all headers and sends a time of 600 seconds"},
		{words: "no `WithOriginFunc`", wrap: webNone, policy: []string{"disabled: true", "allow_origins: none", "allow_credentials: none", "allow_headers: none", "expose: none", "max_age: none"}},
		{words: "no `WithAllowedRequestHeaders`", wrap: webOriginFunc, policy: []string{`allow_headers: ["*", authorization]`}},
		{option: "WithAllowedRequestHeaders", wrap: webHeaders, policy: []string{"allow_headers: [authorization]"}},
		{option: "WithCorsForRegisteredEndpointsOnly", wrap: webAllEndpoints, note: webUnary, names: []sidebyside.Named{sidebyside.OperationalServices}},
		{option: "WithEndpointsFunc", wrap: webOriginFunc, note: webUnary},
		{
			option: "WithAllowNonRootResource", wrap: webPrefix, prefix: "/api", layer: []corsrpc.Option{corsrpc.WithPathPrefix("/api")},
			layerText: `corsrpc.WithPathPrefix("/api")`,
		},
		{option: "WithWebsockets", wrap: webWebsockets, note: webSockets},
		{option: "WithWebsocketPingInterval", wrap: webWebsockets, note: webSockets},
		{option: "WithWebsocketOriginFunc", wrap: webWebsockets, note: webSockets},
		{option: "WithWebsocketsMessageReadLimit", wrap: webWebsockets, note: webSockets},
	},
}

// endpoints are the procedures of the schema.
func endpoints() []string { return []string{sidebyside.Me, sidebyside.Buy} }

func webOriginFunc(next http.Handler) http.Handler {
	return grpcweb.WrapHandler(next,
		grpcweb.WithOriginFunc(func(origin string) bool { return origin == "https://app.example.com" }),
		grpcweb.WithEndpointsFunc(endpoints),
	)
}

func webNone(next http.Handler) http.Handler {
	return grpcweb.WrapHandler(next, grpcweb.WithEndpointsFunc(endpoints))
}

func webHeaders(next http.Handler) http.Handler {
	return grpcweb.WrapHandler(next,
		grpcweb.WithOriginFunc(func(origin string) bool { return origin == "https://app.example.com" }),
		grpcweb.WithEndpointsFunc(endpoints),
		grpcweb.WithAllowedRequestHeaders([]string{"Content-Type", "X-Grpc-Web", "X-User-Agent", "Authorization"}),
	)
}

func webAllEndpoints(next http.Handler) http.Handler {
	return grpcweb.WrapHandler(next,
		grpcweb.WithOriginFunc(func(origin string) bool { return origin == "https://app.example.com" }),
		grpcweb.WithCorsForRegisteredEndpointsOnly(false),
	)
}

func webPrefix(next http.Handler) http.Handler {
	return grpcweb.WrapHandler(next,
		grpcweb.WithOriginFunc(func(origin string) bool { return origin == "https://app.example.com" }),
		grpcweb.WithEndpointsFunc(endpoints),
		grpcweb.WithAllowNonRootResource(true),
	)
}

func webWebsockets(next http.Handler) http.Handler {
	return grpcweb.WrapHandler(next,
		grpcweb.WithOriginFunc(func(origin string) bool { return origin == "https://app.example.com" }),
		grpcweb.WithEndpointsFunc(endpoints),
		grpcweb.WithWebsockets(true),
		grpcweb.WithWebsocketPingInterval(time.Minute),
		grpcweb.WithWebsocketOriginFunc(func(r *http.Request) bool { return r.Header.Get("Origin") == "https://app.example.com" }),
		grpcweb.WithWebsocketsMessageReadLimit(65536),
	)
}
