package bench

import (
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// floorWriter adds the CORS fields when the header is sent.
type floorWriter struct {
	http.ResponseWriter
	floor     *floor
	grants    bool // the page may read the response
	safe      bool // the method is GET or HEAD
	committed bool
	values    [3]string // the origin, and the other values
}

func (w *floorWriter) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		w.commit(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *floorWriter) Write(p []byte) (int, error) {
	w.commit(http.StatusOK)
	return w.ResponseWriter.Write(p)
}

func (w *floorWriter) WriteString(s string) (int, error) {
	w.commit(http.StatusOK)
	return io.WriteString(w.ResponseWriter, s)
}

// Flush is there since every writer that is measured has it.
func (w *floorWriter) Flush() {
	w.commit(http.StatusOK)
	w.ResponseWriter.(http.Flusher).Flush()
}

func (w *floorWriter) ReadFrom(r io.Reader) (int64, error) {
	w.commit(http.StatusOK)
	return io.Copy(w.ResponseWriter, r)
}

func (w *floorWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *floorWriter) commit(status int) {
	if w.committed {
		return
	}
	w.committed = true
	header := w.Header()
	if w.safe {
		addVary(header)
	}
	if !w.grants {
		return
	}
	w.values[1], w.values[2] = "true", w.floor.exposed(header)
	header["Access-Control-Allow-Origin"] = w.values[0:1:1]
	if w.floor.credentials {
		header["Access-Control-Allow-Credentials"] = w.values[1:2:2]
	}
	if w.values[2] != "" && status != http.StatusNotModified {
		header["Access-Control-Expose-Headers"] = w.values[2:3:3]
	}
}

// exposed returns the exposed names, and removes CORS fields that the handler wrote. The names
// are a constant if the response is in JSON and has the headers that the handler most often
// writes, and no others.
func (f *floor) exposed(header http.Header) string {
	kind := header["Content-Type"]
	if len(header) != len(f.carries)+1 || len(kind) != 1 || kind[0] != "application/json" {
		return f.exposedOf(header, kind)
	}
	for _, name := range f.carries {
		if len(header[name]) == 0 {
			return f.exposedOf(header, kind)
		}
	}
	return f.expose
}

// exposedOf is exposed for any other response.
func (f *floor) exposedOf(header http.Header, kind []string) string {
	var names []string
	for key, lines := range header {
		if fetch.IsAccessControl(key) {
			delete(header, key)
			continue
		}
		name := strings.ToLower(key)
		if len(lines) > 0 && fetch.IsToken(key) && isExposed(name, header["Connection"]) {
			names = append(names, name)
		}
	}
	if len(kind) == 1 && rpc.IsGRPCWeb(kind[0]) {
		names = append(names, rpc.Names(rpc.GRPCWeb, rpc.Response)...)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

// isExposed reports whether the page reads a field of the response. The fields that a handler behind the floor writes
// are known, so the floor does not know those of proxies.
func isExposed(name string, connection []string) bool {
	switch name {
	case "accept-encoding", "content-encoding", "set-cookie", "set-cookie2", "timing-allow-origin", "vary":
		return false
	}
	return !fetch.SafelistedResponseHeader(name) && !fetch.ConnectionHeader(name) && !fetch.Lists(connection, name)
}
