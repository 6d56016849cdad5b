package corsgrpc

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/responsewriter"
)

// webWriter is the ResponseWriter of one gRPC-Web request. It translates the gRPC
// response of the handler to gRPC-Web.
type webWriter struct {
	http.ResponseWriter
	request *requestBody
	early   bool // net/http sends the response before the whole request has been read

	kind      responseKind
	frames    frames
	declared  []string // the names in the Trailer header, as keys of the header map
	trailers  trailers // the trailers that were set before the header was sent
	malformed string   // the problem of a malformed response; "" if there is none
}

// responseKind is the kind of the handler's response, known when the header is sent.
type responseKind uint8

const (
	uncommitted  responseKind = iota // the header was not sent yet
	inFrames                         // messages, then the trailer frame
	inHeaders                        // a status in the headers, and no body
	untranslated                     // not gRPC
)

// forHandler returns the writer for the handler. It implements http.Flusher, which
// gRPC handlers need, only if the underlying writer can flush.
func (w *webWriter) forHandler() http.ResponseWriter {
	if responsewriter.CanFlush(w.ResponseWriter) {
		return flushWebWriter{w}
	}
	return w
}

type flushWebWriter struct{ *webWriter }

func (w flushWebWriter) Flush()            { _ = w.flush() }
func (w flushWebWriter) FlushError() error { return w.flush() }

// Unwrap returns the underlying writer, for http.ResponseController.
func (w *webWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader translates a gRPC response header to gRPC-Web and sends it. Informational (1xx)
// responses and responses that are not gRPC are sent unchanged.
func (w *webWriter) WriteHeader(status int) {
	if status < 200 {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.commit(status)
}

func (w *webWriter) Write(p []byte) (int, error) {
	w.commit(http.StatusOK)
	switch {
	case w.kind == untranslated:
		return w.ResponseWriter.Write(p)
	case w.malformed != "":
		return 0, errMalformed
	case w.kind == inHeaders && len(p) > 0:
		return 0, errNoBody
	}
	good := w.frames.follow(p)
	n, err := w.ResponseWriter.Write(p[:good])
	if err == nil && good < len(p) {
		w.malformed = "the server's response is malformed: a message has reserved flags"
		err = errMalformed
	}
	return n, err
}

var (
	errMalformed = errors.New("corsgrpc: the handler's response is malformed: a message has reserved flags")
	errNoBody    = errors.New("corsgrpc: a response with Grpc-Status in its headers cannot have a body")
)

func (w *webWriter) flush() error {
	w.commit(http.StatusOK)
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// commit sends the header of a gRPC-Web response, the first time that it is called.
func (w *webWriter) commit(status int) {
	if w.kind != uncommitted {
		return
	}
	h := w.Header()
	if w.early && w.request.incomplete() {
		// net/http panics at the next request on the connection if this one is not
		// read to its end when the handler returns (golang.org/issue/68560).
		h.Set("Connection", "close")
	}
	format, isGRPC := suffix(h, typeGRPC)
	if status != http.StatusOK || !isGRPC {
		w.kind = untranslated
		w.ResponseWriter.WriteHeader(status)
		return
	}
	h.Set("Content-Type", typeWeb+format)
	h.Del("Content-Length") // the trailer frame makes the body longer
	if len(h["Date"]) == 0 {
		delete(h, "Date") // grpc-go sets it to nil, and net/http would not send a Date (RFC 9110, section 6.6.1)
	}
	for _, line := range h["Trailer"] {
		for name := range strings.SplitSeq(line, ",") {
			w.declared = append(w.declared, http.CanonicalHeaderKey(strings.Trim(name, " \t")))
		}
	}
	h.Del("Trailer")
	w.trailers = w.takeTrailers()
	w.kind = inFrames
	for key, values := range h { // the key may have any letter case
		if strings.EqualFold(key, statusKey) && len(values) > 0 {
			w.kind = inHeaders
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// takeTrailers removes the trailers from the header map and returns them. Otherwise
// they would be sent as headers, or as HTTP trailers by net/http.
func (w *webWriter) takeTrailers() trailers {
	taken := trailers{}
	h := w.Header()
	for key, values := range h {
		name, prefixed := strings.CutPrefix(key, http.TrailerPrefix)
		if prefixed || slices.Contains(w.declared, key) {
			taken.add(name, values)
			delete(h, key)
		}
	}
	return taken
}

// finish sends the trailer frame after the handler has returned. It panics with
// http.ErrAbortHandler if the handler wrote an incomplete message.
func (w *webWriter) finish() {
	w.commit(http.StatusOK)
	if w.kind != inFrames {
		return
	}
	end := w.trailers
	for name, values := range w.takeTrailers() {
		end[name] = values
	}
	fault, status := w.request.fault.Load(), end.status()
	switch {
	case !w.frames.complete():
		// The client would read a trailer frame as the rest of the message.
		panic(http.ErrAbortHandler)
	case w.malformed != "":
		end.fail(codeInternal, w.malformed)
	case status == "":
		end.fail(codeUnknown, "the server ended the call without a status")
	case fault != nil && (status == codeInternal || status == codeUnknown):
		// The handler's error is a consequence of the fault and tells less about it.
		end.fail(fault.code, fault.message)
	}
	_, _ = w.ResponseWriter.Write(end.frame()) // an error means that the client has disconnected
}
