package policytest

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/analysis"
	"github.com/corsrpc/corsrpc-go/internal/route"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// addCounterexample adds the request of a counterexample, and the case that shows the contradiction. Each
// form of the case is tried, so that a case that is shown fails when it is pasted into the test.
func (s *Suite) addCounterexample(r *Result, v *variant, g *corsrpcv1.Guarantee, call analysis.Call) {
	if call.Origin == "" {
		r.Curl = s.curlWithoutOrigin(v, call)
		return
	}
	for _, one := range s.casesOf(r.Name, v, g, call) {
		a, ok := s.tryCounterexample(one)
		if ok && a.first.at != nil && (r.Curl == "" || a.differs != "") {
			r.Curl = a.first.at.Curl
		}
		if ok && a.differs != "" {
			r.Counterexample, _ = CaseText(one) // the result is complete without it
			return
		}
	}
}

// tryCounterexample makes the call of a case. If the outcome depends on origins that are not known, it adds
// such to the case with which the page is not allowed. It returns false if a test cannot have the case.
func (s *Suite) tryCounterexample(one *corsrpcv1.Case) (attempt, bool) {
	for range 2 {
		if !s.accepts(one) {
			return attempt{}, false
		}
		v := s.plans.get(one.GetProfile(), one.GetEnv())
		if v.err != nil {
			return attempt{}, false
		}
		a, err := s.try(s.plans.plan(v, one.GetSources()), one)
		if err != nil || s.dependsOn(v, one, a) == "" {
			return a, err == nil
		}
		s.excludePage(v, one, a)
	}
	return attempt{}, false
}

// excludePage makes the sources and the variables that are not known ones without the origin of the page.
func (s *Suite) excludePage(v *variant, one *corsrpcv1.Case, a attempt) {
	sources, variables := s.unknownOf(v.rulesOf(a.first.Exchanges[0].Request), one)
	one.Sources, one.Env = maps.Clone(one.Sources), maps.Clone(one.Env)
	for _, name := range sources {
		if one.Sources == nil {
			one.Sources = map[string]*corsrpcv1.SourceOrigins{}
		}
		one.Sources[name] = &corsrpcv1.SourceOrigins{}
	}
	for _, name := range variables {
		if one.Env == nil {
			one.Env = map[string]string{}
		}
		one.Env[name] = OtherOrigin
	}
}

// accepts reports whether a test may have a case.
func (s *Suite) accepts(one *corsrpcv1.Case) bool {
	c := &checker{suite: s}
	c.checkCase("cases[0]", one, s.known)
	return len(c.problems) == 0
}

// casesOf returns cases that may show the contradiction, the likeliest first.
func (s *Suite) casesOf(name string, v *variant, g *corsrpcv1.Guarantee, call analysis.Call) (all []*corsrpcv1.Case) {
	one := s.caseOf(v, call)
	one.Name, one.Profile = "counterexample of "+name, g.GetProfile()
	no := false
	blocked := &corsrpcv1.Expect{Blocked: &corsrpcv1.Blocked{}}
	notRun := &corsrpcv1.Expect{Blocked: &corsrpcv1.Blocked{HandlerRuns: &no}}
	readable := &corsrpcv1.Expect{Readable: &corsrpcv1.Readable{}}
	if h := call.ResponseHeader; h != "" {
		readable.Readable.Headers = []string{h}
	}
	add := func(c *corsrpcv1.Case, e *corsrpcv1.Expect) {
		with := cloneCase(c)
		with.Expect = e
		all = append(all, with)
	}
	if g.GetAlways() != nil {
		add(one, readable)
		return all
	}
	if h := call.ResponseHeader; h != "" {
		add(one, &corsrpcv1.Expect{Readable: &corsrpcv1.Readable{HiddenHeaders: []string{h}}})
	}
	add(one, blocked)
	add(one, notRun)
	if path := call.RequestTarget(); call.Procedure != "" { // a request without the headers that need a preflight
		simple := cloneCase(one)
		simple.Call, simple.HttpMethod, simple.Headers = path, call.Method, nil
		simple.Protocol = corsrpcv1.Protocol_PROTOCOL_UNSPECIFIED
		add(simple, notRun)
	}
	return all
}

func cloneCase(c *corsrpcv1.Case) *corsrpcv1.Case {
	return &corsrpcv1.Case{
		Name: c.GetName(), From: c.GetFrom(), Call: c.GetCall(), HttpMethod: c.GetHttpMethod(), Protocol: c.GetProtocol(), Headers: c.GetHeaders(),
		Credentials: c.GetCredentials(), Profile: c.GetProfile(), Env: c.GetEnv(), Sources: c.GetSources(),
	}
}

// caseOf returns the case of a call, without its outcome. A procedure that a case cannot name, since the
// schema does not have it or since it is below a prefix, is called by its path.
func (s *Suite) caseOf(v *variant, call analysis.Call) *corsrpcv1.Case {
	one := &corsrpcv1.Case{From: call.Origin, Call: call.Procedure, Credentials: call.Credentials, Headers: map[string]string{}, Env: call.Env}
	protocol := rpc.Connect
	for _, rule := range v.rulesOf(corsrpc.Request{Path: call.Path, EscapedPath: call.Escaped}) {
		if p := rule.Protocols(); p&rpc.Connect == 0 && p&rpc.GRPCWeb != 0 {
			protocol = rpc.GRPCWeb
		}
	}
	byName := call.Procedure != "" && call.Path == pathOfProcedure(call.Procedure) && (!s.known.schema || s.known.procedures[call.Procedure])
	switch {
	case byName && protocol == rpc.GRPCWeb && call.Method == http.MethodPost:
		one.Protocol = corsrpcv1.Protocol_PROTOCOL_GRPC_WEB
	case byName && call.Method != http.MethodPost:
		one.HttpMethod = call.Method
	case !byName:
		one.Call = call.RequestTarget()
		if call.Method != http.MethodGet {
			one.HttpMethod = call.Method
		}
		if call.Procedure != "" && call.Method == http.MethodPost {
			for field := range slices.Chunk(rpc.CallHeader(protocol), 2) {
				one.Headers[strings.ToLower(field[0])] = field[1]
			}
		}
	}
	for name, values := range call.Header() {
		one.Headers[strings.ToLower(name)] = values[0]
	}
	for name, origins := range call.Sources {
		if one.Sources == nil {
			one.Sources = map[string]*corsrpcv1.SourceOrigins{}
		}
		one.Sources[name] = &corsrpcv1.SourceOrigins{Origins: origins}
	}
	return one
}

// pathOfProcedure returns the path of a procedure's calls.
func pathOfProcedure(name string) string {
	service := route.ParentName(name)
	return "/" + service + "/" + name[len(service)+1:]
}

// curlWithoutOrigin returns the command for a request that a browser sends without an Origin field.
func (s *Suite) curlWithoutOrigin(v *variant, call analysis.Call) string {
	header := http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"no-cors"}, "Sec-Fetch-Dest": {"image"}}
	if call.Navigation {
		header = http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}}
	}
	for name, values := range call.Header() {
		header[name] = values
	}
	trial, err := corsinspect.Try(s.plans.plan(v, nil), corsinspect.Call{
		Server: cmp.Or(s.test.GetServer(), DefaultServer), Target: call.RequestTarget(), Method: cmp.Or(call.Method, http.MethodGet),
		Header: header, Credentials: call.Credentials,
	})
	if err != nil || len(trial.Outcomes) == 0 || len(trial.Outcomes[0].Exchanges) == 0 {
		return ""
	}
	return trial.Outcomes[0].Exchanges[0].Curl
}
