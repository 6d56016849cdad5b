package corsrpc

import (
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/clockcache"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// matches reports whether a response to a call that g grants has exactly the field names that e was
// computed for, each with a value, and the same result of listsStatusOf.
func (e *exposure) matches(header http.Header, g *grant) bool {
	if len(header) != len(e.names) {
		return false
	}
	for i, name := range e.names {
		values := header[name]
		if len(values) == 0 || i == e.contentType && g.listsStatusOf(values) != e.grpcWeb {
			return false
		}
	}
	return true
}

// rememberExposure caches the Access-Control-Expose-Headers value of a response. It caches nothing
// if the response has too many or too long field names, if the value is too long, or if the value
// depends on more than the field names and the result of listsStatusOf, which is grpcWeb.
func (t *target) rememberExposure(header http.Header, grpcWeb bool, value string) {
	if len(header) > maxCachedNames || len(value) > maxCachedBytes {
		return
	}
	names, size := make([]string, 0, len(header)), 0
	for name, values := range header {
		if len(values) == 0 || name == "Connection" || fetch.IsAccessControl(name) {
			return
		}
		names, size = append(names, name), size+len(name)
	}
	if size <= maxCachedBytes {
		t.exposures.Add(exposure{names, slices.Index(names, "Content-Type"), grpcWeb, value})
	}
}

// exposed returns the value of Access-Control-Expose-Headers for a response, and removes the
// fields that the handler wrote and the layer replaces. replaced reports whether there were
// Access-Control fields among them.
func (t *target) exposed(header http.Header) (value string, replaced bool) {
	for i := range clockcache.Size {
		known := t.exposures.At(i)
		if known == nil {
			break
		}
		if known.Value.matches(header, t.grant) {
			known.Use()
			return known.Value.value, false // cached headers have no fields that have to be removed
		}
	}
	grpcWeb := t.grant.listsStatusOf(header["Content-Type"])
	replaced = dropAccessControl(header)
	if t.grant.timing {
		dropTiming(header, false)
	}
	if value = t.grant.exposeHeaders; t.grant.exposed.DependOnResponse() {
		value = t.grant.exposedNames(header, grpcWeb)
	}
	t.rememberExposure(header, grpcWeb, value)
	return value, replaced
}

// listsStatusOf reports whether EXPOSURE_PRESENT exposes the gRPC status headers also if the response
// does not carry them: the rule serves gRPC-Web, and the response has a content type of gRPC-Web.
// Clients that use XMLHttpRequest ask for each of them on every call, and browsers print an error
// for a header that is not exposed (https://xhr.spec.whatwg.org/#the-getresponseheader()-method).
func (g *grant) listsStatusOf(contentType []string) bool {
	return g.present && g.protocols&rpc.GRPCWeb != 0 && len(contentType) == 1 && rpc.IsGRPCWeb(contentType[0])
}

// exposedNames returns the names of the response fields that the script may read, as one
// comma-separated value, sorted. If grpcWeb is true, it has the gRPC status headers too. Every item
// is a valid token: browsers ignore the whole list if one item is not.
//
// See https://fetch.spec.whatwg.org/#http-access-control-expose-headers.
func (g *grant) exposedNames(header http.Header, grpcWeb bool) string {
	var buffer [16]string
	names := buffer[:0]
	for key, values := range header {
		if len(values) == 0 || !fetch.IsToken(key) {
			continue // net/http sends no such field, or sends it as an HTTP trailer (http.TrailerPrefix)
		}
		if name := fetch.Lower(key); g.exposed.ExposesPresent(name, header) {
			names = append(names, name)
		}
	}
	if grpcWeb {
		names = append(names, rpc.Names(rpc.GRPCWeb, rpc.Response)...)
	}
	return joinNames(names, g.exposed.Names())
}

// joinNames returns the names of both lists as one comma-separated value, sorted and without
// duplicates. more must be sorted and have no duplicates.
func joinNames(names, more []string) string {
	if len(names) == 0 {
		return strings.Join(more, ", ")
	}
	names = append(names, more...)
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}
