package corsrpc

import (
	"io"
	"net/http"

	"github.com/corsrpc/corsrpc-go/internal/responsewriter"
)

// committer is the ResponseWriter of a request whose answer a decision
// touches. It writes the decision's fields in the moment in which the response
// commits, since only then is it known what the response carries, and since a
// proxy's informational response clears whatever was there before.
//
// It belongs to one request.
type committer struct {
	http.ResponseWriter
	layer     *Layer
	effect    effect
	committed bool // informational responses, which a proxy sends from another goroutine, do not touch it

	origin [1]string // the request's, as the value of a field
	values [maxFieldsOfCall]string
}

// commit applies the decision once.
func (c *committer) commit(status int) {
	if c.committed {
		return
	}
	c.committed = true
	if c.effect.apply(status, &headerWriter{c.ResponseWriter.Header(), c.origin[:], c.values[:0]}) {
		c.layer.reportReplaced(c.effect)
	}
}

// Unwrap gives http.ResponseController the writer below.
func (c *committer) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// WriteHeader commits, unless the status is informational.
func (c *committer) WriteHeader(status int) {
	if !isInformational(status) {
		c.commit(status)
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *committer) Write(p []byte) (int, error) {
	c.commit(http.StatusOK)
	return c.ResponseWriter.Write(p)
}

// WriteString saves a copy where the writer below can take a string.
func (c *committer) WriteString(s string) (int, error) {
	c.commit(http.StatusOK)
	return io.WriteString(c.ResponseWriter, s)
}

// flush commits: a gRPC-Web error of connect-go does nothing else.
func (c *committer) flush() error {
	c.commit(http.StatusOK)
	return http.NewResponseController(c.ResponseWriter).Flush()
}

func (c *committer) readFrom(r io.Reader) (int64, error) {
	c.commit(http.StatusOK)
	return c.ResponseWriter.(io.ReaderFrom).ReadFrom(r)
}

// The types below offer what the writer below has, and no more: connect-go
// and grpc-go look for http.Flusher, io.Copy for io.ReaderFrom.
type (
	flushCommitter     struct{ *committer }
	readCommitter      struct{ *committer }
	flushReadCommitter struct{ *committer }
)

func (c flushCommitter) Flush()                                  { _ = c.flush() }
func (c flushCommitter) FlushError() error                       { return c.flush() }
func (c readCommitter) ReadFrom(r io.Reader) (int64, error)      { return c.readFrom(r) }
func (c flushReadCommitter) Flush()                              { _ = c.flush() }
func (c flushReadCommitter) FlushError() error                   { return c.flush() }
func (c flushReadCommitter) ReadFrom(r io.Reader) (int64, error) { return c.readFrom(r) }
func (c *committer) base() *committer                            { return c }

// wrapWriter returns a writer for the handler, and the committer within.
func wrapWriter(w http.ResponseWriter, d *Decision, l *Layer) (http.ResponseWriter, *committer) {
	c := &committer{ResponseWriter: w, layer: l, effect: d.effect, origin: [1]string{d.origin}}
	_, reads := w.(io.ReaderFrom)
	switch flushes := responsewriter.CanFlush(w); {
	case flushes && reads:
		return flushReadCommitter{c}, c
	case flushes:
		return flushCommitter{c}, c
	case reads:
		return readCommitter{c}, c
	}
	return c, c
}

// isWrapped reports whether a layer further out decides on the answer.
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
