package routers

import (
	"context"
	"net/http"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// stack is the layer in front of one server.
type stack struct {
	name    string
	handler http.Handler
	orphans map[string]bool // rules that the server has no handler for
	inside  string          // the prefix that is removed before the layer sees the path
	again   build           // builds the stack for another policy
}

// newStack wraps a server in the layer of a policy.
func newStack(p *policy, name string, t transport, server http.Handler, orphans map[string]bool) *stack {
	h := t.wrap(server)
	if p.prefix != "" {
		h = http.StripPrefix(p.prefix, h)
		name = "StripPrefix>" + name
	}
	return &stack{name: t.name + name, handler: p.layer.Wrap(h), orphans: orphans}
}

// build is a function that builds the stack of a policy.
type build func(*policy) *stack

func withRouter(r router, t transport) build {
	return func(p *policy) *stack {
		h, orphans := r.handler(p.routes)
		return newStack(p, r.name, t, h, orphans)
	}
}

func withSteps(t transport, names ...string) build {
	return func(p *policy) *stack {
		return newStack(p, "server("+strings.Join(names, ", ")+")", t, newLenient(p.routes, names...), nil)
	}
}

// below mounts the layer at a prefix.
func below(prefix string, inner build) build {
	return func(p *policy) *stack {
		s := inner(p)
		s.inside, s.name = prefix, "StripPrefix outside>"+s.name
		s.handler = http.StripPrefix(prefix, s.handler)
		return s
	}
}

// stack draws a stack. The router is selected by turn, so that each router is used equally often.
func (d draws) stack(p *policy, turn int) *stack {
	var b build
	if turn%2 == 0 {
		b = withRouter(routers[turn/2%len(routers)], pick(d, transports))
	} else {
		var names []string
		for range d.IntN(4) + 1 {
			names = append(names, pick(d, steps).name)
		}
		if d.percent(25) {
			names = append(names, slashless.name)
		}
		b = withSteps(pick(d, transports), names...)
	}
	if p.prefix == "" && d.percent(15) {
		b = below("/app", b)
	}
	s := b(p)
	s.again = b
	return s
}

// visit is the result of one request.
type visit struct {
	decision corsrpc.Decision
	route    *route // the route whose handler ran; nil if none did
	seen     string // the path as the server interprets it
}

type visitKey struct{}

func visitOf(r *http.Request) *visit { return r.Context().Value(visitKey{}).(*visit) }

func (v *visit) ran(r *route, seen string) { v.route, v.seen = r, seen }

// ServeHTTP records that the route's handler ran.
func (r *route) ServeHTTP(_ http.ResponseWriter, req *http.Request) {
	visitOf(req).ran(r, req.URL.Path)
}

// send sends a request to the stack.
func (s *stack) send(r *http.Request) (v visit) {
	s.handler.ServeHTTP(newSink(), r.WithContext(context.WithValue(r.Context(), visitKey{}, &v)))
	return v
}
