package probe

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxBodyBytes is how much of a body is read. The rest is dropped, as that of a stream without an end.
const maxBodyBytes = 1 << 20

// answer is what a server answered, kept for requests that are the same.
type answer struct {
	sent    []byte // the body of the request
	err     error  // why there is no response; nil if there is one
	status  int
	proto   string
	header  http.Header
	body    []byte
	cut     bool          // the body goes on
	elapsed time.Duration // until the response header
}

// send sends a request. A response whose body does not end in time is kept with a part of the body.
func send(transport http.RoundTripper, r *http.Request) *answer {
	begin := time.Now()
	response, err := transport.RoundTrip(r)
	if err != nil {
		return &answer{err: err}
	}
	defer response.Body.Close()
	if response.StatusCode < http.StatusOK {
		return &answer{err: &notFinalError{response.StatusCode}}
	}
	a := &answer{status: response.StatusCode, proto: response.Proto, header: response.Header, elapsed: time.Since(begin)}
	a.body, err = io.ReadAll(io.LimitReader(response.Body, maxBodyBytes+1))
	if err != nil || len(a.body) > maxBodyBytes {
		a.body, a.cut = a.body[:min(len(a.body), maxBodyBytes)], true
	}
	return a
}

// notFinalError is the error about a response whose status does not end an exchange, such as 101, which no
// request asked for. Browsers treat it as a network error.
type notFinalError struct{ status int }

func (e *notFinalError) Error() string {
	return fmt.Sprintf("the response has status %d, which does not end an exchange", e.status)
}

// response returns the answer as the response to a request.
func (a *answer) response(r *http.Request) (*http.Response, error) {
	if a.err != nil {
		return nil, a.err
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)), StatusCode: a.status, Proto: a.proto, ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header.Clone(), Body: io.NopCloser(bytes.NewReader(a.body)), ContentLength: int64(len(a.body)), Request: r,
	}, nil
}

// decodedBody returns the body, decoded if it is compressed with gzip, which corsbrowser asks for.
func (a *answer) decodedBody() []byte {
	if !strings.EqualFold(a.header.Get("Content-Encoding"), "gzip") {
		return a.body
	}
	reader, err := gzip.NewReader(bytes.NewReader(a.body))
	if err != nil {
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(reader, maxBodyBytes)) // the part before an error
	return text
}

// keyOf returns a text that is the same for requests that differ only in fields that name the engine or
// the relation of page and server. It reads the body, replaces it, and returns it too.
func keyOf(r *http.Request) (key string, sent []byte, err error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", r.Method, r.URL)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if name != "User-Agent" && !strings.HasPrefix(name, "Sec-Fetch-") {
			fmt.Fprintf(&b, "%s: %q\n", name, r.Header[name])
		}
	}
	if r.Body == nil {
		return b.String(), nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBodyBytes+1))
	_ = r.Body.Close()
	switch {
	case err != nil:
		return "", nil, err
	case len(body) > maxBodyBytes:
		return "", nil, fmt.Errorf("the body of a request has more than %d MiB", maxBodyBytes>>20)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	b.Write(body)
	return b.String(), body, nil
}
