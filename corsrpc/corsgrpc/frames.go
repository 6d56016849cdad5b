package corsgrpc

import (
	"encoding/binary"
	"maps"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// A body of gRPC is a sequence of frames: a byte of flags, the payload's
// length in four bytes, the payload.
const (
	frameHeaderLen = 5
	flagCompressed = 0x01
	flagTrailers   = 0x80 // of gRPC-Web only: the payload is the trailers
)

// frames follows the frames of a body as its bytes go by, and keeps none of
// them.
type frames struct {
	header    [frameHeaderLen]byte
	headerLen int    // bytes of the header that went by
	payload   uint32 // bytes of the payload that are to come
}

// follow returns how many bytes of p are well formed: all of them, or those
// before a frame that is no message.
func (f *frames) follow(p []byte) int {
	rest := p
	for len(rest) > 0 {
		if f.payload > 0 {
			n := min(uint64(len(rest)), uint64(f.payload))
			f.payload -= uint32(n)
			rest = rest[n:]
			continue
		}
		if f.headerLen == 0 && rest[0]&^flagCompressed != 0 {
			return len(p) - len(rest)
		}
		n := copy(f.header[f.headerLen:], rest)
		f.headerLen += n
		rest = rest[n:]
		if f.headerLen == frameHeaderLen {
			f.headerLen = 0
			f.payload = binary.BigEndian.Uint32(f.header[1:])
		}
	}
	return len(p)
}

// complete reports whether the body may end here.
func (f *frames) complete() bool {
	return f.headerLen == 0 && f.payload == 0
}

// The trailers that make a status.
const (
	statusKey  = "grpc-status"
	messageKey = "grpc-message"
	detailsKey = "grpc-status-details-bin"
)

// trailers are the trailers of an answer, by names in lower case.
type trailers map[string][]string

// add adds values under a name of whatever letter case. What no header can
// hold is left out or cleaned, as net/http does, so that no value ends its
// line and forges another trailer.
func (t trailers) add(name string, values []string) {
	if !httpguts.ValidTrailerHeader(http.CanonicalHeaderKey(name)) || !httpguts.ValidHeaderFieldName(name) {
		return
	}
	name = strings.ToLower(name)
	for _, v := range values {
		t[name] = append(t[name], strings.Trim(lineEnds.Replace(v), " \t"))
	}
}

var lineEnds = strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ")

// fail replaces the status. The message is plain ASCII without "%", which
// needs no encoding.
func (t trailers) fail(code, message string) {
	t[statusKey] = []string{code}
	t[messageKey] = []string{message}
	delete(t, detailsKey)
}

// The codes that this package answers with itself.
const (
	codeUnknown           = "2"
	codeResourceExhausted = "8"
	codeInternal          = "13"
)

// status is the status that the trailers carry, "" where they carry none or
// more than one.
func (t trailers) status() string {
	values := t[statusKey]
	if len(values) != 1 || values[0] == "" || len(values[0]) > 5 || strings.Trim(values[0], "0123456789") != "" {
		return ""
	}
	return values[0]
}

// frame is the trailers as the last frame of a gRPC-Web answer: lines as in
// HTTP/1.1, the names in lower case, the status first.
func (t trailers) frame() []byte {
	names := slices.SortedFunc(maps.Keys(t), func(a, b string) int {
		if (a == statusKey) != (b == statusKey) {
			if a == statusKey {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	frame := []byte{flagTrailers, 0, 0, 0, 0}
	for _, name := range names {
		for _, v := range t[name] {
			frame = append(frame, name+": "+v+"\r\n"...)
		}
	}
	binary.BigEndian.PutUint32(frame[1:frameHeaderLen], uint32(len(frame)-frameHeaderLen))
	return frame
}
