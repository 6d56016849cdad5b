package probe

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// The names of the header fields of the CORS protocol.
const (
	allowOrigin      = "Access-Control-Allow-Origin"
	allowCredentials = "Access-Control-Allow-Credentials"
	allowMethods     = "Access-Control-Allow-Methods"
	allowHeaders     = "Access-Control-Allow-Headers"
	exposeHeaders    = "Access-Control-Expose-Headers"
	maxAge           = "Access-Control-Max-Age"
)

// timeouts are the fields that clients send with calls that have a timeout.
var timeouts = map[rpc.Protocols][]string{
	rpc.Connect: {"Connect-Timeout-Ms", "1000"},
	rpc.GRPCWeb: {"Grpc-Timeout", "1000m"},
}

// preflights looks at the preflights of the page's call.
func (a *auditor) preflights() error {
	if err := a.chooseProtocol(); err != nil {
		return err
	}
	if a.preflight == nil {
		return nil // a simple request: browsers send no preflight
	}
	plain, credentialed := a.preflight.passes()
	a.allowOrigin(a.preflight)
	explained, err := a.explainedPreflight()
	switch {
	case err != nil:
		return err
	case explained:
		plain = false
	case plain:
		a.passing = a.preflight
	default:
		if err := a.failedPreflight(); err != nil {
			return err
		}
	}
	if a.passing == nil {
		return nil
	}
	a.credentials(a.passing, plain && !credentialed)
	a.wildcardHeaders()
	a.maxAge()
	return a.mixes()
}

// preflightOf returns a preflight of the page's call with the fields of a protocol and of the call.
func (a *auditor) preflightOf(protocol rpc.Protocols) want {
	call := a.options.Call
	w := wantOf(call)
	w.preflight = true
	if protocol != 0 && call.Method == http.MethodPost {
		w.header = slices.Concat(rpc.CallHeader(protocol), timeouts[protocol], w.header)
	}
	return w
}

// chooseProtocol sends the preflight of the call. If the protocol is not given, it is the one that the
// server allows; Connect if it allows both or neither.
func (a *auditor) chooseProtocol() (err error) {
	switch a.protocol = a.options.Protocol; {
	case !a.isRPC:
		a.protocol = 0
	case a.options.Call.Method != http.MethodPost:
		a.protocol = rpc.Connect // the only protocol with calls by GET
	case a.protocol == 0:
		return a.tryProtocols()
	}
	if w := a.preflightOf(a.protocol); needsPreflight(w) {
		a.preflight, err = a.look(w)
	}
	return err
}

// tryProtocols sends the preflights of both protocols.
func (a *auditor) tryProtocols() error {
	connect, err := a.look(a.preflightOf(rpc.Connect))
	if err != nil {
		return err
	}
	grpcWeb, err := a.look(a.preflightOf(rpc.GRPCWeb))
	if err != nil {
		return err
	}
	byConnect, _ := connect.passes()
	byGRPCWeb, _ := grpcWeb.passes()
	for _, s := range []*sight{connect, grpcWeb} {
		a.grpcWeb = a.grpcWeb || slices.Contains(itemsOf(s.answer().Answer, allowHeaders), "x-grpc-web")
	}
	if mayExplain(connect) && !mayExplain(grpcWeb) {
		byConnect = false
	}
	if a.protocol, a.preflight = rpc.Connect, connect; byGRPCWeb && !byConnect {
		a.protocol, a.preflight = rpc.GRPCWeb, grpcWeb
	}
	return nil
}

// mayExplain reports whether the answer to a preflight may be that of a corsrpc layer with WithExplain that
// refuses the call: the preflight passes, so that the page can read why, and browsers do not keep its answer.
func mayExplain(s *sight) bool {
	return s.passedAny() && valueOf(s.answer().Answer, maxAge) == "0"
}

