package e2e

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// The ways to call: connect-web over each of its protocols, and the other clients.
const (
	overConnect     = "connect"
	overGRPCWeb     = "grpc-web"
	withGRPCWebJS   = "grpc-web client"
	withProtobufTS  = "protobuf-ts"
	withNiceGRPCWeb = "nice-grpc-web"
)

var transports = []string{overConnect, overGRPCWeb, withGRPCWebJS, withProtobufTS, withNiceGRPCWeb}

// call is a call that the page's script makes; web/src/calls.ts says what the fields mean.
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
	PretendNoSideEffects bool              `json:"pretendNoSideEffects,omitempty"`
	ContentType          string            `json:"contentType,omitempty"`
	SuppressPreflight    bool              `json:"suppressCorsPreflight,omitempty"`
}

// reading is what the script read of a call.
type reading struct {
	Messages []json.RawMessage `json:"messages"`
	Headers  map[string]string `json:"headers"`
	Trailers map[string]string `json:"trailers"`
	Error    *readError        `json:"error"`
}

type readError struct {
	Code     string            `json:"code"`
	Message  string            `json:"message"`
	Details  []json.RawMessage `json:"details"`
	Metadata map[string]string `json:"metadata"`
}

// runCalls has the page make the calls one after another.
func runCalls(t *testing.T, page *browser.Page, to *api, calls ...call) []reading {
	t.Helper()
	var readings []reading
	page.Run(t, `return e2e.callShowcase(args.url, args.calls)`, map[string]any{"url": to.URL, "calls": calls}, &readings)
	if len(readings) != len(calls) {
		t.Fatalf("%d calls gave %d readings", len(calls), len(readings))
	}
	return readings
}

// fetchInit says how to fetch, in the words of the standard.
type fetchInit struct {
	Method      string            `json:"method,omitempty"`
	Headers     map[string]string `json:"headers,omitempty"`
	Body        string            `json:"body,omitempty"`
	Credentials string            `json:"credentials,omitempty"`
}

// rawReading is what the script read of an answer to a plain fetch.
type rawReading struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Threw   string            `json:"threw"` // the name of what fetch threw, in place of all the rest
}

// fetchRaw has the page fetch without a client.
func fetchRaw(t *testing.T, page *browser.Page, url string, init fetchInit) rawReading {
	t.Helper()
	var got rawReading
	page.Run(t, `return e2e.fetchRaw(args.url, args.init)`, map[string]any{"url": url, "init": init}, &got)
	return got
}

// setCookie gives the browser a cookie for localhost, on whatever port.
func setCookie(t *testing.T, page *browser.Page) {
	t.Helper()
	page.Run(t, `document.cookie = "session=e2e; path=/"; return null`, nil, nil)
}

// messages are requests, or the messages of an answer, as JSON.
func messages(texts ...string) []json.RawMessage {
	raw := make([]json.RawMessage, 0, len(texts))
	for _, text := range texts {
		raw = append(raw, json.RawMessage(text))
	}
	return raw
}

// greet is a plain call of the unary method.
func greet(transport string) call {
	return call{Transport: transport, Method: "Greet", Requests: messages(`{"name":"Ada"}`)}
}

// lookup is a plain call of the method without side effects.
func lookup(key string) call {
	return call{Transport: overConnect, Method: "Lookup", Requests: messages(`{"key":"` + key + `"}`), Get: true}
}

// seen is a reading in a form to compare: of the headers only the service's own, and all of
// them, so that one too many shows as well.
type seen struct {
	messages, headers, trailers      string
	code, message, details, metadata string
}

// compare asserts that a reading is what was to be read.
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

// showcased are the headers that the showcase service sends, in order of their names.
func showcased(headers map[string]string) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		if short, ok := strings.CutPrefix(name, "x-showcase-"); ok {
			lines = append(lines, short+": "+headers[name])
		}
	}
	return strings.Join(lines, ", ")
}
