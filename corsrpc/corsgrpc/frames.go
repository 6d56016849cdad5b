package corsgrpc

import (
	"encoding/binary"
	"maps"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// The body of a gRPC request or response is a sequence of frames. A frame is a
// byte of flags, the length of the payload in four bytes, and the payload.
const (
	frameHeaderLen = 5
	flagCompressed = 0x01
	flagTrailers   = 0x80 // gRPC-Web only: the payload is the trailers
)

// frames is a parser that checks the frames of a body incrementally. It does not
// buffer payloads.
type frames struct {
	header    [frameHeaderLen]byte
	headerLen int    // bytes of the current frame header parsed so far
	payload   uint32 // bytes of the current payload still expected
}

// follow parses the next bytes of the body. It returns how many of them are well
// formed: all of p, or the bytes before a frame with reserved flags.
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

// complete reports whether the parsed bytes end at a frame boundary.
func (f *frames) complete() bool {
	return f.headerLen == 0 && f.payload == 0
}

// The names of the trailers that carry the status.
const (
	statusKey  = "grpc-status"
	messageKey = "grpc-message"
	detailsKey = "grpc-status-details-bin"
)

// trailers holds the trailers of a response, by name in lower case.
type trailers map[string][]string

// add adds values to a trailer; the letter case of the name does not matter. It
// drops invalid names and replaces line ends in values, as net/http does: a value
// with a line end could forge another trailer.
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

// fail replaces the status. The message must be printable ASCII without "%", since
// it is not percent-encoded.
func (t trailers) fail(code, message string) {
	t[statusKey] = []string{code}
	t[messageKey] = []string{message}
	delete(t, detailsKey)
}

// The gRPC status codes that this package sends itself.
const (
	codeUnknown           = "2"
	codeResourceExhausted = "8"
	codeInternal          = "13"
)

// status returns the value of grpc-status, or "" if it is missing, repeated or not
// a number.
func (t trailers) status() string {
	values := t[statusKey]
	if len(values) != 1 || values[0] == "" || len(values[0]) > 5 || strings.Trim(values[0], "0123456789") != "" {
		return ""
	}
	return values[0]
}

// frame encodes the trailers as the last frame of a gRPC-Web response: lines as in
// HTTP/1.1, with names in lower case and the status first.
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
