package bench

import (
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/route"
)

// floor is a handler written by hand for one procedure and one list of origins. It gives the
// same responses as the layer to every request, but cannot be configured. Every string is a
// constant, only the origin is looked up, and the path is compared with a constant. It
// leaves requests that no row measures, such as a path in another spelling, to the packages of the layer.
// It does not share slices with the header map, since a handler could change them for later
// requests.
//
// TestFloorIsHonest and TestFloorIsHonestAtRandom compare its responses with the layer's.
type floor struct {
	origins     map[string]bool
	wildcards   map[string]bool // the hosts whose subdomains are allowed
	credentials bool
	allow       string   // Access-Control-Allow-Headers
	carries     []string // the headers of its handler's responses, beside Content-Type
	expose      string   // those of them that the page may read
	paths       *route.Table[pathKind]
	logs        bool         // whether refusals are counted, as the log of a server does
	refused     atomic.Int64 // the number of refusals
	next        http.Handler
}

// pathKind is what the policy says of a path.
type pathKind uint8

const (
	pathGoverned    pathKind = iota // the path of a procedure
	pathUngoverned                  // such as a page
	pathOperational                 // a procedure of the server's own operation
	pathAmbiguous                   // servers read it in several ways
)

func (f *floor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	origins := r.Header["Origin"]
	if len(origins) == 0 && r.Method == http.MethodPost && len(r.Header["Sec-Fetch-Site"]) == 0 {
		f.next.ServeHTTP(w, r) // another server, on any path
		return
	}
	kind := pathGoverned
	if r.URL.Path != procedure || r.URL.RawPath != "" || r.URL.Opaque != "" {
		if kind = f.kindOf(r); kind == pathUngoverned {
			f.next.ServeHTTP(w, r)
			return
		}
	}
	site := r.Header["Sec-Fetch-Site"]
	sameOrigin := len(site) == 1 && (site[0] == "same-origin" || site[0] == "none")
	if len(origins) == 0 {
		switch {
		case len(site) == 0 || sameOrigin:
			f.pass(w, r)
		case kind == pathAmbiguous:
			f.refuse(w, r, pathNotCanonical, kind)
		default:
			f.refuse(w, r, originMissing, kind)
		}
		return
	}
	if len(origins) > 1 {
		f.refuse(w, r, originRepeated, kind)
		return
	}
	from := origins[0]
	allowed := f.origins[from]
	if !allowed {
		var wellFormed bool
		if allowed, wellFormed = f.allows(from); !wellFormed {
			f.refuse(w, r, originMalformed, kind)
			return
		}
	}
	if sameOrigin || len(site) == 0 && isHost(from, r) {
		f.pass(w, r)
		return
	}
	switch {
	case kind != pathGoverned:
		f.refuse(w, r, map[pathKind]*refusal{pathAmbiguous: pathNotCanonical, pathOperational: operationalNotNamed}[kind], kind)
		return
	case !allowed:
		f.refuse(w, r, originNotAllowed, kind)
		return
	case r.Method == http.MethodPost:
	case r.Method == http.MethodOptions && isPreflight(r):
		f.answerPreflight(w, r, from)
		return
	case isUpgrade(r):
		if !f.credentials {
			f.refuse(w, r, credentialsNotAllowed, kind)
			return
		}
		f.next.ServeHTTP(w, r)
		return
	}
	if mode := r.Header["Sec-Fetch-Mode"]; len(mode) > 0 && (len(mode) > 1 || mode[0] != "cors") {
		f.refuse(w, r, modeNotCORS, kind)
		return
	}
	if !f.credentials && len(r.Header["Cookie"]) > 0 {
		f.refuse(w, r, credentialsNotAllowed, kind)
		return
	}
	fw := &floorWriter{ResponseWriter: w, floor: f, grants: true, safe: isSafe(r.Method)}
	fw.values[0] = from
	f.next.ServeHTTP(fw, r)
	fw.commit(http.StatusOK)
}

// pass passes a request to the handler that CORS does not apply to. A GET gets a Vary field.
func (f *floor) pass(w http.ResponseWriter, r *http.Request) {
	if !isSafe(r.Method) || isUpgrade(r) {
		f.next.ServeHTTP(w, r)
		return
	}
	fw := &floorWriter{ResponseWriter: w, floor: f, safe: true}
	f.next.ServeHTTP(fw, r)
	fw.commit(http.StatusOK)
}

