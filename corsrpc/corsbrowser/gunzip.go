package corsbrowser

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
)

// decode returns the response with its body decoded from gzip, and without the
// fields that describe the encoded body. Other content codings stay.
func decode(response *http.Response) (*http.Response, error) {
	if !strings.EqualFold(response.Header.Get("Content-Encoding"), "gzip") || response.Uncompressed {
		return response, nil
	}
	response.Header = response.Header.Clone()
	response.Header.Del("Content-Encoding")
	response.Header.Del("Content-Length")
	response.ContentLength, response.Uncompressed = -1, true
	response.Body = &gunzip{body: response.Body}
	return response, nil
}

// gunzip decodes a body. It opens the gzip stream at the first Read, since a
// response with Content-Encoding: gzip may have no body.
type gunzip struct {
	body   io.ReadCloser
	reader *gzip.Reader
	err    error
}

func (g *gunzip) Read(p []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	if g.reader == nil {
		if g.reader, g.err = gzip.NewReader(g.body); g.err != nil {
			return 0, g.err
		}
	}
	n, err := g.reader.Read(p)
	g.err = err
	return n, err
}

func (g *gunzip) Close() error {
	g.err = errors.New("corsbrowser: the body is closed")
	return g.body.Close()
}