// explainedPreflight looks whether the preflight passes only because the layer explains its refusal. It then
// adds the finding. The GET shows a refusal of the page. A preflight that asks for less and that browsers keep
// shows a refusal of headers.
func (a *auditor) explainedPreflight() (bool, error) {
	if !mayExplain(a.preflight) {
		return false, nil
	}
	if refusesPage(a.get) {
		a.refused(a.get)
		return true, nil
	}
	if len(a.preflight.header) == 0 {
		return false, nil
	}
	less, err := a.look(want{origin: a.preflight.origin, method: a.preflight.method, preflight: true})
	if err != nil || !less.passedAny() || mayExplain(less) {
		return false, err
	}
	a.passing = less
	a.add(ClassHeadersNotGranted, report.Error, a.preflight, maxAge, "The preflight passes only so that the page can read the refusal of its call (WithExplain): the server does not allow each header that clients send.")
	return true, nil
}

// refusesPage reports whether a corsrpc layer refuses a GET for another reason than its method.
func refusesPage(get *sight) bool {
	switch corsrpc.Reason(reasonOfRefusal(get.answer())) {
	case "", corsrpc.ReasonMethodNotAllowed, corsrpc.ReasonMethodNotGranted:
		return false
	}
	return true
}

// refused adds a finding about a request that the corsrpc layer of the server refuses, so that the page can
// read the refusal.
func (a *auditor) refused(s *sight) {
	reason := reasonOfRefusal(s.answer())
	class := ClassOriginNotGranted
	switch corsrpc.Reason(reason) {
	case corsrpc.ReasonHeadersNotGranted:
		class = ClassHeadersNotGranted
	case corsrpc.ReasonMethodNotGranted, corsrpc.ReasonMethodNotAllowed:
		class = ClassMethodsNotGranted
	case corsrpc.ReasonCredentialsNotAllowed:
		class = ClassCredentialsNotGranted
	}
	a.addOnce(class, report.Error, s, "", fmt.Sprintf("The corsrpc layer of the server refuses %s (%s). With WithExplain the page can read that; in production it gets a network error.", kindOf(s), reason))
}

// isProcedure reports whether the call is one of a procedure: by its name, or by the fields of a protocol.
func (c Call) isProcedure() bool {
	path, query, _ := strings.Cut(c.Target, "?")
	return !strings.HasPrefix(path, "/") || len(lines(c.Header, "Connect-Protocol-Version")) > 0 || len(lines(c.Header, "X-Grpc-Web")) > 0 ||
		c.Method == http.MethodGet && rpc.IsGetCall(query)
}

// needsPreflight reports whether browsers send a preflight before a request.
func needsPreflight(w want) bool {
	if !fetch.SafelistedMethod(fetch.NormalizeMethod(w.method)) {
		return true
	}
	for field := range slices.Chunk(w.header, 2) {
		if !fetch.SafelistedRequestHeader(field[0], field[1]) {
			return true
		}
	}
	return false
}

// failedPreflight says why the preflight of the page does not pass.
func (a *auditor) failedPreflight() error {
	s := a.preflight
	e, blocked := s.answer(), s.plain.Blocked
	switch {
	case a.has(ClassAllowOriginRepeated) || a.has(ClassAllowOriginInvalid):
		return nil
	case fetch.RedirectStatus(e.Status):
		a.add(ClassPreflightRedirect, report.Error, s, "Location", fmt.Sprintf("The preflight is answered with the redirect %d, which browsers do not follow.", e.Status))
		return nil
	case e.Status == http.StatusUnauthorized || e.Status == http.StatusProxyAuthRequired || e.Status == http.StatusForbidden && valueOf(e.Answer, "WWW-Authenticate") != "":
		a.unauthenticated(s)
		return nil
	case blocked == nil:
		a.add(ClassNotExamined, report.Warning, s, "", fmt.Sprintf("The preflight ended in a way that the audit does not know (%s).", s.plain.Result))
		return nil
	}
	switch blocked.Check {
	case corsbrowser.CheckHeaders:
		a.headersNotGranted(s)
		return a.narrow()
	case corsbrowser.CheckHeadersMalformed:
		a.add(ClassHeadersInvalid, report.Error, s, allowHeaders, "")
	case corsbrowser.CheckMethodsMalformed:
		a.add(ClassMethodsInvalid, report.Error, s, allowMethods, "")
	case corsbrowser.CheckMethods:
		a.add(ClassMethodsNotGranted, report.Error, s, allowMethods, fmt.Sprintf("The answer to the preflight does not allow the method %s.", s.method))
	case corsbrowser.CheckPreflightStatus:
		a.status(s)
	default:
		return a.refusedPreflight()
	}
	return nil
}

