package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// row is a call of a method, and the result that the script is expected to read. cell.want adapts the result to the server and
// the client; cells leaves out the calls that a client or a server does not support.
type row struct {
	name     string
	method   string
	requests []json.RawMessage
	get      bool // the call is a GET, which only Connect supports

	// The expected reading. COOKIES in a message is replaced by the cookies that arrive.
	messages []json.RawMessage
	headers  string
	trailers string
	err      *wantError
	errV1    *wantError // the error of connect v1, if it differs from that of v2
	// neverSent: the client refuses to make the call, so nothing reaches the server, not even a preflight.
	neverSent bool
}

// wantError is an expected error.
type wantError struct {
	code, message string
	details       []json.RawMessage
	metadata      string
}

// The headers and trailers of each method of the showcase. The bytes of the binary header are 1, 2, 3.
func headOf(method string) string  { return "bin: AQID, header: head-" + method }
func trailOf(method string) string { return "trailer: trail-" + method }

// failure returns the service's error. In the official client the metadata of an error is the union of the error's metadata,
// the response headers and the trailers.
func failure(method string) *wantError {
	return &wantError{
		code:     "FailedPrecondition",
		message:  "on purpose",
		details:  messages(`{"hint":"hint"}`),
		metadata: "bin: AQID, error: meta-" + method + ", header: head-" + method + ", trailer: trail-" + method,
	}
}

// because returns an error with another message.
func because(message string, err *wantError) *wantError {
	err.message = message
	return err
}

// noRequestStream is the official client's error for a client stream: over HTTP/1.1 no engine streams the body of a request,
// and the client does not try.
var noRequestStream = &wantError{
	code:    "Unknown",
	message: "The fetch API does not support streaming request bodies",
}

// rows is the table of all methods. TestMatrixLeavesOutNoMethod checks that it is complete.
var rows = []row{
	{
		name: "unary", method: "Greet", requests: messages(`{"name":"Ada"}`),
		messages: messages(`{"greeting":"Hello, Ada!","cookieNames":COOKIES}`),
		headers:  headOf("Greet"), trailers: trailOf("Greet"),
	},
	{
		name: "no side effects, by POST", method: "Lookup", requests: messages(`{"key":"answer"}`),
		messages: messages(`{"value":"ANSWER","httpMethod":"POST"}`),
		headers:  headOf("Lookup"), trailers: trailOf("Lookup"),
	},
	{
		name: "no side effects, by GET", method: "Lookup", requests: messages(`{"key":"answer"}`), get: true,
		messages: messages(`{"value":"ANSWER","httpMethod":"GET"}`),
		headers:  headOf("Lookup"), trailers: trailOf("Lookup"),
	},
	{
		name: "server stream", method: "Count", requests: messages(`{"upTo":3}`),
		messages: messages(`{"number":1}`, `{"number":2}`, `{"number":3}`),
		headers:  headOf("Count"), trailers: trailOf("Count"),
	},
	{
		name: "empty server stream", method: "Silence", requests: messages(`{}`),
		headers: headOf("Silence"), trailers: trailOf("Silence"),
	},
	{
		name: "unary error", method: "Fail", requests: messages(`{"reason":"on purpose"}`),
		err: failure("Fail"),
		// In v1 a unary method returns a response or an error, and only a response has headers and trailers. Over gRPC-Web, the
		// whole error is then in the HTTP headers.
		errV1: &wantError{
			code: "FailedPrecondition", message: "on purpose", details: messages(`{"hint":"hint"}`),
			metadata: "error: meta-Fail",
		},
	},
	{
		name: "error by GET", method: "Lookup", requests: messages(`{}`), get: true,
		err: because("no key", failure("Lookup")),
		errV1: &wantError{
			code: "FailedPrecondition", message: "no key", details: messages(`{"hint":"hint"}`),
			metadata: "error: meta-Lookup",
		},
	},
	{
		name: "stream error before the first message", method: "FailStream", requests: messages(`{"reason":"on purpose"}`),
		headers: headOf("FailStream"),
		err:     failure("FailStream"),
	},
	{
		name: "stream error after two messages", method: "FailStream", requests: messages(`{"reason":"on purpose","after":2}`),
		messages: messages(`{"number":1}`, `{"number":2}`),
		headers:  headOf("FailStream"),
		err:      failure("FailStream"),
	},
	{
		name: "client stream", method: "Collect", requests: messages(`{"number":1}`, `{"number":2}`),
		err: noRequestStream, neverSent: true,
	},
	{
		name: "bidi stream", method: "Chat", requests: messages(`{"text":"hello"}`),
		err: noRequestStream, neverSent: true,
	},
}

