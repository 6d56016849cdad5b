package corsgrpc_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// mode is a mode of gRPC-Web: binary or text.
type mode struct {
	name        string
	contentType string
	text        bool
}

var (
	binaryMode = mode{"binary", "application/grpc-web+proto", false}
	textMode   = mode{"text", "application/grpc-web-text+proto", true}
	modes      = []mode{binaryMode, textMode}
)

// frame returns the frame of a message.
func frame(t testing.TB, message string) []byte {
	t.Helper()
	payload, err := proto.Marshal(wrapperspb.String(message))
	if err != nil {
		t.Fatal(err)
	}
	return rawFrame(0, payload)
}

// rawFrame returns a frame with flags and a payload.
func rawFrame(flags byte, payload []byte) []byte {
	f := binary.BigEndian.AppendUint32([]byte{flags}, uint32(len(payload)))
	return append(f, payload...)
}

// request returns the request of a call to a method, with the frames as its body.
func (m mode) request(t testing.TB, url, method string, frames []byte) *http.Request {
	t.Helper()
	if m.text {
		frames = []byte(base64.StdEncoding.EncodeToString(frames))
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/test.v1.TestService/"+method, bytes.NewReader(frames))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", m.contentType)
	r.Header.Set("X-Grpc-Web", "1")
	return r
}

// answer is a parsed response. It is parsed as strictly as by the strictest client.
type answer struct {
	status   int
	header   http.Header
	messages []string
	trailers map[string][]string // names in the letter case of the frame; nil if there is no trailer frame
}

// send sends a request and parses the response.
func send(t testing.TB, client *http.Client, r *http.Request) answer {
	t.Helper()
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Trailer) > 0 {
		t.Errorf("the response has HTTP trailers, which browsers do not read: %v", res.Trailer)
	}
	a := answer{status: res.StatusCode, header: res.Header}
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "application/grpc-web") {
		a.messages = []string{string(body)}
		return a
	}
	if strings.HasPrefix(res.Header.Get("Content-Type"), textMode.contentType) {
		if body, err = decodeText(string(body)); err != nil {
			t.Fatalf("the body is not valid base64: %v", err)
		}
	}
	if err := a.parse(body); err != nil {
		t.Fatalf("%v in %q", err, body)
	}
	return a
}

// decodeText decodes base64 with padding at any place.
func decodeText(s string) ([]byte, error) {
	var out []byte
	for len(s) > 0 {
		if len(s) < 4 {
			return nil, errors.New("not a group of four")
		}
		group, err := base64.StdEncoding.DecodeString(s[:4])
		if err != nil {
			return nil, err
		}
		out, s = append(out, group...), s[4:]
	}
	return out, nil
}

// parse parses the frames of a body.
func (a *answer) parse(body []byte) error {
	for len(body) > 0 {
		if a.trailers != nil {
			return errors.New("the body has bytes after the trailer frame")
		}
		if len(body) < 5 || uint64(len(body)-5) < uint64(binary.BigEndian.Uint32(body[1:])) {
			return errors.New("the body ends within a frame")
		}
		n := binary.BigEndian.Uint32(body[1:])
		flags, payload := body[0], body[5:5+n]
		body = body[5+n:]
		switch flags {
		case 0:
			var message wrapperspb.StringValue
			if err := proto.Unmarshal(payload, &message); err != nil {
				return err
			}
			a.messages = append(a.messages, message.GetValue())
		case 0x80:
			a.trailers = map[string][]string{}
			for line := range strings.SplitSeq(strings.TrimSuffix(string(payload), "\r\n"), "\r\n") {
				name, value, ok := strings.Cut(line, ": ")
				if !ok {
					return fmt.Errorf("%q is not a trailer", line)
				}
				a.trailers[name] = append(a.trailers[name], value)
			}
		default:
			return fmt.Errorf("a frame has the flags %#x", flags)
		}
	}
	return nil
}

// lines formats headers or trailers as one text, sorted by name.
func lines(h map[string][]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(h)) {
		all = append(all, name+": "+strings.Join(h[name], "|"))
	}
	return strings.Join(all, ", ")
}

// metadataIn formats the headers that the service set, with names in lower case.
func metadataIn(h http.Header) string {
	own := map[string][]string{}
	for name, values := range h {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-") && lower != "x-content-type-options" {
			own[lower] = values
		}
	}
	return lines(own)
}
