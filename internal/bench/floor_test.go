package bench

import (
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// floor is a handler written by hand for one procedure and one list of origins. It gives the
// same responses as the layer, but cannot be configured. Every string is a constant, only the
// origin is looked up, the path is compared with a constant, and the response headers of its
// handler are known. Like the layer, it exposes the headers that a response has when the
// header is sent. It does not share slices with the header map, since a handler could change
// them for later requests.
//
// TestFloorIsHonest compares its responses with the layer's.
type floor struct {
	origins     map[string]bool
	wildcards   map[string]bool // the hosts whose subdomains are allowed
	credentials bool
	allow       string // Access-Control-Allow-Headers
	mayExpose   []string
	expose      string // all of them
	next        http.Handler
}

const maxOrigin = 300

func (f *floor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != procedure {
		f.next.ServeHTTP(w, r) // a path that the policy does not govern, such as a page
		return
	}
	origins := r.Header["Origin"]
	if len(origins) == 0 {
		switch site := r.Header["Sec-Fetch-Site"]; {
		case len(site) == 0, site[0] == "same-origin", site[0] == "none":
			f.next.ServeHTTP(w, r)
		default:
			refuse(w, r, originMissing)
		}
		return
	}
	origin := origins[0]
	if len(origins) > 1 {
		refuse(w, r, originRepeated)
		return
	}
	switch site := r.Header["Sec-Fetch-Site"]; {
	case len(site) > 0 && (site[0] == "same-origin" || site[0] == "none"):
		f.next.ServeHTTP(w, r)
		return
	case len(site) == 0 && strings.HasSuffix(origin, r.Host) && (origin == "https://"+r.Host || origin == "http://"+r.Host):
		f.next.ServeHTTP(w, r)
		return
	}
	if !f.allows(origin) {
		if !isOrigin(origin) {
			refuse(w, r, originMalformed)
			return
		}
		refuse(w, r, originNotAllowed)
		return
	}
	header := w.Header()
	if r.Method == http.MethodOptions && len(r.Header["Access-Control-Request-Method"]) == 1 {
		values := [5]string{origin, "true", "POST", f.allowed(r.Header["Access-Control-Request-Headers"]), "7200"}
		header["Access-Control-Allow-Methods"] = values[2:3:3]
		header["Access-Control-Allow-Headers"] = values[3:4:4]
		header["Access-Control-Max-Age"] = values[4:5:5]
		header["Access-Control-Allow-Origin"] = values[0:1:1]
		if f.credentials {
			header["Access-Control-Allow-Credentials"] = values[1:2:2]
		}
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if mode := r.Header["Sec-Fetch-Mode"]; len(mode) > 0 && mode[0] != "cors" {
		refuse(w, r, modeNotCORS)
		return
	}
	if !f.credentials && len(r.Header["Cookie"]) > 0 {
		refuse(w, r, credentialsNotAllowed)
		return
	}
	f.next.ServeHTTP(&floorWriter{ResponseWriter: w, floor: f, origin: origin}, r)
}

// floorWriter adds the CORS fields when the header is sent.
type floorWriter struct {
	http.ResponseWriter
	floor     *floor
	origin    string
	committed bool
	values    [3]string
}

func (w *floorWriter) WriteHeader(status int) {
	w.commit()
	w.ResponseWriter.WriteHeader(status)
}

func (w *floorWriter) Write(p []byte) (int, error) {
	w.commit()
	return w.ResponseWriter.Write(p)
}

func (w *floorWriter) WriteString(s string) (int, error) {
	w.commit()
	return io.WriteString(w.ResponseWriter, s)
}

func (w *floorWriter) commit() {
	if w.committed {
		return
	}
	w.committed = true
	header := w.Header()
	w.values = [3]string{w.origin, "true", w.floor.exposed(header)}
	header["Access-Control-Allow-Origin"] = w.values[0:1:1]
	if w.floor.credentials {
		header["Access-Control-Allow-Credentials"] = w.values[1:2:2]
	}
	if w.values[2] != "" {
		header["Access-Control-Expose-Headers"] = w.values[2:3:3]
	}
}

// exposed returns the exposed names. It is a constant if the response has all headers that the
// handler may write, which is most often so.
func (f *floor) exposed(header http.Header) string {
	present := 0
	for _, name := range f.mayExpose {
		if _, ok := header[name]; ok {
			present++
		}
	}
	if present == len(f.mayExpose) {
		return f.expose
	}
	var names []string
	for _, name := range f.mayExpose {
		if _, ok := header[name]; ok {
			names = append(names, strings.ToLower(name))
		}
	}
	return strings.Join(names, ", ")
}

// allowed returns the allowed headers. It is a constant unless a client requests a header that
// the constant lacks.
func (f *floor) allowed(asked []string) string {
	if len(asked) == 1 && asked[0] == "connect-protocol-version,connect-timeout-ms,content-type" {
		return f.allow
	}
	allow := f.allow
	for _, line := range asked {
		for name := range strings.SplitSeq(line, ",") {
			if (strings.HasPrefix(name, "connect-") || strings.HasPrefix(name, "grpc-")) && !strings.Contains(f.allow, name) {
				allow += ", " + name
			}
		}
	}
	return allow
}

// isOrigin reports whether a text has the form of an origin. Unlike the layer, it does not
// check the host.
func isOrigin(s string) bool {
	host, ok := strings.CutPrefix(s, "https://")
	if !ok || len(s) > maxOrigin {
		return s == "null"
	}
	for i := range len(host) {
		if c := host[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' && c != ':' {
			return false
		}
	}
	return host != ""
}

// allows looks up the origin and, if there are wildcards, the parent domains of its host.
func (f *floor) allows(origin string) bool {
	if len(origin) > maxOrigin {
		return false
	}
	if f.origins[origin] {
		return true
	}
	if len(f.wildcards) == 0 {
		return false
	}
	host, ok := strings.CutPrefix(origin, "https://")
	for ok {
		if _, host, ok = strings.Cut(host, "."); ok && f.wildcards[host] {
			return true
		}
	}
	return false
}

// A refusal is the body of a 403 response, as plain text and as JSON, in the layer's words.
type refusal struct{ text, json string }

func refusalFor(reason corsrpc.Reason) *refusal {
	message := "corsrpc refused this cross-origin request (" + string(reason) + "): " + reason.Text() + ": " + reason.Remedy()
	return &refusal{message + "\n", `{"code":"permission_denied","message":` + strconv.Quote(message) + `}`}
}

var (
	originMissing         = refusalFor(corsrpc.ReasonOriginMissing)
	originRepeated        = refusalFor(corsrpc.ReasonOriginRepeated)
	originMalformed       = refusalFor(corsrpc.ReasonOriginMalformed)
	originNotAllowed      = refusalFor(corsrpc.ReasonOriginNotAllowed)
	modeNotCORS           = refusalFor(corsrpc.ReasonModeNotCORS)
	credentialsNotAllowed = refusalFor(corsrpc.ReasonCredentialsNotAllowed)
)

func refuse(w http.ResponseWriter, r *http.Request, why *refusal) {
	body, contentType := why.text, "text/plain; charset=utf-8"
	if kind := r.Header["Content-Type"]; r.Method == http.MethodPost && len(kind) == 1 && (kind[0] == "application/json" || kind[0] == "application/proto") {
		body, contentType = why.json, "application/json"
	}
	values := [3]string{contentType, "no-store", "nosniff"}
	header := w.Header()
	header["Content-Type"] = values[0:1:1]
	header["Cache-Control"] = values[1:2:2]
	header["X-Content-Type-Options"] = values[2:3:3]
	w.WriteHeader(http.StatusForbidden)
	io.WriteString(w, body)
}
