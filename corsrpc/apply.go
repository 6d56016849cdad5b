package corsrpc

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// Answer returns the status and the body of the layer's own response, or false if the handler
// answers the request. The header of that response is the one that Apply writes into an empty
// http.Header.
func (d Decision) Answer() (status int, body string, ok bool) {
	if !d.answered() {
		return 0, "", false
	}
	status, body = d.reply()
	return status, body, true
}

// reply returns the status and the body of the layer's own response. The caller has checked
// answered.
func (d *Decision) reply() (status int, body string) {
	switch {
	case d.outcome == OutcomePreflight:
		return http.StatusNoContent, ""
	case d.outcome == OutcomeMethodNotAllowed:
		return http.StatusMethodNotAllowed, d.texts().plain
	case d.readable != nil:
		return d.readableReply()
	case d.format == rpc.FormatConnect:
		return http.StatusForbidden, d.texts().connect
	case d.format == rpc.FormatGRPC:
		return http.StatusForbidden, ""
	}
	return http.StatusForbidden, d.texts().plain
}

// answered reports whether the layer answers the request itself, without the handler.
func (d *Decision) answered() bool {
	return !d.observed && (d.outcome == OutcomePreflight || d.outcome == OutcomeMethodNotAllowed || d.outcome == OutcomeRefuse)
}

// refusalTexts holds the message of a refusal in each protocol. It holds nothing from the request
// unless the refusal is readable (WithExplain).
type refusalTexts struct{ plain, connect, grpc string }

// newRefusalTexts returns the texts of a refusal. The cause is a clause, and the remedy may be empty.
func newRefusalTexts(reason reasonID, cause, remedy string) *refusalTexts {
	m := "corsrpc refused this cross-origin request (" + string(reason.public()) + "): " + cause
	if remedy != "" {
		m += ": " + remedy
	}
	return &refusalTexts{
		plain:   m + "\n",
		connect: `{"code":"permission_denied","message":` + strconv.Quote(m) + `}`,
		grpc:    strings.ReplaceAll(m, "%", "%25"), // Grpc-Message is percent-encoded; m holds printable ASCII only
	}
}

// textsByReason holds the texts of refusals without an explanation, indexed by reasonID.
var textsByReason = func() (all []*refusalTexts) {
	for i := range reasonTable {
		all = append(all, newRefusalTexts(reasonID(i), reasonID(i).text(), reasonID(i).remedy()))
	}
	return all
}()

// texts returns the messages of a refusal.
func (d *Decision) texts() *refusalTexts {
	if d.readable != nil {
		return newRefusalTexts(d.reason, printableASCII(d.cause()), d.explanation())
	}
	return textsByReason[d.reason]
}

// explanation returns Remedy as one line of printable ASCII, for header fields and gRPC messages.
func (d Decision) explanation() string { return printableASCII(d.Remedy()) }

// printableASCII replaces all other characters by question marks.
func printableASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}

// headerWriter sets header fields. Their values share one array that is allocated for the
// response, each in a slice of its own with no spare capacity. No slice of the plan is reachable
// from the header, since handlers and middleware may modify the slices that they find there.
type headerWriter struct {
	header http.Header
	origin []string // the request's Origin, as the value of Access-Control-Allow-Origin; nil if that field is not written
	values []string
}

// Capacities of the buffers for field values. A response with more fields, such as an explained
// refusal, grows its buffer.
const (
	maxFields       = 6 // of the layer's own responses
	maxFieldsOfCall = 4 // of the handler's responses, beside the origin
)

// set sets a field to one value.
func (f *headerWriter) set(name, value string) {
	f.values = append(f.values, value)
	n := len(f.values)
	f.header[name] = f.values[n-1 : n : n]
}

