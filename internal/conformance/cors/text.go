package cors

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"
)

// inText changes binary requests to text mode for h, and h's responses in text mode to
// binary.
func inText(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		format, web := strings.CutPrefix(r.Header.Get("Content-Type"), "application/grpc-web")
		if !web {
			h.ServeHTTP(w, r)
			return
		}
		encoded, in := io.Pipe()
		body := r.Body
		go func() {
			// Each part is padded, so that no part of a stream waits for the next one.
			_, err := io.Copy(writerFunc(func(p []byte) (int, error) {
				_, err := io.WriteString(in, base64.StdEncoding.EncodeToString(p))
				return len(p), err
			}), body)
			in.CloseWithError(err)
		}()
		defer encoded.Close()
		call := r.Clone(r.Context())
		call.Header.Set("Content-Type", "application/grpc-web-text"+format)
		call.Header.Del("Content-Length")
		call.ContentLength, call.Body = -1, encoded
		h.ServeHTTP(&decoder{ResponseWriter: w}, call)
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// decoder is a ResponseWriter that decodes base64. Each Write must have complete groups of
// four characters.
type decoder struct {
	http.ResponseWriter
	text bool
}

func (d *decoder) Unwrap() http.ResponseWriter { return d.ResponseWriter }

func (d *decoder) WriteHeader(status int) {
	header := d.Header()
	if format, text := strings.CutPrefix(header.Get("Content-Type"), "application/grpc-web-text"); text {
		d.text = true
		header.Set("Content-Type", "application/grpc-web"+format)
	}
	d.ResponseWriter.WriteHeader(status)
}

func (d *decoder) Write(p []byte) (int, error) {
	if !d.text {
		return d.ResponseWriter.Write(p)
	}
	for at := 0; at < len(p); at += 4 {
		group, err := base64.StdEncoding.DecodeString(string(p[at:min(at+4, len(p))]))
		if err != nil {
			return at, err
		}
		if _, err := d.ResponseWriter.Write(group); err != nil {
			return at, err
		}
	}
	return len(p), nil
}

func (d *decoder) Flush() { _ = http.NewResponseController(d.ResponseWriter).Flush() }
