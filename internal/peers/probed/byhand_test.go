package probed

import (
	"net/http"
	"strings"
)

// The names of the header fields that servers by hand write.
const (
	allowOrigin      = "Access-Control-Allow-Origin"
	allowCredentials = "Access-Control-Allow-Credentials"
	allowMethods     = "Access-Control-Allow-Methods"
	allowHeaders     = "Access-Control-Allow-Headers"
	exposeHeaders    = "Access-Control-Expose-Headers"
	maxAge           = "Access-Control-Max-Age"
)

// byHand is a CORS layer as people write it with net/http. The zero value is sound: it allows one
// origin, with credentials. Each field is a knob for a fault.
type byHand struct {
	// allows decides about an origin. Nil: the intended one is allowed.
	allows func(origin string) bool
	// change changes the header of an answer to an origin that is allowed, before it is sent.
	change func(h http.Header, r *http.Request)
	// changeAll changes the header of every answer, before it is sent.
	changeAll func(h http.Header, r *http.Request)
	// status is that of a preflight; 0: 204.
	status int
	// fix changes the header of every answer, after all other changes.
	fix func(h http.Header)
	// runs has the calls of refused origins executed.
	runs bool
}

// requestHeaders are the names of the request headers that RPC clients send.
var requestHeaders = strings.Join([]string{
	"authorization", "connect-accept-encoding", "connect-content-encoding", "connect-protocol-version", "connect-timeout-ms", "content-type",
	"grpc-accept-encoding", "grpc-encoding", "grpc-timeout", "user-agent", "x-grpc-web", "x-user-agent",
}, ", ")

// statusHeaders are the names of gRPC-Web's response headers.
const statusHeaders = "grpc-status, grpc-message, grpc-status-details-bin"

// wrap puts the layer before a handler.
func (b byHand) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		preflight := r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
		allowed := origin == intended
		if b.allows != nil {
			allowed = origin != "" && b.allows(origin)
		}
		h := w.Header()
		h.Set("Vary", "Origin")
		if allowed {
			h.Set(allowOrigin, origin)
			h.Set(allowCredentials, "true")
			if preflight {
				h.Set(allowMethods, "GET, POST")
				h.Set(allowHeaders, requestHeaders)
				h.Set(maxAge, "7200")
			} else {
				h.Set(exposeHeaders, statusHeaders)
			}
			if b.change != nil {
				b.change(h, r)
			}
		}
		if b.changeAll != nil {
			b.changeAll(h, r)
		}
		if b.fix != nil {
			b.fix(h)
		}
		switch {
		case preflight && b.status != 0:
			w.WriteHeader(b.status)
		case preflight:
			w.WriteHeader(http.StatusNoContent)
		case origin != "" && !allowed && !b.runs:
			w.WriteHeader(http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// set returns a change that sets a field, if it is there.
func set(name, value string) func(http.Header, *http.Request) {
	return func(h http.Header, _ *http.Request) {
		if h.Get(name) != "" {
			h.Set(name, value)
		}
	}
}

// remove returns a change that removes a field.
func remove(name string) func(http.Header, *http.Request) {
	return func(h http.Header, _ *http.Request) { h.Del(name) }
}