// A cell of the matrix is a row with a transport and a format.
type cell struct {
	row
	transport   string
	otherFormat bool
}

// cells returns all cells of a server.
func cells(of implementation) []cell {
	var all []cell
	for _, transport := range transports {
		for _, otherFormat := range []bool{false, true} {
			for _, r := range rows {
				c := cell{r, transport, otherFormat}
				switch {
				case r.get && transport != overConnect:
				case r.neverSent && transport != overConnect && transport != overGRPCWeb: // the other clients do not support client streams
				case !of.speaks(transport, otherFormat):
				default:
					all = append(all, c)
				}
			}
		}
	}
	return all
}

// format describes the transport and its format.
func (c cell) format() string {
	format := map[string]string{
		"connect false": "JSON", "connect true": "binary",
		"grpc-web false": "binary", "grpc-web true": "JSON",
		"grpc-web client false": "text", "grpc-web client true": "binary",
		"protobuf-ts false": "text", "protobuf-ts true": "binary",
		"nice-grpc-web false": "binary",
	}
	return c.transport + ", " + format[fmt.Sprint(c.transport, " ", c.otherFormat)]
}

func (c cell) name() string { return c.format() + "/" + c.row.name }

func (c cell) call(credentials bool) call {
	return call{
		Transport: c.transport, OtherFormat: c.otherFormat, Method: c.method,
		Requests: c.requests, Get: c.get, Credentials: credentials,
	}
}

func (c cell) httpMethod() string {
	if c.get {
		return http.MethodGet
	}
	return http.MethodPost
}

func (c cell) path() string { return "/showcase.v1.ShowcaseService/" + c.method }

// want returns the result that the script is expected to read.
func (c cell) want(from implementation, cookies []string) seen {
	texts := strings.ReplaceAll(joined(c.messages), "COOKIES", jsonStrings(cookies))
	texts = strings.ReplaceAll(texts, `,"cookieNames":[]`, "") // JSON omits an empty list
	s := seen{messages: texts, headers: c.headers, trailers: c.trailers}
	err := c.err
	if from.version == 1 && c.errV1 != nil {
		err = c.errV1
	}
	if err == nil {
		return s
	}
	s.code, s.message = err.code, err.message
	s.details, s.metadata = joined(err.details), err.metadata
	if c.transport == overConnect || c.transport == overGRPCWeb {
		return s
	}
	// In the other clients the metadata of an error is only its trailers. If the status is in the HTTP headers, these count as
	// the trailers.
	ofError := s.metadata
	s.headers = s.metadata
	if err == c.err {
		ofError = "error: meta-" + c.method + ", " + trailOf(c.method)
		s.headers = headOf(c.method)
	}
	if from.translated && err == c.errV1 && c.transport != withNiceGRPCWeb {
		s.headers = "" // the status is in the trailers, with the metadata of the error
	}
	switch c.transport {
	case withGRPCWebJS:
		s.trailers, s.metadata = ofError, ofError
	case withProtobufTS:
		s.metadata = ofError // the promise of the trailers is rejected
		if from.escaped {
			s.message = strings.ReplaceAll(s.message, " ", "%20")
		}
	case withNiceGRPCWeb:
		s.trailers, s.metadata = ofError, "" // its errors have no metadata
		if err != c.err {
			s.headers = ""
		}
	}
	return s
}

func jsonStrings(items []string) string {
	if len(items) == 0 {
		return "[]"
	}
	return `["` + strings.Join(items, `","`) + `"]`
}
