package corsgrpc

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// requestBody is the body of the request that the gRPC handler reads. It checks the
// frames of a gRPC-Web request. One goroutine reads it; another may close it.
type requestBody struct {
	source io.ReadCloser
	text   *textReader // the body that Text decodes; nil if the request is not in text mode
	frames frames
	err    error                 // the error of every further Read; nil at first
	fault  atomic.Pointer[fault] // the protocol error of the request; nil if there is none

	// Over HTTP/1.1 the goroutine of fill reads the body.
	arrived atomic.Bool   // the end of the body was read
	read    atomic.Int64  // bytes read so far
	filled  chan struct{} // closed when fill returns; nil over HTTP/2
}

// newRequestBody returns the body of a request. gRPC handlers close the body to end
// a call early, while another goroutine reads it. Over HTTP/1.1, Close of net/http's
// body would then wait for the client; Close of this body does not wait.
func newRequestBody(r *http.Request) *requestBody {
	b := &requestBody{source: r.Body}
	b.text, _ = r.Body.(*textReader)
	switch {
	case r.Body == nil || r.Body == http.NoBody:
		b.source = http.NoBody
		b.arrived.Store(true)
	case r.ProtoMajor < 2:
		pipe, in := io.Pipe()
		b.source, b.filled = pipe, make(chan struct{})
		go b.fill(in, r.Body, make([]byte, min(max(r.ContentLength, 512), 32<<10)))
	}
	return b
}

// fill copies the body to the pipe. After the pipe is closed, it discards up to
// maxDiscarded bytes. It returns at the end of the body, and at the latest when the
// HTTP handler has returned, since net/http then ends a Read.
func (b *requestBody) fill(in *io.PipeWriter, body io.Reader, buffer []byte) {
	defer close(b.filled)
	closed, discarded := false, 0
	for discarded <= maxDiscarded {
		n, err := body.Read(buffer)
		b.read.Add(int64(n))
		if err == io.EOF {
			b.arrived.Store(true)
		}
		if closed {
			discarded += n
		} else if n > 0 {
			_, e := in.Write(buffer[:n])
			closed = e != nil
		}
		if err != nil {
			in.CloseWithError(err)
			return
		}
	}
}

// Bounds of drain. Over HTTP/1.1 no browser engine reads a response before it has
// sent its whole request; if the server closes the connection before, the script
// gets a network error instead of the status (measured with all engines).
const (
	maxDiscarded = 32 << 20        // bytes; eight times grpc-go's default limit for a message
	maxIdle      = 3 * time.Second // between two bytes from the client
)

// incomplete reports whether a part of the request has not been read yet, over
// HTTP/1.1. It returns false over HTTP/2.
func (b *requestBody) incomplete() bool {
	return b.filled != nil && !b.arrived.Load()
}

// drain waits until the client has sent its whole request, within maxDiscarded and
// maxIdle, so that the client reads the response.
func (b *requestBody) drain() {
	tick := time.NewTicker(maxIdle)
	defer tick.Stop()
	for before := b.read.Load(); ; before = b.read.Load() {
		select {
		case <-b.filled:
			return
		case <-tick.C:
			if b.read.Load() == before {
				return
			}
		}
	}
}

// fault is the gRPC status of a request that violates the protocol.
type fault struct{ code, message string }

// Read returns the well-formed bytes of the body. For a body that violates the
// protocol it then returns io.ErrUnexpectedEOF unwrapped: gRPC handlers treat only
// this error of a body as a protocol error.
func (b *requestBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.source.Read(p)
	var tooLarge *http.MaxBytesError
	if good := b.frames.follow(p[:n]); good < n {
		n, err = good, b.refuse(codeInternal, "the request is malformed: a message has reserved flags")
	} else if errors.As(err, &tooLarge) {
		err = b.refuse(codeResourceExhausted, "the request is larger than the server allows")
	} else if err == io.EOF && !b.frames.complete() || err == io.ErrUnexpectedEOF {
		message := "the request is malformed: it ends within a message"
		if b.text != nil && b.text.malformed {
			message = "the request is malformed: it is not valid base64"
		}
		err = b.refuse(codeInternal, message)
	}
	b.err = err
	return n, err
}

// refuse records the status of the request and returns the error of Read.
func (b *requestBody) refuse(code, message string) error {
	b.fault.Store(&fault{code, message})
	return io.ErrUnexpectedEOF
}

// Close makes current and later calls of Read fail.
func (b *requestBody) Close() error { return b.source.Close() }
