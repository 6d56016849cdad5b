package corsgrpc

import (
	"io"
	"net/http"
	"sync/atomic"
)

// requestBody is the body of a gRPC-Web request as the gRPC handler reads it.
// One goroutine reads it, another may close it.
type requestBody struct {
	source  io.ReadCloser
	text    *textReader // below, where the request came as text
	frames  frames
	err     error                  // what every further Read returns
	arrived atomic.Bool            // the whole request has
	wrong   atomic.Pointer[string] // what is wrong with the request
}

// newRequestBody returns the request's body. Over HTTP/1.1 it can be closed
// while it is being read: gRPC handlers do that to end a call of which they
// have seen enough, and there net/http's own body would wait for the client.
func newRequestBody(r *http.Request) *requestBody {
	b := &requestBody{source: r.Body}
	b.text, _ = r.Body.(*textReader)
	switch {
	case r.Body == http.NoBody:
		b.arrived.Store(true)
	case r.ProtoMajor < 2:
		pipe, in := io.Pipe()
		b.source = pipe
		go b.fill(in, r.Body, make([]byte, min(max(r.ContentLength, 512), 32<<10)))
	}
	return b
}

// fill reads the body until its end, or until the pipe is closed and the
// client sends more or goes away. net/http waits for that.
func (b *requestBody) fill(in *io.PipeWriter, body io.Reader, room []byte) {
	for {
		n, err := body.Read(room)
		if err == io.EOF {
			b.arrived.Store(true)
		}
		if n > 0 {
			if _, closed := in.Write(room[:n]); closed != nil {
				return
			}
		}
		if err != nil {
			in.CloseWithError(err)
			return
		}
	}
}

// Read passes on what is well formed. After that it returns
// io.ErrUnexpectedEOF itself, which gRPC handlers know: no other error of a
// body is a protocol error to them.
func (b *requestBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.source.Read(p)
	if good := b.frames.follow(p[:n]); good < n {
		n, err = good, b.malformed("the request is malformed: a message has reserved flags")
	} else if err == io.EOF && !b.frames.complete() || err == io.ErrUnexpectedEOF {
		what := "the request is malformed: it ends within a message"
		if b.text != nil && b.text.malformed {
			what = "the request is malformed: it is no base64"
		}
		err = b.malformed(what)
	}
	b.err = err
	return n, err
}

func (b *requestBody) malformed(what string) error {
	b.wrong.Store(&what)
	return io.ErrUnexpectedEOF
}

// Close ends a Read that waits for the client, and the next ones.
func (b *requestBody) Close() error { return b.source.Close() }
