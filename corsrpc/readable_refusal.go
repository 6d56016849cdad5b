package corsrpc

import (
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// readableRefusals makes refusals readable for scripts (WithExplain). A browser does not send a
// call whose preflight fails, and its script learns nothing. So a preflight that the policy refuses
// is opened: its answer grants all that it asks for, once. The call then reaches the layer, which
// refuses it in a response that the script can read. The handler gets no request that it would not
// get without WithExplain.
//
// Only pages of explainable origins get such answers (Plan.explainable). It is safe for concurrent
// use.
type readableRefusals struct{ opened openedPreflights }

// readableAnswer is the answer to a request of an explainable origin that the policy refuses.
type readableAnswer struct {
	allowMethods, allowHeaders string // of the answer to a preflight
	stream                     bool   // the call is a stream of Connect, whose errors are in the body
}

// apply makes a decision readable if it refuses the request. It also refuses a call that a browser
// sends only because its preflight was opened. inner reports whether an outer layer has granted the
// call: that layer has then answered the preflight too.
func (o *readableRefusals) apply(p *Plan, d *Decision, r *Request, inner bool) {
	switch {
	case p.observes, d.origin == "", d.upgrade, d.outcome == OutcomeUntouched, d.outcome == OutcomePass:
	case d.preflight:
		if d.refused() && p.explainable(d.origin) {
			o.openPreflight(p, d, r)
		}
	case !isCORS(r):
		// The script cannot read any response to such a request.
	case d.refused():
		if p.explainable(d.origin) {
			o.blameHeader(d, r)
			d.makeReadable(r)
		}
	case inner:
	default:
		reason, missing := o.opened.missing(d.target.grant, r)
		before := o.opened.before(p, d.origin)
		if reason == reasonNone && before && !d.target.grant.credentials && len(r.Header["Cookie"]) > 0 {
			reason = reasonCredentialsNotAllowed // the preflight allowed cookies
		}
		if explained := p.explainable(d.origin); reason != reasonNone && (explained || before) {
			d.missing = missing
			d.refuse(r, reason)
			if explained {
				d.makeReadable(r)
			}
		}
	}
}

// blameHeader replaces the reason of a refusal for an Authorization header that the script set and
// the rule does not grant. The policy cannot tell that header from one of a proxy, but the preflight
// of the script asked for it.
func (o *readableRefusals) blameHeader(d *Decision, r *Request) {
	if !d.unnamedAuthorization {
		return
	}
	if reason, missing := o.opened.missing(d.target.grant, r); reason == reasonHeadersNotGranted {
		d.missing = missing
		d.refuse(r, reason)
	}
}

// isCORS reports whether the request mode is cors, or not known: browsers do not send the mode to
// servers that are not potentially trustworthy, and a proxy may repeat it.
func isCORS(r *Request) bool {
	mode := r.Header["Sec-Fetch-Mode"]
	return len(mode) != 1 || mode[0] == "cors"
}

// openPreflight turns the refusal of a preflight into an answer that lets the browser send the call.
// It keeps the refusal if a name is requested that the layer could not hold the call against, or if
// there are too many pages.
func (o *readableRefusals) openPreflight(p *Plan, d *Decision, r *Request) {
	g := d.target.grant
	more, ok := o.opened.open(g, r.Header)
	if !ok || !o.opened.openPage(p, d.origin) {
		return
	}
	answer := &readableAnswer{allowMethods: g.allowMethods, allowHeaders: strings.TrimPrefix(g.allowHeaders+more, ", ")}
	if requested, _ := preflightMethod(r); !slices.Contains(g.methods, requested) {
		answer.allowMethods = strings.TrimPrefix(g.allowMethods+", "+requested, ", ")
	}
	d.outcome, d.readable = OutcomePreflight, answer
}

// makeReadable makes the refusal of a call readable for the script, in the error format of its
// protocol.
func (d *Decision) makeReadable(r *Request) {
	d.readable = &readableAnswer{}
	if d.outcome == OutcomeMethodNotAllowed || d.target.kind == targetPath {
		return
	}
	d.contentType = strings.Join(r.Header["Content-Type"], ",")
	d.format = rpc.FormatOf(r.Method, d.contentType)
	if d.target.kind == targetAmbiguous && r.Method == http.MethodGet && !rpc.IsGetCall(r.Query) {
		d.format = rpc.FormatText
	}
	d.readable.stream = d.format == rpc.FormatConnect && rpc.IsConnectStream(d.contentType)
}

// readableReply returns the status and the body of a refusal that the script can read. RPC clients
// read the error of a stream, and that of gRPC-Web, from a response with status 200 only.
//
// See https://connectrpc.com/docs/protocol#error-end-stream.
func (d *Decision) readableReply() (status int, body string) {
	switch texts := d.texts(); {
	case d.format == rpc.FormatGRPC:
		return http.StatusOK, ""
	case d.readable.stream:
		return http.StatusOK, rpc.ConnectEndStream(`{"error":` + texts.connect + `}`)
	case d.format == rpc.FormatConnect:
		return http.StatusForbidden, texts.connect
	default:
		return http.StatusForbidden, texts.plain
	}
}

// applyOpened writes the fields of the answer to an opened preflight. It is for one call: engines
// reuse every other Access-Control-Max-Age than 0.
func (d *Decision) applyOpened(f *headerWriter) {
	f.set("Access-Control-Allow-Methods", d.readable.allowMethods)
	if d.readable.allowHeaders != "" {
		f.set("Access-Control-Allow-Headers", d.readable.allowHeaders)
	}
	f.set("Access-Control-Max-Age", "0")
	d.applyReader(f)
}

// applyReadable writes the fields that let the script read a refusal: its body, its status for
// gRPC-Web, and the reason.
func (d *Decision) applyReadable(f *headerWriter) {
	value := string(d.Reason())
	if remedy := d.explanation(); remedy != "" {
		value += "; " + remedy
	}
	f.set(reasonHeader, value)
	exposed := strings.ToLower(reasonHeader)
	if d.format == rpc.FormatGRPC {
		exposed += ", grpc-message, grpc-status"
	}
	f.set("Access-Control-Expose-Headers", exposed)
	d.applyReader(f)
}

// reasonHeader is the header field that carries the reason and the remedy of a readable refusal.
const reasonHeader = "Corsrpc-Reason"

// applyReader writes the fields that let the request's origin read a response of the layer, with
// and without credentials. The response holds no data of the handler.
func (d *Decision) applyReader(f *headerWriter) {
	f.set("Access-Control-Allow-Origin", d.origin)
	f.set("Access-Control-Allow-Credentials", "true")
}
