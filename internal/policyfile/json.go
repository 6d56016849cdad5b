package policyfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"google.golang.org/protobuf/proto"
)

func (f *File) parseJSON(text []byte, msg proto.Message) {
	r := &jsonReader{text: text, cursor: newCursor(), decoder: json.NewDecoder(bytes.NewReader(text))}
	r.decoder.UseNumber()
	root, err := r.value(0)
	if err == nil {
		if _, more := r.decoder.Token(); more == nil {
			err = errors.New("there is text after the {policy}")
		} else if !errors.Is(more, io.EOF) {
			err = more
		}
	}
	switch {
	case errors.Is(err, errTooDeep):
		f.fail(CodeTooDeep, r.here(), "", "is nested too deeply for a {policy}", "")
	case err != nil:
		if !f.trial {
			if m, ok := explained(func() (mistake, bool) { return explainJSON(text, msg) }); ok {
				f.reject(text, m)
				return
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the text ends too early")
		}
		f.fail(CodeSyntax, r.here(), "", "is not valid JSON: "+err.Error(), "")
	default:
		f.decode(root, msg)
	}
}

var errTooDeep = errors.New("too deep")

// jsonReader converts JSON tokens into nodes.
type jsonReader struct {
	text    []byte
	cursor  *cursor
	decoder *json.Decoder
}

// here returns the position of the next token, or of an error.
func (r *jsonReader) here() Position {
	i := int(r.decoder.InputOffset())
	for i < len(r.text) && bytes.IndexByte([]byte(" \t\r\n,:"), r.text[i]) >= 0 {
		i++
	}
	return r.cursor.at(r.text, i)
}

func (r *jsonReader) value(depth int) (*node, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	n := &node{pos: r.here()}
	token, err := r.decoder.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '[' {
			n.kind = listNode
			for r.decoder.More() {
				item, err := r.value(depth + 1)
				if err != nil {
					return nil, err
				}
				n.items = append(n.items, item)
			}
		} else {
			n.kind = mappingNode
			for r.decoder.More() {
				pos := r.here()
				key, err := r.decoder.Token()
				if err != nil {
					return nil, err
				}
				value, err := r.value(depth + 1)
				if err != nil {
					return nil, err
				}
				name, _ := key.(string)
				n.pairs = append(n.pairs, pair{name, pos, value})
			}
		}
		_, err := r.decoder.Token()
		return n, err
	case string:
		n.kind, n.text = stringNode, t
	case json.Number:
		n.kind, n.text = numberNode, t.String()
	case bool:
		n.kind, n.text = boolNode, "false"
		if t {
			n.text = "true"
		}
	default:
		n.text = "null"
	}
	return n, nil
}
