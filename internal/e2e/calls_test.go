package e2e

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// The transports: connect-web over each of its protocols, and the other clients.
const (
	overConnect     = "connect"
	overGRPCWeb     = "grpc-web"
	withGRPCWebJS   = "grpc-web client"
	withProtobufTS  = "protobuf-ts"
	withNiceGRPCWeb = "nice-grpc-web"
)

var transports = []string{overConnect, overGRPCWeb, withGRPCWebJS, withProtobufTS, withNiceGRPCWeb}

// call is a call that the page's script makes. web/src/calls.ts documents the fields.
type call struct {
	Transport            string            `json:"transport"`
	Method               string            `json:"method"`
	Requests             []json.RawMessage `json:"requests"`
	Get                  bool              `json:"get,omitempty"`
	OtherFormat          bool              `json:"otherFormat,omitempty"`
	Credentials          bool              `json:"credentials,omitempty"`
	Headers              map[string]string `json:"headers,omitempty"`
	TimeoutMs            int               `json:"timeoutMs,omitempty"`
	CallAs               string            `json:"callAs,omitempty"`
	Service              string            `json:"service,omitempty"`
	PretendNoSideEffects bool              `json:"pretendNoSideEffects,omitempty"`
	ContentType          string            `json:"contentType,omitempty"`
	SuppressPreflight    bool              `json:"suppressCorsPreflight,omitempty"`
}

// reading holds everything that the script read of a call.
type reading struct {
	Messages []json.RawMessage `json:"messages"`
	Headers  map[string]string `json:"headers"`
	Trailers map[string]string `json:"trailers"`
	Error    *readError        `json:"error"`
}

// readError is an error that the script read.
type readError struct {
	Code     string            `json:"code"`
	Message  string            `json:"message"`
	Shown    string            `json:"shown"`
	Details  []json.RawMessage `json:"details"`
	Metadata map[string]string `json:"metadata"`
}

// runCalls makes the calls in the page, one after another.
func runCalls(t *testing.T, page *browser.Page, to *api, calls ...call) []reading {
	t.Helper()
	var readings []reading
	page.Run(t, `return e2e.callShowcase(args.url, args.calls)`, map[string]any{"url": to.URL, "calls": calls}, &readings)
	if len(readings) != len(calls) {
		t.Fatalf("%d calls gave %d readings", len(calls), len(readings))
	}
	return readings
}

// fetchInit is a RequestInit of fetch.
type fetchInit struct {
	Method      string            `json:"method,omitempty"`
	Headers     map[string]string `json:"headers,omitempty"`
	Body        string            `json:"body,omitempty"`
	Credentials string            `json:"credentials,omitempty"`
	Mode        string            `json:"mode,omitempty"`
}

// rawReading holds everything that the script read of a response to fetch.
type rawReading struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Threw   string            `json:"threw"` // the name of the error that fetch threw; the other fields are then empty
}

// fetchRaw calls fetch in the page, without an RPC client.
func fetchRaw(t *testing.T, page *browser.Page, url string, init fetchInit) rawReading {
	t.Helper()
	var got rawReading
	page.Run(t, `return e2e.fetchRaw(args.url, args.init)`, map[string]any{"url": url, "init": init}, &got)
	return got
}

// setCookie sets a cookie for localhost, on all ports.
func setCookie(t *testing.T, page *browser.Page) {
	t.Helper()
	page.Run(t, `document.cookie = "session=e2e; path=/"; return null`, nil, nil)
}

// messages returns texts as JSON messages.
func messages(texts ...string) []json.RawMessage {
	raw := make([]json.RawMessage, 0, len(texts))
	for _, text := range texts {
		raw = append(raw, json.RawMessage(text))
	}
	return raw
}

// greet returns a call of the unary method.
func greet(transport string) call {
	return call{Transport: transport, Method: "Greet", Requests: messages(`{"name":"Ada"}`)}
}

// lookup returns a GET of the method without side effects.
func lookup(key string) call {
	return call{Transport: overConnect, Method: "Lookup", Requests: messages(`{"key":"` + key + `"}`), Get: true}
}

// seen is a reading in a form for comparison. Of the headers and trailers it has all those of the service, and no others.
type seen struct {
	messages, headers, trailers      string
	code, message, details, metadata string
}

// compare asserts that two readings are equal.
func (s seen) compare(t *testing.T, want seen) {
	t.Helper()
	got, wanted := s.values(), want.values()
	for _, part := range slices.Sorted(maps.Keys(wanted)) {
		if got[part] != wanted[part] {
			t.Errorf("the script read the %s as %q, want %q", part, got[part], wanted[part])
		}
	}
}

// values returns the parts of s by their names.
func (s seen) values() map[string]string {
	return map[string]string{
		"messages":         s.messages,
		"response headers": s.headers,
		"trailers":         s.trailers,
		"error's code":     s.code,
		"error's message":  s.message,
		"error's details":  s.details,
		"error's metadata": s.metadata,
	}
}

func (r reading) seen() seen {
	s := seen{messages: joined(r.Messages), headers: showcased(r.Headers), trailers: showcased(r.Trailers)}
	if r.Error != nil {
		s.code, s.message = r.Error.Code, r.Error.Message
		s.details, s.metadata = joined(r.Error.Details), showcased(r.Error.Metadata)
	}
	return s
}

func joined(raw []json.RawMessage) string {
	texts := make([]string, 0, len(raw))
	for _, m := range raw {
		texts = append(texts, string(m))
	}
	return strings.Join(texts, " ")
}

// showcased formats the headers that the showcase service sets, sorted by name.
func showcased(headers map[string]string) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		if short, ok := strings.CutPrefix(name, "x-showcase-"); ok {
			lines = append(lines, short+": "+headers[name])
		}
	}
	return strings.Join(lines, ", ")
}
