package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// AuditOptions says what an audit examines.
type AuditOptions struct {
	// Call is the call of a page whose origin is supposed to be allowed. Its Credentials say that the page
	// needs credentials; an audit sends no cookies in any case.
	Call Call
	// Protocol is the protocol of the call of a procedure. 0 means Connect or gRPC-Web, whichever the
	// server's preflights allow.
	Protocol rpc.Protocols
	// SendCalls allows the audit to send the call itself: once for the page, and twice for a page that the
	// server refuses. The Wire must allow calls too.
	SendCalls bool
}

// Validate returns an error if an audit of a server is not possible.
func (o AuditOptions) Validate(s Server) error {
	if err := o.Call.Validate(s); err != nil {
		return err
	}
	parsed, ok := origin.Parse(o.Call.Origin)
	switch {
	case !ok || parsed.Null || parsed.Scheme != "https" && parsed.Scheme != "http":
		return fmt.Errorf("--from %s: an audit needs the http or https origin of a page that the server is supposed to allow, such as https://app.example.com", o.Call.Origin)
	case o.Call.Origin == s.origin():
		return fmt.Errorf("--from %s is the server's own origin, whose pages need no grant: write the origin of a page that is elsewhere", o.Call.Origin)
	}
	return nil
}

// withoutProtocol returns the header of a call without the fields of a protocol, which the audit adds.
func withoutProtocol(c Call) http.Header {
	header := c.Header.Clone()
	if c.isProcedure() && c.Method == http.MethodPost {
		for _, protocol := range []rpc.Protocols{rpc.Connect, rpc.GRPCWeb} {
			for field := range slices.Chunk(rpc.CallHeader(protocol), 2) {
				delete(header, field[0])
			}
		}
	}
	return header
}

// Audit sends requests of a page that is supposed to be allowed, and of pages that are not, and returns
// what is wrong with the answers. It sends preflights and GETs without credentials, and the call itself
// only if that is allowed. It stops at the Wire's bound, and then reports what it did not examine. It returns
// an error if the options are not valid or the context ends.
func Audit(ctx context.Context, w *Wire, o AuditOptions) ([]Finding, error) {
	if err := o.Validate(w.server); err != nil {
		return nil, err
	}
	a := &auditor{ctx: ctx, wire: w, options: o, browser: &pages{server: w.server, wire: w}, isRPC: o.Call.isProcedure()}
	a.options.Call.Header = withoutProtocol(o.Call)
	a.getTarget = o.Call.simpleGetTarget()
	err := a.run()
	var stop *stopped
	switch {
	case errors.As(err, &stop):
		a.findings = append(a.findings, stop.Finding)
	case err != nil:
		return nil, err
	}
	SortFindings(a.findings, func(f Finding) report.Severity { return f.Severity })
	return a.findings, nil
}

// stopped ends an audit early, with the finding that says why.
type stopped struct{ Finding }

func (s *stopped) Error() string { return s.Message }

// auditor is an audit that is under way.
type auditor struct {
	ctx      context.Context
	wire     *Wire
	options  AuditOptions
	browser  *pages
	findings []Finding
	isRPC    bool // the call is of a procedure

	getTarget string // the target of GETs
	get       *sight // the GET of the page
	// preflight is the preflight of the page's call, with the headers of its protocol; nil if browsers send
	// none. passing is a preflight that is granted to the page: the same, or one that asks for less. It is
	// nil if there is none.
	preflight, passing *sight
	// protocol is the protocol of the page's call; 0 for the call of a path.
	protocol rpc.Protocols
	// grpcWeb is true if the server allows the header of gRPC-Web by name.
	grpcWeb bool
	// layer is true if a corsrpc layer has refused a request.
	layer bool
	// unrelated is the GET of a page that has nothing to do with the server.
	unrelated *sight
}

