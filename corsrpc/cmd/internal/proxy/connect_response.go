package proxy

import (
	"encoding/binary"
	"errors"
	"io"
	"net/http"

	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// connectStream is the body of the response to a Connect stream. A read that fails between two messages adds the
// message that ends the stream, with the error.
//
// See https://connectrpc.com/docs/protocol#streaming-response.
type connectStream struct {
	io.ReadCloser
	response *http.Response
	upstream *Upstream

	envelope [5]byte // the flags of a message and its length; the first begun bytes are there
	begun    int
	left     int64 // the bytes of the message that are still to come
	last     bool  // whether the message is the one that ends the stream
	rest     string
	ended    bool // whether the read has failed: rest is what follows
}

func (b *connectStream) Read(p []byte) (int, error) {
	if !b.ended {
		n, err := b.ReadCloser.Read(p)
		b.follow(p[:n])
		if err == nil || errors.Is(err, io.EOF) || b.begun > 0 || b.last {
			return n, err
		}
		c, message, ok := b.upstream.broken(b.response.Request, err)
		if !ok {
			return n, err
		}
		b.ended, b.rest = true, c.connectEnd(message)
		if n > 0 {
			return n, nil
		}
	}
	if b.rest == "" {
		return 0, io.EOF
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// follow follows the messages. At the end of a message, begun is 0.
func (b *connectStream) follow(data []byte) {
	for len(data) > 0 {
		if b.begun < len(b.envelope) {
			n := copy(b.envelope[b.begun:], data)
			b.begun += n
			data = data[n:]
			if b.begun < len(b.envelope) {
				return
			}
			b.left = int64(binary.BigEndian.Uint32(b.envelope[1:]))
			b.last = b.last || b.envelope[0]&rpc.EndStream != 0
		}
		n := min(b.left, int64(len(data)))
		b.left -= n
		data = data[n:]
		if b.left == 0 {
			b.begun = 0
		}
	}
}
