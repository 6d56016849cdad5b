package corsgrpc

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzFrames: for any sequence of reads, requestBody returns the longest well-formed
// prefix of the body, and an error unless the whole body is well formed.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x01a\x01\x00\x00\x00\x00"), uint8(1))
	f.Add([]byte("\x00\x00\x00\x00\x01a\x80\x00\x00\x00\x00"), uint8(3))
	f.Add([]byte("\x00\xff\xff\xff\xffabc"), uint8(0))
	f.Add([]byte("\x00\x00"), uint8(255))
	f.Add([]byte("\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00"), uint8(0))
	f.Fuzz(func(t *testing.T, body []byte, cut uint8) {
		want, whole := wellFormed(body)
		b := newRequestBody(&http.Request{ProtoMajor: 1 + int(cut%2), Body: io.NopCloser(&cutReader{rest: body, cut: int(cut)})})
		got, err := io.ReadAll(b)
		if !bytes.Equal(got, want) {
			t.Errorf("%q passed, want %q", got, want)
		}
		if whole != (err == nil) || err != nil && err != io.ErrUnexpectedEOF {
			t.Errorf("error %v; the body is well formed: %t", err, whole)
		}
		if (b.fault.Load() != nil) == whole {
			t.Errorf("fault %v; the body is well formed: %t", b.fault.Load(), whole)
		}
		if n, again := b.Read(make([]byte, 8)); n != 0 || !errors.Is(again, io.EOF) && again != io.ErrUnexpectedEOF {
			t.Errorf("Read after the end: %d, %v", n, again)
		}
	})
}

// wellFormed returns the longest well-formed prefix of a body, and whether the whole
// body is well formed.
func wellFormed(body []byte) (passed []byte, whole bool) {
	for at := 0; at < len(body); {
		if body[at] > 1 {
			return body[:at], false
		}
		if len(body)-at < 5 {
			return body, false
		}
		end := uint64(at) + 5 + uint64(binary.BigEndian.Uint32(body[at+1:]))
		if end > uint64(len(body)) {
			return body, false
		}
		at = int(end)
	}
	return body, true
}

// FuzzText: textReader decodes base64 with padding at any place, part by part, and
// fails for every other text.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "QQ==", "QUI=QUJD", "QQ==QQ==", "QR==", "Q===", "QUJD\nQUJD", "QUJ", "====", "Q=Q=", "-_-_", "AAAA="} {
		f.Add([]byte(s), uint8(len(s)))
	}
	f.Fuzz(func(t *testing.T, body []byte, cut uint8) {
		var want []byte
		whole := true
		for at := 0; at < len(body) && whole; at += 4 {
			group, err := base64.StdEncoding.Strict().DecodeString(string(body[at:min(at+4, len(body))]))
			if err != nil || bytes.ContainsAny(body[at:min(at+4, len(body))], "\r\n") {
				whole = false
				break
			}
			want = append(want, group...)
		}
		reader := &textReader{source: io.NopCloser(&cutReader{rest: body, cut: int(cut)})}
		got, err := io.ReadAll(reader)
		if whole && (err != nil || !bytes.Equal(got, want)) || !whole && (err != io.ErrUnexpectedEOF || !reader.malformed) {
			t.Fatalf("%q, %v; want %q, valid: %t", got, err, want, whole)
		}
		if !bytes.HasPrefix(want, got) {
			t.Fatalf("decoded %q, want a prefix of %q", got, want)
		}
	})
}

// FuzzTextAnswer: the client decodes the bytes that the handler wrote, for any
// sequence of writes and flushes.
func FuzzTextAnswer(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x03abc"), []byte{1, 5, 0, 200})
	f.Add(bytes.Repeat([]byte("0123456789"), 50), []byte{255, 254, 1})
	f.Fuzz(func(t *testing.T, body, cuts []byte) {
		recorder := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(""))
		r.Header.Set("Content-Type", typeWebText)
		Text(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", typeWeb)
			rest := body
			for _, c := range cuts {
				n := min(len(rest), int(c)*17)
				if m, err := w.Write(rest[:n]); m != n || err != nil {
					t.Errorf("Write returned %d of %d, %v", m, n, err)
				}
				rest = rest[n:]
				if c%3 == 0 {
					w.(http.Flusher).Flush()
				}
			}
			_, _ = w.Write(rest)
		})).ServeHTTP(recorder, r)
		got, err := io.ReadAll(&textReader{source: io.NopCloser(recorder.Body)})
		if err != nil || !bytes.Equal(got, body) {
			t.Errorf("%q, %v; want %q", got, err, body)
		}
	})
}

// FuzzTrailers: no name and no value of a trailer can forge another trailer.
func FuzzTrailers(f *testing.F) {
	f.Add("x-name", "value")
	f.Add("X-Name", "a\r\ngrpc-status: 0")
	f.Add("x\r\ngrpc-status: 0\r\nx", "a")
	f.Add("grpc-status", "0")
	f.Fuzz(func(t *testing.T, name, value string) {
		set := trailers{}
		set.add("Grpc-Status", []string{"7"})
		set.add(name, []string{value})
		frame := set.frame()
		if frame[0] != flagTrailers || int(binary.BigEndian.Uint32(frame[1:])) != len(frame)-5 {
			t.Fatalf("%q", frame)
		}
		text, ends := strings.CutSuffix(string(frame[5:]), "\r\n")
		lines := strings.Split(text, "\r\n")
		if !ends || lines[0] != "grpc-status: 7" || len(lines) > 2 || strings.ContainsAny(strings.Join(lines, ""), "\r\n\x00") {
			t.Fatalf("%q", frame)
		}
		if len(lines) == 2 && !strings.HasPrefix(lines[1], strings.ToLower(name)+": ") {
			t.Fatalf("%q", frame)
		}
	})
}

// cutReader returns a few bytes at a time. It returns io.EOF with the last bytes or
// after them.
type cutReader struct {
	rest []byte
	cut  int
}

func (r *cutReader) Read(p []byte) (int, error) {
	n := copy(p[:min(len(p), 1+r.cut%7*500+r.cut%3)], r.rest)
	r.rest = r.rest[n:]
	if len(r.rest) == 0 && (n == 0 || r.cut%2 == 0) {
		return n, io.EOF
	}
	return n, nil
}
