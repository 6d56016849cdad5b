package corsrpc

import (
	"io"
	"net/http"
	"reflect"

	"github.com/corsrpc/corsrpc-go/internal/clockcache"
	"github.com/corsrpc/corsrpc-go/internal/responsewriter"
)

// committer is the ResponseWriter of a request whose response gets fields from the decision. It
// writes them when the response commits: only then is it known which fields the response carries,
// and a reverse proxy clears the header after an informational response. A committer serves one
// request.
type committer struct {
	http.ResponseWriter
	layer     *Layer
	effect    effect
	committed bool  // not accessed for informational responses, which a proxy may send from another goroutine
	used      bool  // whether Header has been called
	fields    int32 // the number of fields in the header before the handler ran

	origin [1]string // the request's Origin, as a field value
	values [maxFieldsOfCall]string
}

// commit applies the decision the first time it is called.
func (c *committer) commit(status int) {
	if c.committed {
		return
	}
	c.committed = true
	if c.effect.apply(status, &headerWriter{c.ResponseWriter.Header(), c.origin[:], c.values[:0]}) {
		c.layer.reportReplaced(c.effect)
	}
}

// finish commits a response that the handler has not written. It logs a response that was written
// to the writer below without the committer.
func (c *committer) finish() {
	if c.committed {
		return
	}
	if c.bypassed() {
		c.layer.reportBypassed(&c.effect, c.ResponseWriter)
	}
	c.commit(http.StatusOK) // net/http sends 200 if the handler wrote nothing
}

// bypassed reports whether the response was written to the writer below without the committer. A
// router does that if its middleware adapter passes the router's own writer to the handlers. Most
// writers do not report whether the response was written. The result is then true if the header
// has new fields although the committer's Header was not called.
func (c *committer) bypassed() bool {
	if written, known := responsewriter.Written(c.ResponseWriter); known {
		return written
	}
	return !c.used && len(c.ResponseWriter.Header()) > int(c.fields)
}

// Header returns the header of the writer below.
func (c *committer) Header() http.Header {
	c.used = true
	return c.ResponseWriter.Header()
}

// Unwrap returns the writer below, for http.ResponseController.
func (c *committer) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// WriteHeader applies the decision unless the status is informational, and writes the header.
func (c *committer) WriteHeader(status int) {
	if !isInformational(status) {
		c.commit(status)
	}
	c.ResponseWriter.WriteHeader(status)
}

// Write applies the decision and writes to the writer below.
func (c *committer) Write(p []byte) (int, error) {
	c.commit(http.StatusOK)
	return c.ResponseWriter.Write(p)
}

// WriteString avoids a copy if the writer below is an io.StringWriter.
func (c *committer) WriteString(s string) (int, error) {
	c.commit(http.StatusOK)
	return io.WriteString(c.ResponseWriter, s)
}

// flush applies the decision and flushes. For a gRPC-Web error, connect-go calls nothing else.
func (c *committer) flush() error {
	c.commit(http.StatusOK)
	return http.NewResponseController(c.ResponseWriter).Flush()
}

// readFrom applies the decision and copies from r by the ReadFrom of the writer below.
func (c *committer) readFrom(r io.Reader) (int64, error) {
	c.commit(http.StatusOK)
	return c.ResponseWriter.(io.ReaderFrom).ReadFrom(r)
}

// Each of these types has the optional methods that the writer below has: connect-go and grpc-go
// assert http.Flusher, and io.Copy asserts io.ReaderFrom.
type (
	flushCommitter     struct{ *committer }
	flushReadCommitter struct{ *committer }
)

func (c flushCommitter) Flush()                                  { _ = c.flush() }
func (c flushCommitter) FlushError() error                       { return c.flush() }
func (c flushReadCommitter) Flush()                              { _ = c.flush() }
func (c flushReadCommitter) FlushError() error                   { return c.flush() }
func (c flushReadCommitter) ReadFrom(r io.Reader) (int64, error) { return c.readFrom(r) }
func (c *committer) base() *committer                            { return c }

// These types have no Flush, because the writer below cannot flush. connect-go shows the type's
// name to the developer: "corsrpc.httpTimeoutHandlerOutsideOfWrap does not implement http.Flusher".
type (
	httpTimeoutHandlerOutsideOfWrap         struct{ *committer }
	middlewareWithoutFlushOutsideOfWrap     struct{ *committer }
	readMiddlewareWithoutFlushOutsideOfWrap struct{ *committer }
)

func (c readMiddlewareWithoutFlushOutsideOfWrap) ReadFrom(r io.Reader) (int64, error) {
	return c.readFrom(r)
}

// writerKind is what a type of ResponseWriter can do. A type assertion costs as much as the look-up of a
// header field, so the results are kept by type.
type writerKind struct {
	of      reflect.Type
	flushes bool // it can flush by itself
	reads   bool // it is an io.ReaderFrom
	wraps   bool // it is a writer of a layer, or wraps another writer
}

// writerKinds holds the kinds of the writers that a layer gets, which are few in a server. It is safe
// for concurrent use.
type writerKinds struct{ known clockcache.Cache[writerKind] }

// of returns the kind of a writer.
func (k *writerKinds) of(w http.ResponseWriter) *writerKind {
	of := reflect.TypeOf(w)
	for i := range clockcache.Size {
		known := k.known.At(i)
		if known == nil {
			break
		}
		if known.Value.of == of {
			known.Use()
			return &known.Value
		}
	}
	kind := &writerKind{of: of}
	switch w.(type) {
	case http.Flusher, interface{ FlushError() error }:
		kind.flushes = true
	}
	_, kind.reads = w.(io.ReaderFrom)
	switch w.(type) {
	case interface{ base() *committer }, interface{ Unwrap() http.ResponseWriter }:
		kind.wraps = true
	}
	k.known.Add(*kind)
	return kind
}

// isWrapped reports whether an outer layer applies its decision to the response.
func (k *writerKind) isWrapped(w http.ResponseWriter) bool { return k.wraps && isWrapped(w) }

// writer returns the writer for the handler of r, which has the optional methods of the writer below, of that kind.
func (c *committer) writer(kind *writerKind, r *http.Request) http.ResponseWriter {
	if kind.flushes || kind.wraps && responsewriter.CanFlush(c.ResponseWriter) {
		if kind.reads {
			return flushReadCommitter{c}
		}
		return flushCommitter{c}
	}
	timeout := isTimeoutWriter(c.ResponseWriter)
	if mayStream(r) {
		c.layer.reportCannotFlush(&c.effect, c.ResponseWriter, timeout)
	}
	switch {
	case timeout:
		return httpTimeoutHandlerOutsideOfWrap{c}
	case kind.reads:
		return readMiddlewareWithoutFlushOutsideOfWrap{c}
	}
	return middlewareWithoutFlushOutsideOfWrap{c}
}

// isWrapped reports whether w is the writer of a layer, or wraps one.
func isWrapped(w http.ResponseWriter) bool {
	for {
		if _, ok := w.(interface{ base() *committer }); ok {
			return true
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = u.Unwrap()
	}
}
