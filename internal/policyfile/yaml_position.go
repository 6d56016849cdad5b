package policyfile

import (
	"errors"
	"io"

	"go.yaml.in/yaml/v3"
)

// readYAML returns how many bytes of a text the library reads until it returns an error, and
// the error; nil if the text is valid. The library reads at most a few characters ahead of the
// character that its scanner refuses, and two tokens ahead of one that its parser refuses.
func readYAML(text []byte) (read int, err error) {
	r := &bytewise{text: text}
	d := yaml.NewDecoder(r)
	for {
		var doc yaml.Node
		switch err := decodeYAML(d, &doc); {
		case errors.Is(err, io.EOF):
			return r.read, nil
		case err != nil:
			return r.read, err
		}
	}
}

// bytewise is a reader that returns one byte at a time.
type bytewise struct {
	text []byte
	read int
}

func (r *bytewise) Read(p []byte) (int, error) {
	if r.read == len(r.text) {
		return 0, io.EOF
	}
	n := copy(p[:min(1, len(p))], r.text[r.read:])
	r.read += n
	return n, nil
}
