package policydiff

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/policytest"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/analysis"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// caseOf returns the witness of a difference as a case that passes with the new policy and fails with
// the old one; nil if a case cannot say the difference.
func caseOf(old, next *Side, d analysis.Difference) *corsrpcv1.Case {
	expect := expected(d)
	if expect == nil || d.Witness.Origin == "" {
		return nil
	}
	before, err := old.planFor(d.Witness)
	if err != nil {
		return nil
	}
	after, err := next.planFor(d.Witness)
	if err != nil {
		return nil
	}
	for _, c := range forms(next, d.Witness) {
		c.Expect = expect
		next.setUnknown(c, d.Witness)
		if passes(c, after) && !passes(c, before) {
			return c
		}
	}
	return nil
}

// passes reports whether a case has its outcome under a plan in every engine.
func passes(c *corsrpcv1.Case, plan *corsrpc.Plan) bool {
	differs, err := policytest.Try(plan, c)
	return err == nil && differs == ""
}

// expected returns the outcome of a witness under the new policy; nil if a case cannot say it.
func expected(d analysis.Difference) *corsrpcv1.Expect {
	switch d.Aspect {
	case analysis.AspectOrigin, analysis.AspectCredentials, analysis.AspectMethod, analysis.AspectRequestHeader:
		if !d.Gained {
			return &corsrpcv1.Expect{Blocked: &corsrpcv1.Blocked{}}
		}
		return &corsrpcv1.Expect{Readable: &corsrpcv1.Readable{}}
	case analysis.AspectResponseHeader:
		header := []string{d.Witness.ResponseHeader}
		if !d.Gained {
			return &corsrpcv1.Expect{Readable: &corsrpcv1.Readable{HiddenHeaders: header}}
		}
		return &corsrpcv1.Expect{Readable: &corsrpcv1.Readable{Headers: header}}
	case analysis.AspectUngoverned, analysis.AspectCookies:
		return &corsrpcv1.Expect{Blocked: &corsrpcv1.Blocked{HandlerRuns: proto.Bool(d.Gained)}}
	}
	return nil
}

// forms returns the forms of a case that may make the call of a witness, without the outcome: those with the
// name of the procedure first. A test cannot name a procedure that the schema of the new policy does not have.
func forms(next *Side, w analysis.Call) (all []*corsrpcv1.Case) {
	byName := func(p corsrpcv1.Protocol) *corsrpcv1.Case {
		c := newCase(w, w.Procedure, http.MethodPost)
		c.Protocol = p
		return c
	}
	if w.Procedure != "" && next.knows(w.Procedure) {
		all = append(all, byName(corsrpcv1.Protocol_PROTOCOL_UNSPECIFIED))
		if w.Method == http.MethodPost {
			all = append(all, byName(corsrpcv1.Protocol_PROTOCOL_GRPC_WEB))
		}
	}
	path := w.RequestTarget()
	if w.Procedure != "" && w.Method == http.MethodPost {
		for _, protocol := range []rpc.Protocols{rpc.Connect, rpc.GRPCWeb} {
			c := newCase(w, path, http.MethodGet)
			for field := range slices.Chunk(rpc.CallHeader(protocol), 2) {
				setHeader(c, field[0], field[1])
			}
			all = append(all, c)
		}
	}
	return append(all, newCase(w, path, http.MethodGet))
}

// knows reports whether a test of the policy may name a procedure.
func (s *Side) knows(procedure string) bool {
	if s.Settings.Files == nil {
		return true
	}
	_, ok := slices.BinarySearchFunc(s.Policy.Rules.Procedures, procedure, func(p rules.Procedure, name string) int { return cmp.Compare(p.Name, name) })
	return ok
}

// newCase returns a case that makes the call of a witness. usualMethod is the method of a case that names
// none.
func newCase(w analysis.Call, call, usualMethod string) *corsrpcv1.Case {
	c := &corsrpcv1.Case{From: w.Origin, Call: call, Credentials: w.Credentials}
	if w.Method != usualMethod {
		c.HttpMethod = w.Method
	}
	for name, values := range w.Header() {
		setHeader(c, name, values[0])
	}
	return c
}

// setUnknown sets the sources and the variables of the policy that are not known: to the origins that the
// witness needs. If the case is about a call that is blocked, the others are set too, to origins that are not
// those of the page. A test has only sources and variables that its policy names.
func (s *Side) setUnknown(c *corsrpcv1.Case, w analysis.Call) {
	blocked := c.Expect.GetBlocked() != nil
	c.Sources, c.Env = map[string]*corsrpcv1.SourceOrigins{}, map[string]string{}
	for _, name := range s.Policy.Rules.Sources {
		if origins, ok := w.Sources[name]; ok || blocked {
			c.Sources[name] = &corsrpcv1.SourceOrigins{Origins: origins}
		}
	}
	for _, name := range s.unset {
		if value, ok := w.Env[name]; ok || blocked {
			c.Env[name] = cmp.Or(value, policytest.OtherOrigin)
		}
	}
}

// setHeader sets a request header of a case, unless the case has it.
func setHeader(c *corsrpcv1.Case, name, value string) {
	if c.Headers == nil {
		c.Headers = map[string]string{}
	}
	name = strings.ToLower(name)
	c.Headers[name] = cmp.Or(c.Headers[name], value)
}