// Apply writes the decision's fields into the header of a response with this status. Call it
// when the response commits: under EXPOSURE_PRESENT it exposes the fields that the header holds
// by then. If the decision writes Access-Control fields, or refuses the request, Apply first
// removes all Access-Control fields that are already there, in any letter case. If the rule sets
// timing, Apply replaces Timing-Allow-Origin likewise, in responses of the handler that the page may
// read. It removes Timing-Allow-Origin from the layer's own responses, such as refusals, where a
// middleware around the layer may have set it. It ignores informational responses (1xx other than 101).
//
// See https://fetch.spec.whatwg.org/#http-cors-protocol and https://fetch.spec.whatwg.org/#tao-check.
func (d Decision) Apply(status int, header http.Header) {
	d.apply(status, d.headerWriter(header))
}

// headerWriter returns a writer of the response's header.
func (d *Decision) headerWriter(header http.Header) *headerWriter {
	buffer := d.valueBuffer()
	if d.outcome == OutcomeRefuse {
		return &headerWriter{header, nil, buffer}
	}
	buffer = append(buffer, d.origin)
	return &headerWriter{header, buffer[:1:1], buffer[1:]}
}

// valueBuffer returns a buffer with enough capacity for the response's field values, so that
// they take one allocation.
func (d *Decision) valueBuffer() []string {
	switch {
	case d.outcome == OutcomePreflight:
		return new([5]string)[:0]
	case d.outcome == OutcomeRefuse && d.format != rpc.FormatGRPC && !d.safe:
		return new([3]string)[:0]
	}
	return new([maxFields]string)[:0]
}

// apply is Apply with a given writer.
func (d *Decision) apply(status int, f *headerWriter) {
	if isInformational(status) || !d.answered() {
		d.effect.apply(status, f)
		return
	}
	d.addVary(f)
	dropAccessControl(f.header)
	dropTiming(f.header, true)
	switch d.outcome {
	case OutcomeRefuse:
		d.applyRefusal(f)
	case OutcomePreflight:
		d.applyPreflight(f)
	case OutcomeMethodNotAllowed:
		f.set("Allow", d.target.grant.allowMethods)
		f.set("Content-Type", "text/plain; charset=utf-8")
		f.set("Cache-Control", "no-store") // another caller may be allowed the method's response
		if d.readable == nil {
			d.applyGrant(status, f)
		}
	}
	if d.readable != nil && d.outcome != OutcomePreflight {
		d.applyReadable(f)
	}
}

// apply is Apply for a response that the handler wrote. It reports whether it replaced
// Access-Control fields of the handler.
func (e *effect) apply(status int, f *headerWriter) (replaced bool) {
	if isInformational(status) || e.observed || e.outcome == OutcomeUntouched || e.outcome == OutcomePass && e.upgrade {
		return false // after an upgrade, the connection's new protocol governs the response
	}
	e.addVary(f)
	if e.outcome == OutcomePass && !e.open() {
		return false
	}
	replaced = e.applyGrant(status, f)
	if e.target.grant.timing {
		e.applyTiming(f)
	}
	return replaced
}

// isInformational reports whether the status is informational, so that another response
// follows (RFC 9110, section 15.2). 101 is final for HTTP.
func isInformational(status int) bool {
	return status < 200 && status != http.StatusSwitchingProtocols
}

// changesResponse reports whether apply may change the handler's response.
func (e *effect) changesResponse() bool {
	return e.outcome == OutcomeGrant || e.safe && (e.vary() != "" || e.open())
}

// applyRefusal writes the fields of a refusal, which caches must not store. Without Access-Control
// fields scripts cannot read it.
func (d *Decision) applyRefusal(f *headerWriter) {
	switch {
	case d.readable != nil && d.readable.stream:
		f.set("Content-Type", d.contentType)
	case d.format == rpc.FormatConnect:
		f.set("Content-Type", "application/json")
	case d.format == rpc.FormatGRPC:
		f.set("Content-Type", d.contentType)
		f.set("Grpc-Status", "7") // PERMISSION_DENIED
		f.set("Grpc-Message", d.texts().grpc)
	default:
		f.set("Content-Type", "text/plain; charset=utf-8")
	}
	f.set("Cache-Control", "no-store")
	f.set("X-Content-Type-Options", "nosniff")
}

