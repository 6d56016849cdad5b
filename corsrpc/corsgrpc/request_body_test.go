package corsgrpc

import (
	"io"
	"net/http"
	"testing"
)

// endless is a body that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestDrainIsBounded would not end if a client could keep a finished call
// busy by sending on.
func TestDrainIsBounded(t *testing.T) {
	t.Parallel()
	b := newRequestBody(&http.Request{ProtoMajor: 1, ContentLength: 1 << 40, Body: io.NopCloser(endless{})})
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b.drain()
	if read := b.read.Load(); read < mostDiscarded || read > mostDiscarded+1<<20 {
		t.Errorf("%d bytes were read, want %d or a little more", read, mostDiscarded)
	}
	if !b.stillComes() {
		t.Error("the request has not arrived")
	}
}
