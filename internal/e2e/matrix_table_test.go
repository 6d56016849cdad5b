package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// row is one method, called in one way, with what the script has to read. The
// rows hold for each transport and format, each server and each browser;
// where something differs, a field says so.
type row struct {
	name     string
	method   string
	requests []json.RawMessage
	get      bool // by GET, which only Connect has

	// What the script reads. COOKIES in a message stands for the cookies that arrive.
	messages []json.RawMessage
	headers  string
	trailers string
	err      *wantError
	errV1    *wantError // where connect v1 sends another error than v2
	// Where the browser's side refuses to make the call at all: nothing reaches
	// the server, not even a preflight.
	neverSent bool
}

// wantError is the error that the script reads.
type wantError struct {
	code, message string
	details       []json.RawMessage
	metadata      string
}

// What each method of the showcase sends along. The bytes 1, 2, 3 are the binary header.
func headOf(method string) string  { return "bin: AQID, header: head-" + method }
func trailOf(method string) string { return "trailer: trail-" + method }

// failure is the error that the service makes. To the official client the metadata of an error is
// one set: the error's own, the response's headers and its trailers.
func failure(method string) *wantError {
	return &wantError{
		code:     "FailedPrecondition",
		message:  "on purpose",
		details:  messages(`{"hint":"hint"}`),
		metadata: "bin: AQID, error: meta-" + method + ", header: head-" + method + ", trailer: trail-" + method,
	}
}

// because is an error with another message.
func because(message string, err *wantError) *wantError {
	err.message = message
	return err
}

// noRequestStream is how the official client says that browsers cannot send a stream: no engine
// sends the body of a request while it is read, over HTTP/1.1, and the client does not try.
var noRequestStream = &wantError{
	code:    "Unknown",
	message: "The fetch API does not support streaming request bodies",
}

// rows is the one table of what every method gives. A test checks that it leaves out no method.
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
		// In v1 a unary method answers with a response or an error, and the headers and trailers are the
		// response's. Over gRPC-Web all of the answer is then in the HTTP headers.
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

// A cell of the matrix is a row over one transport in one format.
type cell struct {
	row
	transport   string
	otherFormat bool
}

// cells are all that a server can be asked.
func cells(of implementation) []cell {
	var all []cell
	for _, transport := range transports {
		for _, otherFormat := range []bool{false, true} {
			for _, r := range rows {
				c := cell{r, transport, otherFormat}
				switch {
				case r.get && transport != overConnect:
				case r.neverSent && transport != overConnect && transport != overGRPCWeb: // the others have no such call
				case !of.speaks(transport, otherFormat):
				default:
					all = append(all, c)
				}
			}
		}
	}
	return all
}

// format is the transport and what it sends.
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

// want is what the script has to read in the cell.
func (c cell) want(from implementation, cookies []string) seen {
	texts := strings.ReplaceAll(joined(c.messages), "COOKIES", jsonStrings(cookies))
	texts = strings.ReplaceAll(texts, `,"cookieNames":[]`, "") // an empty list is left out
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
	// To the other clients the metadata of an error is its trailers alone; of a status in the HTTP headers,
	// those are its trailers.
	ofError := s.metadata
	s.headers = s.metadata
	if err == c.err {
		ofError = "error: meta-" + c.method + ", " + trailOf(c.method)
		s.headers = headOf(c.method)
	}
	switch c.transport {
	case withGRPCWebJS:
		s.trailers, s.metadata = ofError, ofError
	case withProtobufTS:
		s.metadata = ofError // and the promise of the trailers is rejected
	case withNiceGRPCWeb:
		s.trailers, s.metadata = ofError, "" // its errors have none
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
