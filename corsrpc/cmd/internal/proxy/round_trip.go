package proxy

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// RoundTrip sends a request once. net/http repeats a GET whose connection breaks; a body that it cannot
// rewind prevents that.
func (u *Upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case (r.Body == nil || r.Body == http.NoBody) && repeatable(r):
		r.Body, r.GetBody = &emptyBody{}, nil // not for others: a POST would get Transfer-Encoding instead of Content-Length: 0
	case 0 < r.ContentLength && r.ContentLength <= maxReadFirst:
		if err := readFirst(r); err != nil {
			return nil, err
		}
	}
	response, err := u.transport.Load().RoundTrip(r)
	if err == nil && !u.answered.Load() {
		u.answered.Store(true)
	}
	return response, err
}

// maxReadFirst is the size up to which a body is read before the request is sent. Header and body then fit
// into the buffer of net/http.Transport, which has 4 KiB.
const maxReadFirst = 3 << 10

// readFirst reads a short body of known length, so that net/http sends header and body in one piece. A body
// whose length its sender knows does not wait for the response. A client that sends slowly, moreover, does
// not keep a connection to the upstream busy.
func readFirst(r *http.Request) error {
	body := make([]byte, r.ContentLength)
	_, err := io.ReadFull(r.Body, body)
	if closeErr := r.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("the body of the request: %w", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// repeatable reports whether net/http may repeat a request without a body, as http.Transport documents it.
func repeatable(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return len(r.Header["Idempotency-Key"])+len(r.Header["X-Idempotency-Key"]) > 0
}

// emptyBody is an empty body that is not http.NoBody.
type emptyBody struct{}

func (*emptyBody) Read([]byte) (int, error) { return 0, io.EOF }
func (*emptyBody) Close() error             { return nil }
