package corsgrpc

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/responsewriter"
)

// webWriter is the ResponseWriter that a gRPC handler gets for a gRPC-Web
// request. It belongs to one request.
type webWriter struct {
	http.ResponseWriter
	request *requestBody
	early   bool // HTTP/1.1 sends the answer although the request has not arrived

	answer   answer
	frames   frames
	declared []string // names of trailers, as keys of the header map
	trailers trailers // those that were set before the answer committed
	wrong    string   // what is wrong with the answer
}

// answer is what kind of answer the handler gives, known when it commits.
type answer uint8

const (
	uncommitted  answer = iota
	inFrames            // messages, then the trailer frame
	inHeaders           // a status in the headers, and no body
	untranslated        // no gRPC
)

// offer returns the writer as the handler may see it: gRPC handlers look for
// http.Flusher, which is offered only if what is below can flush.
func (w *webWriter) offer() http.ResponseWriter {
	if responsewriter.CanFlush(w.ResponseWriter) {
		return flushWebWriter{w}
	}
	return w
}

type flushWebWriter struct{ *webWriter }

func (w flushWebWriter) Flush()            { _ = w.flush() }
func (w flushWebWriter) FlushError() error { return w.flush() }

// Unwrap gives http.ResponseController the writer below.
func (w *webWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader commits, unless the status is informational.
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
	case w.answer == untranslated:
		return w.ResponseWriter.Write(p)
	case w.wrong != "":
		return 0, errMalformed
	case w.answer == inHeaders && len(p) > 0:
		return 0, errNoBody
	}
	good := w.frames.follow(p)
	n, err := w.ResponseWriter.Write(p[:good])
	if err == nil && good < len(p) {
		w.wrong = "the server's answer is malformed: a message has reserved flags"
		err = errMalformed
	}
	return n, err
}

var (
	errMalformed = errors.New("corsgrpc: the handler's answer is malformed: a message has reserved flags")
	errNoBody    = errors.New("corsgrpc: an answer with Grpc-Status in its headers has no body")
)

func (w *webWriter) flush() error {
	w.commit(http.StatusOK)
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// commit sends the headers, once, as those of a gRPC-Web answer.
func (w *webWriter) commit(status int) {
	if w.answer != uncommitted {
		return
	}
	h := w.Header()
	if w.early && w.request.stillComes() {
		// net/http cannot go on to the next request where this one is not read to
		// its end when the handler returns (it panics, golang.org/issue/68560).
		h.Set("Connection", "close")
	}
	format, isGRPC := subtype(h, typeGRPC)
	if status != http.StatusOK || !isGRPC {
		w.answer = untranslated
		w.ResponseWriter.WriteHeader(status)
		return
	}
	h.Set("Content-Type", typeWeb+format)
	h.Del("Content-Length") // the trailers add to it
	if len(h["Date"]) == 0 {
		delete(h, "Date") // grpc-go keeps net/http from sending one (RFC 9110, section 6.6.1)
	}
	for _, line := range h["Trailer"] {
		for name := range strings.SplitSeq(line, ",") {
			w.declared = append(w.declared, http.CanonicalHeaderKey(strings.Trim(name, " \t")))
		}
	}
	h.Del("Trailer")
	w.trailers = w.takeTrailers()
	w.answer = inFrames
	for key, values := range h { // in whatever letter case it would be sent
		if strings.EqualFold(key, statusKey) && len(values) > 0 {
			w.answer = inHeaders
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// takeTrailers removes the trailers from the header map, so that they are
// sent neither as headers nor by net/http, and returns them.
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

// finish ends the answer after the handler has returned.
func (w *webWriter) finish() {
	w.commit(http.StatusOK)
	if w.answer != inFrames {
		return
	}
	end := w.trailers
	for name, values := range w.takeTrailers() {
		end[name] = values
	}
	fault, status := w.request.fault.Load(), end.status()
	switch {
	case !w.frames.complete():
		// A trailer frame would be read as the rest of the message.
		panic(http.ErrAbortHandler)
	case w.wrong != "":
		end.fail(codeInternal, w.wrong)
	case status == "":
		end.fail(codeUnknown, "the server ended the call without a status")
	case fault != nil && (status == codeInternal || status == codeUnknown):
		// The handler met what is wrong with the request, and knows less of it.
		end.fail(fault.code, fault.message)
	}
	_, _ = w.ResponseWriter.Write(end.frame()) // an error means that the client has gone away
}