// run runs the parts of the audit.
func (a *auditor) run() error {
	for _, part := range []func() error{a.page, a.preflights, a.hostilePages, a.response, a.caches, a.calls} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// add adds a finding about an answer. The message may be empty: it is then that of the class.
func (a *auditor) add(class Class, severity report.Severity, of *sight, header, message string) {
	f := Finding{Class: class, Severity: severity, Message: cmp.Or(message, class.Fault()), Fix: class.Instead(), Header: header}
	if of != nil {
		e := of.answer()
		f.Origin, f.Curl, f.Status = of.origin, curlOf(a.wire.server, e), e.Status
		if header != "" {
			f.Value = strings.Join(lines(e.Answer, header), ", ")
		}
	}
	a.findings = append(a.findings, f)
}

// has reports whether the audit has found a class.
func (a *auditor) has(class Class) bool {
	return slices.ContainsFunc(a.findings, func(f Finding) bool { return f.Class == class })
}

// needed returns error if the page needs credentials, and warning if it does not.
func (a *auditor) needed() report.Severity {
	if a.options.Call.Credentials {
		return report.Error
	}
	return report.Warning
}

// page looks at a GET of the page, which needs no preflight.
func (a *auditor) page() (err error) {
	if a.get, err = a.look(a.getOf(a.options.Call.Origin)); err != nil {
		return err
	}
	a.allowOrigin(a.get)
	return nil
}

// getOf returns a GET of the call's URL by a page of an origin, without header fields of its own.
func (a *auditor) getOf(origin string) want {
	return want{origin: origin, method: http.MethodGet, target: a.getTarget}
}

// look sends a request, unless it was sent before. An answer that says nothing about CORS ends the audit.
func (a *auditor) look(w want) (*sight, error) {
	s, err := a.browser.look(a.ctx, a.options.Call, w)
	if err != nil {
		return nil, err
	}
	a.layer = a.layer || reasonOfRefusal(s.answer()) != ""
	switch s.plain.Result {
	case Unreachable:
		var e Exchange
		if len(s.plain.Exchanges) > 0 {
			e = s.plain.Exchanges[0]
		}
		return nil, a.unreachable(s.plain.Err, w.origin, e)
	case TooMany:
		return nil, a.tooMany()
	case Blocked:
		if s.plain.Blocked.Console == "MixedContent" && w.origin == a.options.Call.Origin {
			return nil, &stopped{Finding{Class: ClassMixedContent, Severity: report.Error, Origin: w.origin, Message: ClassMixedContent.Fault(), Fix: ClassMixedContent.Instead()}}
		}
	}
	return s, nil
}

// unreachable ends the audit at a request that got no answer. If it is the first one and the server was not
// reached, it is an error of the audit.
func (a *auditor) unreachable(err error, origin string, e Exchange) error {
	failure := a.wire.server.Failure(err)
	if a.wire.Sent() == 1 && !NoAnswer(err) {
		return errors.New(failure)
	}
	f := Finding{Class: ClassUnreachable, Severity: report.Error, Origin: origin, Message: "The audit ended early: " + failure + ".", Fix: ClassUnreachable.Instead()}
	if e.URL != "" {
		f.Curl = curlOf(a.wire.server, e)
	}
	return &stopped{f}
}

// tooMany ends the audit at the bound of the Wire.
func (a *auditor) tooMany() error {
	return &stopped{Finding{
		Class: ClassNotExamined, Severity: report.Warning,
		Message: fmt.Sprintf("The audit ended after %s, and did not examine the rest.", report.Count(a.wire.Sent(), "request")), Fix: "Allow more requests with --max-requests.",
	}}
}

// AuditRequests returns the requests that an audit sends at most. An audit of a server without a fault sends
// about half of them.
func AuditRequests(o AuditOptions) Requests {
	pages := len(hostileOrigins(o.Call.Origin)) + 1
	preflights := len(rpc.CallHeader(rpc.Connect))/2 + len(o.Call.Header) + 7 // both protocols, each header alone, and what is left if the preflight asks for less
	r := Requests{Preflights: pages + preflights, SimpleGets: pages + 2}
	if o.SendCalls {
		r.Calls = 3
	}
	return r
}
