package corsgrpc

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"

	"github.com/corsrpc/corsrpc-go/internal/responsewriter"
)

// Text returns a handler that adds the text mode of gRPC-Web
// (application/grpc-web-text, also with "+" and a message format) to a gRPC-Web
// handler h: the result of [Handler], or a handler of connect-go. It decodes the
// base64 body of a request in text mode for h, and encodes h's gRPC-Web response.
// It passes every other request to h unchanged.
//
// Responses stream: a Flush of h sends all bytes written so far, with base64 padding
// if their number is not a multiple of three. Requests may have padding at any place
// as well. If a request body is not valid base64, Read of the body returns
// io.ErrUnexpectedEOF, which gRPC-Web handlers report as a protocol error. Text
// removes the query of a request in text mode, since grpc-web may put metadata there
// to avoid a preflight.
//
// The handler is safe for concurrent use if h is.
//
// See https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md and
// RFC 4648, section 4.
func Text(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		format, isText := suffix(r.Header, typeWebText)
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
		h.ServeHTTP(answer.forHandler(), call)
		answer.finish() // not deferred: after a panic the response must not look complete
	})
}

// textReader decodes a base64 body. One goroutine reads it; another may close it.
type textReader struct {
	source    io.ReadCloser
	malformed bool // the body is not valid base64

	encoded    [4096]byte
	encodedLen int // bytes of encoded that are not decoded yet
	decoded    [4096 / 4 * 3]byte
	unread     []byte // the part of decoded that Read has not returned yet
	err        error  // the error to return after the unread bytes
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

// decode decodes the complete groups of four characters in encoded.
func (t *textReader) decode() {
	groups := t.encoded[:t.encodedLen-t.encodedLen%4]
	t.unread = t.decoded[:0]
	for len(groups) > 0 {
		run := groups
		if i := bytes.IndexByte(groups, '='); i >= 0 {
			run = groups[:i-i%4+4] // padding ends a run of groups, but not the body
		}
		groups = groups[len(run):]
		n, err := strictBase64.Decode(t.decoded[len(t.unread):], run)
		if err != nil || bytes.ContainsAny(run, "\r\n") { // Decode ignores line ends
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

// fail ends the body with the error of malformed base64.
func (t *textReader) fail() {
	t.malformed, t.err = true, io.ErrUnexpectedEOF
}

func (t *textReader) Close() error { return t.source.Close() }

// textWriter is the ResponseWriter of one request in text mode. It encodes a
// gRPC-Web response as base64, and leaves other responses unchanged.
type textWriter struct {
	http.ResponseWriter
	committed bool // the header was sent
	encodes   bool // the response is gRPC-Web

	plain    [3072]byte
	plainLen int // bytes of plain that are not sent yet; fewer than three between calls
	encoded  [3072 / 3 * 4]byte
}

// forHandler returns the writer for the handler. It implements http.Flusher only if
// the underlying writer can flush.
func (t *textWriter) forHandler() http.ResponseWriter {
	if responsewriter.CanFlush(t.ResponseWriter) {
		return flushTextWriter{t}
	}
	return t
}

type flushTextWriter struct{ *textWriter }

func (t flushTextWriter) Flush()            { _ = t.flush() }
func (t flushTextWriter) FlushError() error { return t.flush() }

// Unwrap returns the underlying writer, for http.ResponseController.
func (t *textWriter) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// WriteHeader sends the header, with the text type and without Content-Length if the response is
// gRPC-Web. Other responses are sent unchanged.
func (t *textWriter) WriteHeader(status int) {
	if status < 200 {
		t.ResponseWriter.WriteHeader(status)
		return
	}
	t.commit(status)
}

// commit sends the header, on its first call only.
func (t *textWriter) commit(status int) {
	if t.committed {
		return
	}
	t.committed = true
	h := t.Header()
	if format, isWeb := suffix(h, typeWeb); isWeb {
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

// encode sends the first n bytes of plain, with padding if n is not a multiple of
// three.
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

// finish completes the response after the handler has returned.
func (t *textWriter) finish() {
	t.commit(http.StatusOK)
	_ = t.encode(t.plainLen) // an error means that the client has disconnected
}
