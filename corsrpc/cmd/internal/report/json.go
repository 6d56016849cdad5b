package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// SchemaVersion is the version of the JSON documents. It rises if a field is removed or changes its
// meaning; new fields leave it as it is.
const SchemaVersion = 1

// Header is the beginning of each JSON document. A document is a struct that embeds it first.
type Header struct {
	// SchemaVersion is the version of the document, and Command the subcommand that wrote it.
	SchemaVersion int    `json:"schema_version"`
	Command       string `json:"command"`
}

func (h *Header) setHeader(command string) { *h = Header{SchemaVersion, command} }

// Document is a pointer to a struct that embeds Header.
type Document interface{ setHeader(command string) }

// NotNil returns an empty list for nil, so that JSON has [] and not null.
func NotNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// WriteDocument fills in the header of a JSON document and writes the document, indented by two
// spaces. It does not escape HTML, but every character that a terminal would execute.
func WriteDocument(w io.Writer, command string, d Document) error {
	d.setHeader(command)
	return writeJSON(w, d)
}

// writeJSON writes a value as JSON in printable characters.
func writeJSON(w io.Writer, value any) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return err
	}
	_, err := w.Write(printableJSON(b.Bytes()))
	return err
}

// printableJSON escapes the characters of a JSON text that are not printable. encoding/json leaves
// most of those beyond ASCII as they are. They occur within strings only.
func printableJSON(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case r == '\n' || unicode.IsPrint(r):
			out = append(out, text[:size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		text = text[size:]
	}
	return out
}