// answerPreflight writes the grant.
func (f *floor) answerPreflight(w http.ResponseWriter, r *http.Request, from string) {
	header := w.Header()
	dropCORS(header)
	values := [5]string{from, "true", "POST", f.allowed(r.Header["Access-Control-Request-Headers"]), "7200"}
	header["Access-Control-Allow-Methods"] = values[2:3:3]
	header["Access-Control-Allow-Headers"] = values[3:4:4]
	header["Access-Control-Max-Age"] = values[4:5:5]
	header["Access-Control-Allow-Origin"] = values[0:1:1]
	if f.credentials {
		header["Access-Control-Allow-Credentials"] = values[1:2:2]
	}
	w.WriteHeader(http.StatusNoContent)
}

// allowed returns the allowed headers. It is a constant unless a client requests a header that
// the constant lacks.
func (f *floor) allowed(asked []string) string {
	if len(asked) == 1 && asked[0] == "connect-protocol-version,connect-timeout-ms,content-type" {
		return f.allow
	}
	names, ok := fetch.AppendRequested(nil, asked)
	if !ok {
		return f.allow
	}
	allow := f.allow
	for _, name := range names {
		if !inFamily(name) || strings.Contains(", "+allow+",", ", "+name+",") {
			continue
		}
		allow += ", " + name
	}
	return allow
}

// inFamily reports whether a newer client may send a header with this name.
func inFamily(name string) bool {
	if name == "grpc-trace-bin" || name == "grpc-tags-bin" || strings.HasPrefix(name, "grpc-metadata-") {
		return false
	}
	return strings.HasPrefix(name, "connect-") || strings.HasPrefix(name, "grpc-")
}

// nameByte is true for the bytes of a label.
var nameByte = func() (is [256]bool) {
	for _, c := range "abcdefghijklmnopqrstuvwxyz0123456789-_" {
		is[c] = true
	}
	return is
}()

// allows parses an origin that is not in the list, and looks up the parent domains of its host
// if there are wildcards. It reads a name below https:// in one pass, and leaves all else, such
// as a port or an address, to the parser of the layer.
func (f *floor) allows(s string) (allowed, wellFormed bool) {
	const scheme = "https://"
	if len(s) > len(scheme)+253 || !strings.HasPrefix(s, scheme) {
		return f.allowsRare(s)
	}
	host, start := s[len(scheme):], 0
	for i := 0; i < len(host); i++ {
		c := host[i]
		if nameByte[c] {
			continue
		}
		if c != '.' || i == start || i-start > 63 {
			return f.allowsRare(s)
		}
		start = i + 1
	}
	if start == len(host) || len(host)-start > 63 || '0' <= host[start] && host[start] <= '9' {
		return f.allowsRare(s) // the last label may be a number, so that the host is an address
	}
	return f.allowsHost(host), true
}

// allowsRare is allows for origins that pages seldom have.
func (f *floor) allowsRare(s string) (allowed, wellFormed bool) {
	o, ok := origin.Parse(s)
	return ok && o.Scheme == "https" && o.Port == "" && f.allowsHost(o.Host), ok
}

// allowsHost looks up the parent domains of a host.
func (f *floor) allowsHost(host string) bool {
	if len(f.wildcards) == 0 {
		return false
	}
	for {
		dot := strings.IndexByte(host, '.')
		if dot < 0 {
			return false
		}
		if host = host[dot+1:]; f.wildcards[host] {
			return true
		}
	}
}

// isHost reports whether an origin is that of the server, for browsers without Sec-Fetch-Site.
func isHost(from string, r *http.Request) bool {
	o, _ := origin.Parse(from)
	return o.SameHost(r.Host, r.TLS != nil)
}

// kindOf returns the kind of a path that is not the constant.
func (f *floor) kindOf(r *http.Request) pathKind {
	path := r.URL.Path
	if r.URL.Opaque != "" {
		path = r.URL.Opaque
	}
	if kind, ok := f.paths.Exact(path, r.URL.RawPath); ok {
		return kind
	}
	first, _, verdict := f.paths.Find(path, r.URL.RawPath, canBeCall(r))
	switch {
	case verdict != route.Clear:
		return pathAmbiguous
	case first.Kind == route.None:
		return pathUngoverned
	}
	return first.Value
}