// refusedPreflight says why the preflight of the page has no grant at all. Some servers leave out every
// field if one method or header is not allowed, so it asks for less.
func (a *auditor) refusedPreflight() error {
	s := a.preflight
	if code := reasonOfRefusal(s.answer()); code != "" && code != "HEADERS_NOT_GRANTED" && code != "METHOD_NOT_GRANTED" {
		a.add(ClassOriginNotGranted, report.Error, s, allowOrigin, fmt.Sprintf("The corsrpc layer of the server refuses the preflight (%s).", code))
		return nil
	}
	if err := a.narrow(); err != nil {
		return err
	}
	if a.passing != nil {
		return a.missingHeaders()
	}
	byGet, _ := a.get.passes()
	if s.method != http.MethodGet {
		other, err := a.look(want{origin: s.origin, method: http.MethodGet, target: a.getTarget, preflight: true})
		if err != nil {
			return err
		}
		if passes, _ := other.passes(); passes {
			a.passing = other
			a.add(ClassMethodsNotGranted, report.Error, s, allowMethods, fmt.Sprintf("The answer to the preflight does not allow the method %s.", s.method))
			return nil
		}
	}
	status := s.answer().Status
	switch {
	case status < 200 || status > 299 && status != http.StatusForbidden:
		a.status(s)
	case byGet && status == http.StatusForbidden, status == http.StatusForbidden && a.get.answer().Status == status && reasonOfRefusal(a.get.answer()) == "":
		a.unauthenticated(s)
	case byGet:
		a.add(ClassPreflightNotHandled, report.Error, s, allowOrigin, fmt.Sprintf("The preflight is answered with %d and without a grant, although the response to a GET has one.", status))
	default:
		a.notGranted(s)
	}
	return nil
}

// narrow looks for a preflight that is granted to the page: without the header fields of the call.
func (a *auditor) narrow() error {
	less, err := a.look(want{origin: a.preflight.origin, method: a.preflight.method, preflight: true})
	if err != nil {
		return err
	}
	if passes, _ := less.passes(); passes {
		a.passing = less
	}
	return nil
}

// headersNotGranted says which headers the preflight's list lacks.
func (a *auditor) headersNotGranted(s *sight) {
	granted := itemsOf(s.answer().Answer, allowHeaders)
	var missing []string
	for field := range slices.Chunk(s.header, 2) {
		if name := fetch.Lower(field[0]); !slices.Contains(granted, name) && !fetch.SafelistedRequestHeader(field[0], field[1]) {
			missing = append(missing, name)
		}
	}
	a.addMissingHeaders(s, missing)
}

// missingHeaders finds the headers that the server does not allow, by a preflight for each of them.
func (a *auditor) missingHeaders() error {
	var missing []string
	for field := range slices.Chunk(a.preflight.header, 2) {
		w := want{origin: a.preflight.origin, method: a.preflight.method, header: field, preflight: true}
		if !needsPreflight(want{method: http.MethodGet, header: field}) {
			continue
		}
		one, err := a.look(w)
		if err != nil {
			return err
		}
		if passes, _ := one.passes(); !passes {
			missing = append(missing, fetch.Lower(field[0]))
		}
	}
	a.addMissingHeaders(a.preflight, missing)
	return nil
}

// addMissingHeaders adds a finding about headers that the preflight does not allow. A call without a
// timeout works without the header of the timeout.
func (a *auditor) addMissingHeaders(s *sight, missing []string) {
	slices.Sort(missing)
	missing = slices.Compact(missing)
	severity := report.Error
	message := fmt.Sprintf("The answer to the preflight does not allow the headers that clients send: %s.", strings.Join(missing, ", "))
	switch {
	case len(missing) == 0:
		message = "The answer to the preflight allows each header that clients send, and not all of them together."
	case a.protocol != 0 && len(missing) == 1 && strings.EqualFold(missing[0], timeouts[a.protocol][0]):
		severity = report.Warning
		message = fmt.Sprintf("The answer to the preflight does not allow %s, which clients send with calls that have a timeout.", missing[0])
	}
	a.add(ClassHeadersNotGranted, severity, s, allowHeaders, message)
	if len(missing) > 0 {
		a.findings[len(a.findings)-1].Fix = "Add " + strings.Join(missing, ", ") + " to Access-Control-Allow-Headers."
	}
}

