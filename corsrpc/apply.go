package corsrpc

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// Answer returns the answer that the layer gives itself, and false where the
// handler answers. Its header is what Apply makes of an empty one.
func (d Decision) Answer() (status int, body string, ok bool) {
	if !d.answered() {
		return 0, "", false
	}
	status, body = d.reply()
	return status, body, true
}

// reply is Answer, of a decision that the layer answers.
func (d *Decision) reply() (status int, body string) {
	switch {
	case d.outcome == OutcomePreflight:
		return http.StatusNoContent, ""
	case d.outcome == OutcomeMethodNotAllowed:
		return http.StatusMethodNotAllowed, d.texts().plain
	case d.format == rpc.FormatConnect:
		return http.StatusForbidden, d.texts().connect
	case d.format == rpc.FormatGRPC:
		return http.StatusForbidden, ""
	}
	return http.StatusForbidden, d.texts().plain
}

// answered reports whether the layer answers itself.
func (d *Decision) answered() bool {
	return !d.observed && (d.outcome == OutcomePreflight || d.outcome == OutcomeMethodNotAllowed || d.outcome == OutcomeRefuse)
}

// refusalTexts is what is said in each protocol to the person who opens the
// answer in the browser's Network panel. Unless it is explained, it holds nothing
// from the request.
type refusalTexts struct{ plain, connect, grpc string }

func newRefusalTexts(reason reasonID, remedy string) *refusalTexts {
	m := "corsrpc refused this cross-origin request (" + string(reason.public()) + "): " + reason.text()
	if remedy != "" {
		m += " [" + remedy + "]"
	}
	return &refusalTexts{
		plain:   m + "\n",
		connect: `{"code":"permission_denied","message":` + strconv.Quote(m) + `}`,
		grpc:    strings.ReplaceAll(m, "%", "%25"), // of ASCII, nothing else is escaped
	}
}

// textsByReason are those that are not explained, by reasonID.
var textsByReason = func() (all []*refusalTexts) {
	for i := range reasonTable {
		all = append(all, newRefusalTexts(reasonID(i), reasonID(i).remedy()))
	}
	return all
}()

func (d *Decision) texts() *refusalTexts {
	if d.explained {
		return newRefusalTexts(d.reason, d.explanation())
	}
	return textsByReason[d.reason]
}

// explanation is the remedy in one line of ASCII, whatever the policy's file is
// called.
func (d Decision) explanation() string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, d.Remedy())
}

// reasonHeader is the header of answers that are explained.
const reasonHeader = "Corsrpc-Reason"

// explain writes it.
func (d *Decision) explain(f *headerWriter) {
	if !d.refused() {
		return
	}
	value := string(d.Reason())
	if remedy := d.explanation(); remedy != "" {
		value += "; " + remedy
	}
	f.set(reasonHeader, value)
}

// headerWriter writes fields into a header. The values stand in one array that is made for
// the response, each in a slice of its own: no slice of the plan is ever reachable from
// the header, since whoever handles it next may change it.
type headerWriter struct {
	header http.Header
	origin []string // the request's Origin, as the value of Access-Control-Allow-Origin; nil where that is not written
	values []string
}

// maxFields is how many values are written, but for explanations; maxFieldsOfCall how many
// beside the origin where the handler answers.
const (
	maxFields       = 6
	maxFieldsOfCall = 3
)

func (f *headerWriter) set(name, value string) {
	f.values = append(f.values, value)
	n := len(f.values)
	f.header[name] = f.values[n-1 : n : n]
}

// Apply writes the decision's header fields into the header of a response
// with this status, at the moment when the response commits: what the
// response carries by then is what is exposed. Access-Control fields of
// others are replaced, in any letter case, where the decision has a say in
// them. Informational responses are left alone.
//
// See https://fetch.spec.whatwg.org/#http-cors-protocol.
func (d Decision) Apply(status int, header http.Header) {
	d.apply(status, d.headerWriter(header))
}

// headerWriter returns a writer for the answer.
func (d *Decision) headerWriter(header http.Header) *headerWriter {
	buffer := d.valueBuffer()
	if d.outcome == OutcomeRefuse {
		return &headerWriter{header, nil, buffer}
	}
	buffer = append(buffer, d.origin)
	return &headerWriter{header, buffer[:1:1], buffer[1:]}
}

