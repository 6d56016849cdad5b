package main

import (
	"encoding/binary"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
)

// The enumerations of the suite, as far as the gateway has its own choice.
const (
	protocolGRPC = 2
	http1, http2 = 1, 2
)

// request is the suite's message ServerCompatRequest, whose Go type is internal to the suite.
//
// See https://github.com/connectrpc/conformance/blob/main/proto/connectrpc/conformance/v1/server_compat.proto.
type request struct {
	protocol, httpVersion uint64
	useTLS                bool
	clientCertificate     []byte // the authority of client certificates, empty if there are none
	messageLimit          uint64
	certificate, key      []byte // of the server
	hasServerCredentials  bool
}

// behind returns the request for the server behind the gateway.
func (r *request) behind(scheme string) *request {
	server := *r
	server.clientCertificate = nil
	server.useTLS = scheme == "https"
	server.hasServerCredentials = server.useTLS && r.hasServerCredentials
	server.httpVersion = http2
	switch scheme {
	case "http":
		server.httpVersion = http1
	case "grpc":
		server.protocol = protocolGRPC
	}
	return &server
}

func (r *request) append(b []byte) []byte {
	b = appendNumber(b, 1, r.protocol)
	b = appendNumber(b, 2, r.httpVersion)
	b = appendNumber(b, 4, protowire.EncodeBool(r.useTLS))
	b = appendBytes(b, 5, r.clientCertificate)
	b = appendNumber(b, 6, r.messageLimit)
	if r.hasServerCredentials {
		b = appendBytes(b, 7, appendBytes(appendBytes(nil, 1, r.certificate), 2, r.key))
	}
	return b
}

func (r *request) field(number protowire.Number, n uint64, value []byte) error {
	switch number {
	case 1:
		r.protocol = n
	case 2:
		r.httpVersion = n
	case 4:
		r.useTLS = protowire.DecodeBool(n)
	case 5:
		r.clientCertificate = value
	case 6:
		r.messageLimit = n
	case 7:
		r.hasServerCredentials = true
		return fields(value, func(number protowire.Number, _ uint64, value []byte) error {
			switch number {
			case 1:
				r.certificate = value
			case 2:
				r.key = value
			}
			return nil
		})
	}
	return nil
}

// response is the suite's message ServerCompatResponse.
type response struct {
	host        string
	port        uint64
	certificate []byte // empty without TLS
}

func (r *response) append(b []byte) []byte {
	b = appendBytes(b, 1, []byte(r.host))
	b = appendNumber(b, 2, r.port)
	return appendBytes(b, 3, r.certificate)
}

func (r *response) field(number protowire.Number, n uint64, value []byte) error {
	switch number {
	case 1:
		r.host = string(value)
	case 2:
		r.port = n
	case 3:
		r.certificate = value
	}
	return nil
}

func appendNumber(b []byte, field protowire.Number, n uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), n)
}

func appendBytes(b []byte, field protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), value)
}

// fields calls a function for each field of a message, with its number or its bytes.
func fields(b []byte, each func(field protowire.Number, n uint64, value []byte) error) error {
	for len(b) > 0 {
		field, kind, size := protowire.ConsumeTag(b)
		if size < 0 {
			return protowire.ParseError(size)
		}
		b = b[size:]
		var n uint64
		var value []byte
		switch kind {
		case protowire.VarintType:
			n, size = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			value, size = protowire.ConsumeBytes(b)
		default:
			size = protowire.ConsumeFieldValue(field, kind, b)
		}
		if size < 0 {
			return protowire.ParseError(size)
		}
		if err := each(field, n, value); err != nil {
			return err
		}
		b = b[size:]
	}
	return nil
}

// readMessage reads a message with the length in front.
func readMessage(r io.Reader, into interface {
	field(field protowire.Number, n uint64, value []byte) error
}) error {
	var size uint32
	if err := binary.Read(r, binary.BigEndian, &size); err != nil {
		return err
	}
	message := make([]byte, min(size, 1<<20)) // the suite's own bound
	if _, err := io.ReadFull(r, message); err != nil {
		return err
	}
	return fields(message, into.field)
}

func writeMessage(w io.Writer, message []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(message))), message...))
	return err
}
