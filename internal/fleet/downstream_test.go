//go:build fleet

package fleet_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// rawRequest is a request that is sent as it is, without the checks and changes of an HTTP client.
type rawRequest struct {
	method, host, path string
	secure             bool        // over TLS
	fields             [][2]string // names and values, in their order
	body               string
}

// protocols are the protocols in which a client speaks to Envoy.
var protocols = []struct {
	name string
	send func(net.Conn, rawRequest) (response, error)
}{
	{"http/1.1", sendHTTP1},
	{"h2", sendHTTP2},
}

// connect opens a connection to Envoy for one request.
func connect(t failer, addr, protocol string, secure bool) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(testTimeout)); err != nil {
		t.Fatal(err)
	}
	if !secure {
		return conn
	}
	return tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{protocol}}) //nolint:gosec // the certificate is of the test
}

// sendHTTP1 sends a request in HTTP/1.1, and reads the answer.
func sendHTTP1(conn net.Conn, r rawRequest) (response, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.method, r.path, r.host)
	for _, f := range r.fields {
		fmt.Fprintf(&b, "%s: %s\r\n", f[0], f[1])
	}
	if r.body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(r.body))
	}
	b.WriteString("\r\n" + r.body)
	if _, err := conn.Write(b.Bytes()); err != nil {
		return response{}, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: r.method})
	if err != nil {
		return response{}, err
	}
	defer resp.Body.Close()
	if len(resp.Trailer) > 0 {
		resp.Header["Trailer"] = slices.Sorted(maps.Keys(resp.Trailer)) // ReadResponse has moved it
	}
	body, err := io.ReadAll(resp.Body)
	return response{resp.StatusCode, resp.Header, string(body)}, err
}

// sendHTTP2 sends a request in HTTP/2, frame by frame, and reads the answer. The names of fields are written in small
// letters. A handshake of a WebSocket becomes an extended CONNECT (RFC 8441).
func sendHTTP2(conn net.Conn, r rawRequest) (response, error) {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	write := func(name, value string) { _ = encoder.WriteField(hpack.HeaderField{Name: name, Value: value}) } // a Buffer takes all
	scheme := "http"
	if r.secure {
		scheme = "https"
	}
	handshake := slices.Contains(r.fields, [2]string{"Upgrade", "websocket"})
	if handshake {
		write(":method", http.MethodConnect)
		write(":protocol", "websocket")
	} else {
		write(":method", r.method)
	}
	write(":scheme", scheme)
	write(":authority", r.host)
	write(":path", r.path)
	for _, f := range r.fields {
		if name := strings.ToLower(f[0]); !handshake || name != "upgrade" && name != "connection" {
			write(name, f[1])
		}
	}
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		return response{}, err
	}
	framer := http2.NewFramer(conn, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if err := framer.WriteSettings(); err != nil {
		return response{}, err
	}
	const frame = 16 << 10
	for fragment, first := block.Bytes(), true; first || len(fragment) > 0; first = false {
		part := fragment[:min(len(fragment), frame)]
		fragment = fragment[len(part):]
		var err error
		if first {
			err = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: part, EndHeaders: len(fragment) == 0, EndStream: r.body == "" && !handshake})
		} else {
			err = framer.WriteContinuation(1, len(fragment) == 0, part)
		}
		if err != nil {
			return response{}, err
		}
	}
	if r.body != "" {
		if err := framer.WriteData(1, true, []byte(r.body)); err != nil {
			return response{}, err
		}
	}
	return readHTTP2(framer)
}

// readHTTP2 reads the answer to the first request of a connection. Trailers become part of the header.
func readHTTP2(framer *http2.Framer) (response, error) {
	answer := response{header: http.Header{}}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return answer, err
		}
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if f.IsAck() {
				continue
			}
			if err := framer.WriteSettingsAck(); err != nil {
				return answer, err
			}
		case *http2.MetaHeadersFrame:
			if status := f.PseudoValue("status"); status != "" {
				if answer.status, err = strconv.Atoi(status); err != nil {
					return answer, err
				}
			}
			for _, field := range f.RegularFields() {
				answer.header.Add(field.Name, field.Value)
			}
		case *http2.DataFrame:
			answer.body += string(f.Data())
		case *http2.RSTStreamFrame:
			return answer, fmt.Errorf("the stream was reset: %v", f.ErrCode)
		case *http2.GoAwayFrame:
			return answer, fmt.Errorf("the connection was ended: %v", f.ErrCode)
		}
		if f, ok := frame.(interface{ StreamEnded() bool }); ok && f.StreamEnded() && answer.status >= 200 {
			return answer, nil
		}
	}
}