// applyPreflight writes the fields of the response to a preflight.
func (d *Decision) applyPreflight(f *headerWriter) {
	if d.readable != nil {
		d.applyOpened(f)
		return
	}
	g := d.target.grant
	f.set("Access-Control-Allow-Methods", g.allowMethods)
	allowHeaders := g.allowHeaders
	if d.moreHeaders != "" {
		allowHeaders = strings.TrimPrefix(allowHeaders+d.moreHeaders, ", ")
	}
	if allowHeaders != "" {
		f.set("Access-Control-Allow-Headers", allowHeaders)
	}
	f.set("Access-Control-Max-Age", g.maxAge)
	d.applyOrigin(f)
}

// applyGrant writes the fields of a response that the calling script may read. It reports
// whether it replaced Access-Control fields of the handler.
func (e *effect) applyGrant(status int, f *headerWriter) (replaced bool) {
	exposed, replaced := e.target.exposed(f.header)
	e.applyOrigin(f)
	// A cache that stored the 200 response would replace its list by that of the 304.
	if exposed != "" && status != http.StatusNotModified {
		f.set("Access-Control-Expose-Headers", exposed)
	}
	return replaced
}

// applyOrigin writes the fields that say which origin may read the response.
func (e *effect) applyOrigin(f *headerWriter) {
	if e.target.grant.anyOrigin {
		f.set("Access-Control-Allow-Origin", "*")
	} else {
		f.header["Access-Control-Allow-Origin"] = f.origin
	}
	if e.target.grant.credentials {
		f.set("Access-Control-Allow-Credentials", "true")
	}
}

// timingHeader is the field that says whose pages see the timing details of a response
// (https://fetch.spec.whatwg.org/#tao-check).
const timingHeader = "Timing-Allow-Origin"

// applyTiming writes Timing-Allow-Origin, with the value of Access-Control-Allow-Origin.
func (e *effect) applyTiming(f *headerWriter) {
	if e.target.grant.anyOrigin {
		f.set(timingHeader, "*")
	} else {
		f.set(timingHeader, f.origin[0])
	}
}

// open reports whether the response carries the same Access-Control fields for every request.
func (e *effect) open() bool {
	return e.serves && e.target.grant.constant()
}

// addVary adds to Vary the request fields that the response to a GET or HEAD depends on.
func (e *effect) addVary(f *headerWriter) {
	if e.safe {
		f.addVary(e.vary())
	}
}

// vary returns the names of the request fields that the response to a GET or HEAD depends on.
func (e *effect) vary() string {
	switch g := e.target.grant; {
	case e.target.ambiguity != nil:
		return e.target.ambiguity.vary
	case e.target.kind == targetAmbiguous:
		return varyBySite
	case g.vary == "" && !e.serves:
		return "Origin"
	default:
		return g.vary
	}
}

// dropAccessControl removes all Access-Control fields, and reports whether there were any.
func dropAccessControl(header http.Header) (any bool) {
	if len(header) == 0 { // the usual case, and cheaper than starting an iteration
		return false
	}
	for key := range header {
		if fetch.IsAccessControl(key) {
			delete(header, key)
			any = true
		}
	}
	return any
}

// dropTiming removes the Timing-Allow-Origin fields, in any letter case. It leaves the one whose name
// is in canonical form if canonical is false, since applyTiming replaces it.
func dropTiming(header http.Header, canonical bool) {
	if len(header) == 0 {
		return
	}
	for key := range header {
		if len(key) == len(timingHeader) && (canonical || key != timingHeader) && strings.EqualFold(key, timingHeader) {
			delete(header, key)
		}
	}
}

// addVary appends to Vary those of the names that it does not hold yet (RFC 9110, section
// 12.5.5).
func (f *headerWriter) addVary(vary string) {
	if vary == "" {
		return
	}
	lines, ok := f.header["Vary"]
	if !ok || len(lines) == 0 {
		f.set("Vary", vary)
		return
	}
	missing := ""
	for name := range strings.SplitSeq(vary, ", ") {
		if !fetch.Lists(lines, name) {
			missing += ", " + name
		}
	}
	if missing != "" {
		f.header["Vary"] = append(lines[:len(lines):len(lines)], missing[2:])
	}
}
