package corsgrpc

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"

	"github.com/corsrpc/corsrpc-go/internal/responsewriter"
)

// Text returns a handler that adds the text mode (application/grpc-web-text
// and application/grpc-web-text+proto) to any h that answers gRPC-Web: what
// [Handler] returns, or the handlers of connect-go. Requests in text mode
// reach h decoded from base64, and h's answer is encoded; every other request
// reaches h untouched.
//
// Nothing is held back: what h flushes is sent, padded where its bytes are
// not a multiple of three. Padding inside a request is accepted likewise.
// Base64 that is malformed ends the request with io.ErrUnexpectedEOF, which
// gRPC-Web handlers answer as a protocol error. A query is not passed on,
// since it may hold metadata that no preflight has seen.
//
// The handler is safe for concurrent use if h is.
//
// See https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md and
// RFC 4648, section 4.
func Text(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		format, isText := subtype(r.Header, typeWebText)
		if !isText || r.Method != http.MethodPost {
			h.ServeHTTP(w, r)
			return
		}
		call := withoutQuery(r)
		call.Header = r.Header.Clone()
		call.Header.Set("Content-Type", typeWeb+format)
		call.Header.Del("Content-Length")
		call.ContentLength = -1
		call.Body = &textReader{source: r.Body}
		answer := &textWriter{ResponseWriter: w}
		h.ServeHTTP(answer.offer(), call)
		answer.finish() // not after a panic: the answer must not look complete
	})
}

// textReader decodes a body. One goroutine reads it; another may close it.
type textReader struct {
	source    io.ReadCloser
	malformed bool // tells why Read returned io.ErrUnexpectedEOF

	encoded    [4096]byte
	encodedLen int // bytes that came and are not decoded
	decoded    [4096 / 4 * 3]byte
	unread     []byte // of decoded
	err        error  // after the unread bytes
}

func (t *textReader) Read(p []byte) (int, error) {
	for len(t.unread) == 0 && len(p) > 0 {
		if t.err != nil {
			return 0, t.err
		}
		var n int
		n, t.err = t.source.Read(t.encoded[t.encodedLen:])
		t.encodedLen += n
		t.decode()
	}
	n := copy(p, t.unread)
	t.unread = t.unread[n:]
	if len(t.unread) == 0 {
		return n, t.err
	}
	return n, nil
}

// decode decodes what has come in full groups of four.
func (t *textReader) decode() {
	groups := t.encoded[:t.encodedLen-t.encodedLen%4]
	t.unread = t.decoded[:0]
	for len(groups) > 0 {
		run := groups
		if i := bytes.IndexByte(groups, '='); i >= 0 {
			run = groups[:i-i%4+4] // the padding ends the run, not the body
		}
		groups = groups[len(run):]
		n, err := strictBase64.Decode(t.decoded[len(t.unread):], run)
		if err != nil || bytes.ContainsAny(run, "\r\n") { // which the decoder would skip
			t.fail()
			return
		}
		t.unread = t.decoded[:len(t.unread)+n]
	}
	t.encodedLen = copy(t.encoded[:], t.encoded[t.encodedLen-t.encodedLen%4:t.encodedLen])
	if t.err == io.EOF && t.encodedLen > 0 {
		t.fail()
	}
}

var strictBase64 = base64.StdEncoding.Strict()

func (t *textReader) fail() {
	t.malformed, t.err = true, io.ErrUnexpectedEOF
}

func (t *textReader) Close() error { return t.source.Close() }

// textWriter is the ResponseWriter that a gRPC-Web handler gets for a request
// in text mode. It belongs to one request.
type textWriter struct {
	http.ResponseWriter
	committed bool
	encodes   bool // the answer is gRPC-Web

	plain    [3072]byte
	plainLen int // bytes that are not encoded, fewer than three between calls
	encoded  [3072 / 3 * 4]byte
}

// offer returns the writer as the handler may see it: http.Flusher is offered
// only if what is below can flush.
func (t *textWriter) offer() http.ResponseWriter {
	if responsewriter.CanFlush(t.ResponseWriter) {
		return flushTextWriter{t}
	}
	return t
}

type flushTextWriter struct{ *textWriter }

func (t flushTextWriter) Flush()            { _ = t.flush() }
func (t flushTextWriter) FlushError() error { return t.flush() }

// Unwrap gives http.ResponseController the writer below.
func (t *textWriter) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// WriteHeader commits, unless the status is informational.
func (t *textWriter) WriteHeader(status int) {
	if status < 200 {
		t.ResponseWriter.WriteHeader(status)
		return
	}
	t.commit(status)
}

// commit sends the headers, once.
func (t *textWriter) commit(status int) {
	if t.committed {
		return
	}
	t.committed = true
	h := t.Header()
	if format, isWeb := subtype(h, typeWeb); isWeb {
		t.encodes = true
		h.Set("Content-Type", typeWebText+format)
		h.Del("Content-Length")
	}
	t.ResponseWriter.WriteHeader(status)
}

func (t *textWriter) Write(p []byte) (int, error) {
	t.commit(http.StatusOK)
	if !t.encodes {
		return t.ResponseWriter.Write(p)
	}
	written := 0
	for len(p) > 0 {
		n := copy(t.plain[t.plainLen:], p)
		t.plainLen += n
		p = p[n:]
		if err := t.encode(t.plainLen - t.plainLen%3); err != nil {
			return written, err
		}
		written += n
	}
	return written, nil
}

// encode sends the first n bytes, with padding where n is no multiple of three.
func (t *textWriter) encode(n int) error {
	if n == 0 {
		return nil
	}
	base64.StdEncoding.Encode(t.encoded[:], t.plain[:n])
	_, err := t.ResponseWriter.Write(t.encoded[:base64.StdEncoding.EncodedLen(n)])
	t.plainLen = copy(t.plain[:], t.plain[n:t.plainLen])
	return err
}

func (t *textWriter) flush() error {
	t.commit(http.StatusOK)
	if err := t.encode(t.plainLen); err != nil {
		return err
	}
	return http.NewResponseController(t.ResponseWriter).Flush()
}

// finish ends the answer after the handler has returned.
func (t *textWriter) finish() {
	t.commit(http.StatusOK)
	_ = t.encode(t.plainLen) // an error means that the client has gone away
}
