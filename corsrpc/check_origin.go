package corsrpc

import "net/http"

// CheckOrigin reports whether a WebSocket handshake, or another upgrade, may go on:
// from the server's own origin, from a program that is no browser, or from an origin
// that the rule of the path or procedure grants with credentials, since a handshake
// carries cookies whoever starts it, and CORS does not guard it. It is what an
// upgrader asks for:
//
//	upgrader := websocket.Upgrader{CheckOrigin: layer.CheckOrigin}
//
// It looks at the request's path as it is: inside of an http.StripPrefix that Wrap stands
// outside of, the policy needs rules for the paths without the prefix, too. Behind Wrap it
// holds as well where no rule governs the path. It answers the same under
// enforcement: OBSERVE, so that nothing opens by it. What it refuses is logged and
// observed as a decision of its own, beside Wrap's of the same request; what it lets go on
// is not, and a shadow policy is not asked. It is safe for concurrent use.
//
// See https://www.rfc-editor.org/rfc/rfc6455#section-10.2.
func (l *Layer) CheckOrigin(r *http.Request) bool {
	plan := l.plan.Load()
	if plan == nil { // the layer is its zero value
		return false
	}
	request := RequestOf(r)
	t := plan.find(&request)
	if t.kind == targetNone {
		t = plan.nobody
	}
	var d Decision
	plan.decideOn(&d, t, &request, r.Header["Origin"], true)
	if d.outcome == OutcomePass {
		return true
	}
	l.report(r, &request, &d)
	return false
}
