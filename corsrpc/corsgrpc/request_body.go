package corsgrpc

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// requestBody is the body of a gRPC-Web request as the gRPC handler reads it.
// One goroutine reads it, another may close it.
type requestBody struct {
	source io.ReadCloser
	text   *textReader // below, where the request came as text
	frames frames
	err    error                 // what every further Read returns
	fault  atomic.Pointer[fault] // what is wrong with the request

	arrived atomic.Bool   // all of the request
	read    atomic.Int64  // bytes, over HTTP/1.1
	filled  chan struct{} // closed when no more is read, over HTTP/1.1
}

// newRequestBody returns the request's body. Over HTTP/1.1 it can be closed
// while it is being read: gRPC handlers do that to end a call of which they
// have seen enough, and there net/http's own body would wait for the client.
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

// fill reads the body into the pipe, and after the pipe was closed discards
// what still comes. It ends with the body; at the latest when the HTTP handler
// has returned, since net/http ends a Read then.
func (b *requestBody) fill(in *io.PipeWriter, body io.Reader, room []byte) {
	defer close(b.filled)
	closed, discarded := false, 0
	for discarded <= mostDiscarded {
		n, err := body.Read(room)
		b.read.Add(int64(n))
		if err == io.EOF {
			b.arrived.Store(true)
		}
		if closed {
			discarded += n
		} else if n > 0 {
			_, e := in.Write(room[:n])
			closed = e != nil
		}
		if err != nil {
			in.CloseWithError(err)
			return
		}
	}
}

// A browser reads no answer over HTTP/1.1 before it has sent its request, or
// finds the connection reset (measured with all engines): without this, a
// message beyond the server's limit would be a network error to the script.
const (
	mostDiscarded = 32 << 20        // bytes, eight times the limit that grpc-go has by default
	patience      = 3 * time.Second // with a client that sends nothing
)

// stillComes reports whether the client has not sent all of its request, over
// HTTP/1.1.
func (b *requestBody) stillComes() bool {
	return b.filled != nil && !b.arrived.Load()
}

// drain waits until the client has sent its request, so that it reads the
// answer, which has been sent; not for ever.
func (b *requestBody) drain() {
	tick := time.NewTicker(patience)
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

// fault is why a request ends with an error of the protocol.
type fault struct{ code, message string }

// Read passes on what is well formed. After that it returns
// io.ErrUnexpectedEOF itself, which gRPC handlers know: no other error of a
// body is a protocol error to them.
func (b *requestBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.source.Read(p)
	var tooLarge *http.MaxBytesError
	if good := b.frames.follow(p[:n]); good < n {
		n, err = good, b.refuse(codeInternal, "the request is malformed: a message has reserved flags")
	} else if errors.As(err, &tooLarge) {
		err = b.refuse(codeResourceExhausted, "the request is larger than the server takes")
	} else if err == io.EOF && !b.frames.complete() || err == io.ErrUnexpectedEOF {
		what := "the request is malformed: it ends within a message"
		if b.text != nil && b.text.malformed {
			what = "the request is malformed: it is no base64"
		}
		err = b.refuse(codeInternal, what)
	}
	b.err = err
	return n, err
}

func (b *requestBody) refuse(code, message string) error {
	b.fault.Store(&fault{code, message})
	return io.ErrUnexpectedEOF
}

// Close ends a Read that waits for the client, and the next ones.
func (b *requestBody) Close() error { return b.source.Close() }