// status says what a status tells about who answered the preflight.
func (a *auditor) status(s *sight) {
	switch status := s.answer().Status; status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		a.add(ClassPreflightNotHandled, report.Error, s, "", fmt.Sprintf("The preflight is answered with %d: it reaches a handler that does not know it.", status))
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		if valueOf(s.answer().Answer, allowOrigin) == "" {
			a.unauthenticated(s)
			return
		}
		fallthrough // the CORS layer itself has answered
	default:
		a.add(ClassPreflightStatus, report.Error, s, "", fmt.Sprintf("The preflight is answered with %d, and browsers accept only 200 to 299.", status))
	}
}

func (a *auditor) unauthenticated(s *sight) {
	a.add(ClassPreflightUnauthenticated, report.Error, s, "", fmt.Sprintf("The preflight is answered with %d: something in front of the CORS layer refuses it.", s.answer().Status))
}

// notGranted says that the server does not grant the page's origin.
func (a *auditor) notGranted(s *sight) {
	if a.has(ClassOriginNotGranted) || a.has(ClassAllowOriginInvalid) || a.has(ClassAllowOriginRepeated) {
		return
	}
	message := fmt.Sprintf("The server does not grant %s: the answer has no Access-Control-Allow-Origin.", s.origin)
	if value := valueOf(s.answer().Answer, allowOrigin); value != "" {
		message = fmt.Sprintf("The server does not grant %s: it grants %s instead.", s.origin, value)
	}
	a.add(ClassOriginNotGranted, report.Error, s, allowOrigin, message)
}

// wildcardHeaders looks at a list of allowed headers that is "*".
func (a *auditor) wildcardHeaders() {
	header := a.passing.answer().Answer
	if !slices.Contains(itemsOf(header, allowHeaders), "*") || a.has(ClassWildcardWithCredentials) {
		return
	}
	switch {
	case valueOf(header, allowCredentials) == "true" && valueOf(header, allowOrigin) != "*":
		a.add(ClassWildcardHeaders, a.needed(), a.passing, allowHeaders, "The answer to the preflight allows the headers \"*\" beside credentials: calls with credentials may have no header but one named \"*\".")
	case len(lines(a.options.Call.Header, "Authorization")) > 0:
		a.add(ClassWildcardHeaders, report.Warning, a.passing, allowHeaders, "The answer to the preflight allows the headers \"*\", which does not stand for Authorization in the Fetch standard.")
	}
}

// maxAge looks at the time for which browsers keep the preflight.
func (a *auditor) maxAge() {
	values := lines(a.passing.answer().Answer, maxAge)
	if len(values) == 0 {
		a.add(ClassMaxAgeMissing, report.Note, a.passing, maxAge, "")
		return
	}
	value := strings.Join(values, ", ")
	if digits := strings.TrimPrefix(value, "-"); digits == "" || strings.Trim(digits, "0123456789") != "" {
		a.add(ClassMaxAgeInvalid, report.Warning, a.passing, maxAge, "")
	}
}

// mixes looks whether the preflight allows exactly the headers that it asks for, so that the answer to one
// mix of headers covers no other.
func (a *auditor) mixes() error {
	s := a.passing
	if len(s.names()) == 0 || !isEcho(s) {
		return nil
	}
	less, err := a.look(want{origin: s.origin, method: s.method, header: s.header[:2], preflight: true})
	if err != nil {
		return err
	}
	if passes, _ := less.passes(); passes && isEcho(less) && len(less.names()) < len(s.names()) {
		a.add(ClassPreflightPerMix, report.Note, s, allowHeaders, "")
	}
	return nil
}

// isEcho reports whether a preflight allows exactly the headers that it asks for.
func isEcho(s *sight) bool {
	asked := itemsOf(s.answer().Header, "Access-Control-Request-Headers")
	granted := itemsOf(s.answer().Answer, allowHeaders)
	slices.Sort(asked)
	slices.Sort(granted)
	return len(asked) > 0 && slices.Equal(asked, granted)
}
