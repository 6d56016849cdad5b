package corsgrpc

import (
	"io"
	"net/http"
	"testing"
)

// endless is a body without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestDrainIsBounded: drain returns after maxDiscarded bytes even if the client keeps
// sending.
func TestDrainIsBounded(t *testing.T) {
	t.Parallel()
	b := newRequestBody(&http.Request{ProtoMajor: 1, ContentLength: 1 << 40, Body: io.NopCloser(endless{})})
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b.drain()
	if read := b.read.Load(); read < maxDiscarded || read > maxDiscarded+1<<20 {
		t.Errorf("%d bytes were read, want %d or a little more", read, maxDiscarded)
	}
	if !b.incomplete() {
		t.Error("the request counts as completely read")
	}
}
