package routers

import (
	"fmt"
	"slices"
)

// fault is a request for which a handler ran although it should not.
type fault struct {
	seed  uint64
	p     *policy
	stack *stack
	raw   string
	call  call
	visit visit
	what  string
}

func (f fault) String() string {
	return fmt.Sprintf("%s\nseed %d; %s\n%s %s %+v\nhandler %s saw %q; decided: %s %s by %q\nprefix %q, policy:\n%s",
		f.what, f.seed, f.stack.name, f.call.method, f.raw, f.call, f.visit.route.text, f.visit.seen,
		f.visit.decision.Outcome(), f.visit.decision.Reason(), decidedBy(f.visit.decision), f.p.prefix, f.p.yaml())
}

// smaller removes rules and bytes of the path from a fault as long as it stays a fault.
func (f fault) smaller() fault {
	for again := true; again; {
		again = false
		for i := range f.p.selectors {
			p := f.p.without(i, -1)
			if g, ok := f.on(p, f.raw); ok {
				f, again = g, true
				break
			}
		}
		for i := range f.p.paths {
			p := f.p.without(-1, i)
			if g, ok := f.on(p, f.raw); ok {
				f, again = g, true
				break
			}
		}
		for i := range f.raw {
			if g, ok := f.on(f.p, f.raw[:i]+f.raw[i+1:]); ok {
				f, again = g, true
				break
			}
		}
	}
	return f
}

// without returns the policy without one of its rules.
func (p *policy) without(selector, path int) *policy {
	q := &policy{prefix: p.prefix, defaults: p.defaults, selectors: slices.Clone(p.selectors), paths: slices.Clone(p.paths), free: p.free}
	if selector >= 0 {
		q.selectors = slices.Delete(q.selectors, selector, selector+1)
	}
	if path >= 0 {
		q.paths = slices.Delete(q.paths, path, path+1)
	}
	return q
}

// on tries the request with another policy and path, and reports whether that is a fault too.
func (f fault) on(p *policy, raw string) (fault, bool) {
	r := f.call.request(raw)
	if r == nil {
		return f, false
	}
	if p != f.p {
		if p.compile() != nil {
			return f, false
		}
		f.p, f.stack = p, rebuilt(f.stack, p)
	}
	f.raw, f.visit = raw, f.stack.send(r)
	f.what = f.stack.check(f.p, f.call, f.visit)
	return f, f.what != ""
}

func rebuilt(s *stack, p *policy) *stack {
	t := s.again(p)
	t.again = s.again
	return t
}
