package fromgo

import (
	"fmt"
	"go/token"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/yamltext"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// writeHeaders writes the request headers.
func (w *policyWriter) writeHeaders() {
	var changes []Change
	change := func(kind Kind, effect Effect, pos token.Pos, values []string, message string) {
		changes = append(changes, Change{Kind: kind, Effect: effect, Line: w.lineOf(pos), Values: values, Message: message})
	}
	var allowed, protocol, browsers, names []string
	var first token.Pos
	for _, h := range w.headers {
		allowed = append(allowed, h.name)
		switch {
		case isProtocolHeader(h.name):
			if h.pos.IsValid() {
				protocol = append(protocol, h.name)
			}
		case rules.CanAllowHeader(h.name):
			names = append(names, h.name)
		case fetch.IsToken(h.name) && !fetch.ForbiddenRequestHeader(h.name):
			message := fmt.Sprintf("%q is a header of responses, and a policy does not grant it. Scripts that send it have to stop.", h.name)
			if strings.Contains(h.name, "*") {
				message = fmt.Sprintf("%q has a star, which the library reads as a character of the name. The policy leaves it out. List the headers that scripts send.", h.name)
			}
			change(HeaderLeftOut, Stricter, h.pos, []string{h.name}, message)
		case h.pos.IsValid():
			browsers = append(browsers, h.name)
		}
		if !first.IsValid() {
			first = h.pos
		}
	}
	if len(protocol) > 0 {
		change(HeaderNotNeeded, Same, w.headersAt, protocol, "The layer grants the headers of the protocols itself, so that "+joined(protocol)+" "+isAre(protocol)+" not needed.")
	}
	if len(browsers) > 0 {
		change(HeaderNotNeeded, Same, w.headersAt, browsers, "No script can send "+quotedJoined(browsers)+", so that no grant is needed.")
	}
	if w.allHeaders {
		var missing []string
		for _, name := range fetch.RewritingHeaders() {
			if !slices.Contains(allowed, name) {
				missing = append(missing, name)
			}
		}
		message := "A star grants no header by which servers take another method or URL for the request's, such as x-http-method-override, and none that begins with grpc-metadata-. Write their names if scripts send them."
		change(HeaderStar, Stricter, w.headersAt, append(missing, rpc.GatewayPrefix), message)
	} else {
		var more []string
		for _, name := range rpc.Names(rpc.Connect|rpc.GRPCWeb, rpc.Request) {
			if !slices.Contains(allowed, name) {
				more = append(more, name)
			}
		}
		if len(more) > 0 {
			change(ProtocolHeaders, Wider, w.headersAt, more, "Clients of Connect and gRPC-Web need the headers "+joined(more)+" and others of their protocols. The layer grants them.")
		}
	}
	if w.starIgnored {
		change(HeaderStar, Stricter, w.headersAt, []string{"*"}, "A star stands for all headers in calls without credentials only, and the policy does not tell these calls apart. List the headers that scripts send.")
	}
	changes = append(changes, w.takeUnknown("Write the headers that scripts send in allow_headers.", "AllowedHeaders", "AllowHeaders", "RequestHeaders")...)
	for _, c := range w.notes {
		if c.Kind == HeaderNotNeeded {
			changes = append(changes, c)
		}
	}
	w.changesAt("  ", changes)
	if w.allHeaders {
		if w.authorization && !slices.Contains(names, "authorization") {
			names = append(names, "authorization")
		}
		names = slices.DeleteFunc(names, func(n string) bool {
			return n != "authorization" && !fetch.RewritesRequest(n) && !strings.HasPrefix(n, rpc.GatewayPrefix)
		})
		names = append([]string{"*"}, names...)
	}
	if len(names) > 0 {
		w.line("  allow_headers: %s%s", yamltext.List(names), w.from(w.headersAt))
	}
}

// isProtocolHeader reports whether the layer grants a request header to every caller.
func isProtocolHeader(name string) bool {
	const both = rpc.Connect | rpc.GRPCWeb
	return slices.Contains(rpc.Names(both, rpc.Request), name) || rpc.InFamily(both, name)
}

// writeExposure writes which response headers scripts may read.
func (w *policyWriter) writeExposure() {
	var changes []Change
	change := func(kind Kind, effect Effect, values []string, message string) {
		changes = append(changes, Change{Kind: kind, Effect: effect, Line: w.lineOf(w.exposedAt), Values: values, Message: message})
	}
	for _, c := range w.notes {
		if c.Kind == ExposeNotNeeded {
			changes = append(changes, c)
		}
	}
	changes = append(changes, w.takeUnknown("Write the names in expose_headers.", "ExposedHeaders", "ExposeHeaders", "ResponseHeaders")...)
	if w.allExposed && !w.credentials || w.allExposed && w.everyone {
		change(ExposeStar, Stricter, []string{"server", "date", "via", "vary"}, "A star exposed all headers. The policy leaves out those of CORS, of the transport and of the server's operation, such as server, date, via and vary, unless expose_headers names them.")
		w.changesAt("  ", changes)
		w.line("  expose: PRESENT%s", w.from(w.exposedAt))
		return
	}
	if w.allExposed {
		change(ExposeStar, Stricter, []string{"*"}, "A star stands for all headers in calls without credentials only. The policy exposes none by it; expose: PRESENT exposes the headers that each answer carries.")
	}
	status := rpc.Names(rpc.Connect|rpc.GRPCWeb, rpc.Response)
	var names, unneeded, missing []string
	has := map[string]bool{}
	for _, h := range w.exposed {
		has[h.name] = true
		switch {
		case slices.Contains(status, h.name):
		case !rules.CanExposeHeader(h.name) || fetch.SafelistedResponseHeader(h.name):
			unneeded = append(unneeded, h.name)
		default:
			names = append(names, h.name)
		}
	}
	for _, s := range status {
		if !has[s] {
			missing = append(missing, s)
		}
	}
	if len(unneeded) > 0 {
		change(ExposeNotNeeded, Same, unneeded, "Scripts can read "+joined(unneeded)+" always or never, so that the list does not need "+itThem(unneeded)+".")
	}
	if len(missing) > 0 {
		change(StatusHeaders, Wider, missing, "Clients of gRPC-Web need the headers "+joined(missing)+", and the layer exposes them.")
	}
	var trailers []string
	for _, n := range names {
		if !strings.HasPrefix(n, rpc.TrailerPrefix) && !has[rpc.TrailerPrefix+n] {
			trailers = append(trailers, rpc.TrailerPrefix+n)
		}
	}
	if len(trailers) > 0 {
		change(Trailers, Wider, trailers, "Connect sends trailers as headers, so that "+joined(trailers)+" can be read too.")
	}
	w.changesAt("  ", changes)
	w.comment("  ", "DECLARED exposes what the configuration exposes. Without the line, scripts read each header of the application that an answer carries.")
	w.line("  expose: DECLARED")
	if len(names) > 0 {
		w.line("  expose_headers: %s%s", yamltext.List(names), w.from(w.exposedAt))
	}
}
