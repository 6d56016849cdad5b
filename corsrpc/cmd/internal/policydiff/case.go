package policydiff

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/analysis"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// caseOf returns the witness of a difference as a case that passes with the new policy and fails with
// the old one; nil if a case cannot say the difference.
func caseOf(old, next *Side, d analysis.Difference) *corsrpcv1.Case {
	before, err := old.planFor(d.Witness)
	if err != nil {
		return nil
	}
	after, err := next.planFor(d.Witness)
	if err != nil {
		return nil
	}
	for _, protocol := range protocolsFor(d.Witness) {
		c := newCase(d, protocol)
		if c == nil {
			return nil
		}
		if passes(c, after) && !passes(c, before) {
			return c
		}
	}
	return nil
}

// protocolsFor returns the protocols that a case may have: none for a path.
func protocolsFor(w analysis.Call) []corsrpcv1.Protocol {
	if w.Procedure == "" {
		return []corsrpcv1.Protocol{corsrpcv1.Protocol_PROTOCOL_UNSPECIFIED}
	}
	return []corsrpcv1.Protocol{corsrpcv1.Protocol_PROTOCOL_UNSPECIFIED, corsrpcv1.Protocol_PROTOCOL_GRPC_WEB}
}

// newCase returns the witness of a difference as a case, which may not pass.
func newCase(d analysis.Difference, protocol corsrpcv1.Protocol) *corsrpcv1.Case {
	w := d.Witness
	c := &corsrpcv1.Case{From: w.Origin, Call: cmp.Or(w.Procedure, targetOf(w)), Protocol: protocol, Credentials: w.Credentials}
	usual := http.MethodPost
	if w.Procedure == "" {
		usual = http.MethodGet
	}
	if w.Method != usual {
		c.HttpMethod = w.Method
	}
	sent := protocolHeader(protocol)
	for _, name := range w.RequestHeaders {
		if w.Procedure != "" && len(sent[http.CanonicalHeaderKey(name)]) > 0 {
			continue
		}
		if c.Headers == nil {
			c.Headers = map[string]string{}
		}
		c.Headers[name] = headerOf(w).Get(name)
	}
	switch d.Aspect {
	case analysis.AspectOrigin, analysis.AspectCredentials, analysis.AspectMethod, analysis.AspectRequestHeader:
		c.Expect = &corsrpcv1.Expect{Readable: &corsrpcv1.Readable{}}
		if !d.Gained {
			c.Expect = &corsrpcv1.Expect{Blocked: &corsrpcv1.Blocked{}}
		}
	case analysis.AspectResponseHeader:
		c.Answer = &corsrpcv1.Answer{Headers: map[string]string{w.ResponseHeader: "1"}}
		c.Expect = &corsrpcv1.Expect{Readable: &corsrpcv1.Readable{Headers: []string{w.ResponseHeader}}}
		if !d.Gained {
			c.Expect = &corsrpcv1.Expect{Readable: &corsrpcv1.Readable{HiddenHeaders: []string{w.ResponseHeader}}}
		}
	default:
		return nil
	}
	return c
}

// protocolHeader returns the header that clients of a protocol send with a call by POST.
func protocolHeader(p corsrpcv1.Protocol) http.Header {
	of := rpc.Connect
	if p == corsrpcv1.Protocol_PROTOCOL_GRPC_WEB {
		of = rpc.GRPCWeb
	}
	header := http.Header{}
	for field := range slices.Chunk(rpc.CallHeader(of), 2) {
		header.Set(field[0], field[1])
	}
	return header
}

// passes reports whether a case has its outcome under a plan in every engine.
func passes(c *corsrpcv1.Case, plan *corsrpc.Plan) bool {
	isProcedure := !strings.HasPrefix(c.Call, "/")
	call := corsinspect.Call{
		Origin: c.From, Server: serverFor(c.From), Target: c.Call, Method: c.HttpMethod, Credentials: c.Credentials,
		Header: http.Header{}, Response: http.Header{},
	}
	if isProcedure {
		call.Method = cmp.Or(call.Method, http.MethodPost)
		if call.Method == http.MethodPost {
			call.Header = protocolHeader(c.Protocol)
		}
	}
	call.Method = cmp.Or(call.Method, http.MethodGet)
	for name, value := range c.Headers {
		call.Header.Set(name, value)
	}
	for name, value := range c.Answer.GetHeaders() {
		call.Response.Set(name, value)
	}
	t, err := corsinspect.Try(plan, call)
	if err != nil {
		return false
	}
	return !slices.ContainsFunc(t.Outcomes, func(o corsinspect.Outcome) bool { return !isExpected(c.Expect, o) })
}

// isExpected reports whether an outcome is the expected one.
func isExpected(e *corsrpcv1.Expect, o corsinspect.Outcome) bool {
	if e.Blocked != nil {
		return o.Blocked != nil
	}
	if o.Blocked != nil {
		return false
	}
	for _, name := range e.Readable.Headers {
		if o.Readable.Get(name) == "" {
			return false
		}
	}
	for _, name := range e.Readable.HiddenHeaders {
		if o.Readable.Get(name) != "" {
			return false
		}
	}
	return true
}

// caseText returns a case as an item of the list cases of a test file, in YAML, with a comment that
// says what the test has to set for it.
func caseText(c *corsrpcv1.Case, w analysis.Call) (string, error) {
	text, err := policyfile.YAML(c)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, line := range needs(w) {
		b.WriteString("# " + line + "\n")
	}
	for i, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		if i == 0 {
			b.WriteString("- " + line + "\n")
			continue
		}
		b.WriteString("  " + line + "\n")
	}
	return b.String(), nil
}

// needs returns the lines of a test file that the origins of sources and the environment variables of
// a witness need.
func needs(w analysis.Call) (lines []string) {
	for _, name := range slices.Sorted(maps.Keys(w.Sources)) {
		lines = append(lines, "needs sources: {"+name+": {origins: ["+strings.Join(w.Sources[name], ", ")+"]}}")
	}
	for _, name := range slices.Sorted(maps.Keys(w.Env)) {
		lines = append(lines, "needs env: {"+name+": "+strconv.Quote(w.Env[name])+"}")
	}
	return lines
}