// valueBuffer has space for as many values as the answer has, so that it takes one
// allocation.
func (d *Decision) valueBuffer() []string {
	switch {
	case d.outcome == OutcomePreflight:
		return new([5]string)[:0]
	case d.outcome == OutcomeRefuse && d.format != rpc.FormatGRPC && !d.safe:
		return new([3]string)[:0]
	}
	return new([maxFields]string)[:0]
}

// apply is Apply, of the layer's own answers and of the handler's.
func (d *Decision) apply(status int, f *headerWriter) {
	if isInformational(status) || !d.answered() {
		d.effect.apply(status, f)
		return
	}
	d.addVary(f)
	if d.explained {
		d.explain(f)
	}
	dropAccessControl(f.header)
	switch d.outcome {
	case OutcomeRefuse:
		d.applyRefusal(f)
	case OutcomePreflight:
		d.applyPreflight(f)
	case OutcomeMethodNotAllowed:
		f.set("Allow", d.target.grant.allowMethods)
		f.set("Content-Type", "text/plain; charset=utf-8")
		f.set("Cache-Control", "no-store") // the handler might have answered another caller
		d.applyGrant(status, f)
	}
}

// apply is Apply of the handler's answers. It reports whether it replaced fields of
// others.
func (e *effect) apply(status int, f *headerWriter) (replaced bool) {
	if isInformational(status) || e.observed || e.outcome == OutcomeUntouched || e.outcome == OutcomePass && e.upgrade {
		return false // whoever leaves HTTP writes its own answer
	}
	e.addVary(f)
	if e.outcome == OutcomePass && !e.open() {
		return false
	}
	return e.applyGrant(status, f)
}

// isInformational reports whether another response follows
// (RFC 9110, section 15.2).
func isInformational(status int) bool {
	return status < 200 && status != http.StatusSwitchingProtocols
}

// changesResponse reports whether apply changes anything.
func (e *effect) changesResponse() bool {
	return e.outcome == OutcomeGrant || e.safe && (e.vary() != "" || e.open())
}

// applyRefusal writes the fields of a refusal: the caller may not read it, and
// no cache may keep it.
func (d *Decision) applyRefusal(f *headerWriter) {
	switch d.format {
	case rpc.FormatConnect:
		f.set("Content-Type", "application/json")
	case rpc.FormatGRPC:
		f.set("Content-Type", d.contentType)
		f.set("Grpc-Status", "7") // PERMISSION_DENIED
		f.set("Grpc-Message", d.texts().grpc)
	default:
		f.set("Content-Type", "text/plain; charset=utf-8")
	}
	f.set("Cache-Control", "no-store")
	f.set("X-Content-Type-Options", "nosniff")
}

// applyPreflight writes the fields of a preflight's answer.
func (d *Decision) applyPreflight(f *headerWriter) {
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

// applyGrant writes the fields of an answer that a script may read.
func (e *effect) applyGrant(status int, f *headerWriter) (replaced bool) {
	exposed, replaced := e.target.exposed(f.header)
	e.applyOrigin(f)
	// A 304 that exposes replaces the list of the stored response.
	if exposed != "" && status != http.StatusNotModified {
		f.set("Access-Control-Expose-Headers", exposed)
	}
	return replaced
}

// applyOrigin says who may read the answer.
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

// open reports whether the answer is one of those that carry the same
// Access-Control fields whoever asks.
func (e *effect) open() bool {
	return e.serves && e.target.grant.constant()
}

// addVary says what the answer to a GET or HEAD depends on.
func (e *effect) addVary(f *headerWriter) {
	if e.safe {
		f.addVary(e.vary())
	}
}

// vary returns what the answer to a GET or HEAD depends on.
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

// dropAccessControl removes every field of the CORS protocol's family.
func dropAccessControl(header http.Header) (any bool) {
	if len(header) == 0 { // as most often, which is sooner seen than by ranging over it
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

// addVary appends to Vary what it does not say yet (RFC 9110, section
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
		if !lists(lines, name) {
			missing += ", " + name
		}
	}
	if missing != "" {
		f.header["Vary"] = append(lines[:len(lines):len(lines)], missing[2:])
	}
}

// lists reports whether lines of a comma-separated field hold the item or a *.
func lists(lines []string, item string) bool {
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ",") {
			if part = strings.Trim(part, " \t"); part == "*" || strings.EqualFold(part, item) {
				return true
			}
		}
	}
	return false
}
