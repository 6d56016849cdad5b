package probe

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// reasonOfRefusal returns the reason for which a corsrpc layer refuses a request, such as ORIGIN_NOT_ALLOWED;
// empty if it does not.
func reasonOfRefusal(e Exchange) string {
	_, after, _ := strings.Cut(refusalOf(e), "(")
	reason, _, _ := strings.Cut(after, ")")
	return reason
}

// allowOrigin looks at the form of Access-Control-Allow-Origin in an answer to the page.
func (a *auditor) allowOrigin(s *sight) {
	values := lines(s.answer().Answer, allowOrigin)
	if len(values) == 0 {
		return
	}
	value := strings.Join(values, ", ")
	items := strings.Split(value, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	same := len(slices.Compact(slices.Clone(items))) == 1
	_, valid := origin.Parse(value)
	switch {
	case a.has(ClassAllowOriginRepeated) || a.has(ClassAllowOriginInvalid):
	case len(values) > 1 || len(items) > 1 && same:
		a.add(ClassAllowOriginRepeated, report.Error, s, allowOrigin, fmt.Sprintf("The answer to %s has Access-Control-Allow-Origin %d times.", kindOf(s), len(items)))
	case len(items) > 1:
		a.add(ClassAllowOriginInvalid, report.Error, s, allowOrigin, fmt.Sprintf("The answer to %s has a list of origins in Access-Control-Allow-Origin, and browsers accept only one.", kindOf(s)))
	case value == "*" || valid:
	case strings.TrimSuffix(value, "/") == s.origin:
		a.add(ClassAllowOriginInvalid, report.Error, s, allowOrigin, "Access-Control-Allow-Origin ends with a slash, which no origin does.")
	default:
		a.add(ClassAllowOriginInvalid, report.Error, s, allowOrigin, "Access-Control-Allow-Origin is not an origin as browsers write it.")
	}
}

// kindOf names the request of a sight in a sentence.
func kindOf(s *sight) string {
	switch {
	case s.preflight:
		return "the preflight"
	case s.call:
		return "the call"
	}
	return "a " + s.method
}

// credentials looks at Access-Control-Allow-Credentials in an answer to the page. The argument lost is
// true if the page gets the answer without credentials only.
func (a *auditor) credentials(s *sight, lost bool) {
	header := s.answer().Answer
	value, granted := valueOf(header, allowCredentials), valueOf(header, allowOrigin)
	switch {
	case granted == "*" && value == "true":
		a.addOnce(ClassWildcardWithCredentials, a.needed(), s, allowOrigin, "")
	case !slices.Contains([]string{"", "true", "false"}, value):
		a.addOnce(ClassAllowCredentialsInvalid, a.needed(), s, allowCredentials, "")
	case lost && value != "true" && a.options.Call.Credentials:
		a.addOnce(ClassCredentialsNotGranted, report.Error, s, allowCredentials, "")
	}
}

// addOnce is add for a class that the audit reports once.
func (a *auditor) addOnce(class Class, severity report.Severity, s *sight, header, message string) {
	if !a.has(class) {
		a.add(class, severity, s, header, message)
	}
}

// invalidOrigin is an origin that no browser sends, so each corsrpc layer refuses it.
const invalidOrigin = "https://" + attacker + "/"

// recognizeLayer finds out whether a corsrpc layer answers that has refused nothing, since it allows everyone.
func (a *auditor) recognizeLayer() error {
	answer := a.get.answer().Answer
	if a.layer || valueOf(answer, allowOrigin) != "*" || valueOf(answer, exposeHeaders) != "" {
		return nil
	}
	e, err := a.directGet(invalidOrigin)
	if err != nil {
		return err
	}
	a.layer = reasonOfRefusal(*e) != ""
	return nil
}

// response looks at the response to the GET of the page.
func (a *auditor) response() error {
	plain, credentialed := a.get.passes()
	if plain {
		a.credentials(a.get, !credentialed)
		if err := a.recognizeLayer(); err != nil {
			return err
		}
		a.exposure(a.get)
		return nil
	}
	switch {
	case a.has(ClassAllowOriginRepeated) || a.has(ClassAllowOriginInvalid) || a.has(ClassOriginNotGranted):
		return nil
	case a.get.plain.Result == NotFollowed:
		a.add(ClassNotExamined, report.Note, a.get, "Location", "The server redirects a GET to another server, which the audit does not examine.")
		return nil
	case a.preflight == nil:
		a.notGranted(a.get)
		return nil
	case a.passing == nil:
		return nil
	}
	allowed, err := a.look(want{origin: a.get.origin, method: http.MethodGet, target: a.getTarget, preflight: true})
	if err != nil {
		return err
	}
	passes, _ := allowed.passes()
	if methods, _ := fetch.ExtractHeaderListValues(lines(allowed.answer().Answer, allowMethods)); passes && (slices.Contains(methods, http.MethodGet) || slices.Contains(methods, "*")) {
		severity := report.Warning
		if a.get.answer().Status >= http.StatusBadRequest {
			severity = report.Note // there may be nothing at this URL for a GET
		}
		a.add(ClassResponseNotGranted, severity, a.get, allowOrigin, fmt.Sprintf("The answer to the preflight allows GET, and the response to a GET (%d) has no grant.", a.get.answer().Status))
	}
	return nil
}

// exposure looks at the response header fields that scripts can read.
func (a *auditor) exposure(s *sight) {
	e := s.answer()
	names, ok := fetch.ExtractHeaderListValues(lines(e.Answer, exposeHeaders))
	switch {
	case !ok:
		a.addOnce(ClassExposeInvalid, report.Error, s, exposeHeaders, "One item of Access-Control-Expose-Headers is not a name, so scripts can read none of the headers that it lists.")
		return
	case slices.ContainsFunc(names, func(n string) bool { return n != "*" && strings.HasSuffix(n, "*") }):
		a.addOnce(ClassExposeInvalid, report.Warning, s, exposeHeaders, "Access-Control-Expose-Headers has an item that ends with \"*\", which browsers take for an ordinary name.")
	}
	literal := slices.Contains(names, "*") && valueOf(e.Answer, allowCredentials) == "true" && valueOf(e.Answer, allowOrigin) != "*"
	a.statusExposure(s, literal)
	a.metadata(s, literal)
}

// statusHeaders are the fields with which servers of gRPC-Web tell an error without a body.
func statusHeaders() []string { return rpc.Names(rpc.GRPCWeb, rpc.Response) }

// statusExposure looks whether scripts can read the status of gRPC-Web. The argument literal is true if
// the list has "*", which calls with credentials take for a name.
func (a *auditor) statusExposure(s *sight, literal bool) {
	if a.protocol != rpc.GRPCWeb && !a.grpcWeb || a.protocol == rpc.GRPCWeb && a.options.SendCalls && !s.call {
		return // clients of gRPC-Web do not call, or the call itself tells more
	}
	e := s.answer()
	exposed := itemsOf(e.Answer, exposeHeaders)
	if slices.Contains(exposed, "*") {
		if literal {
			a.addOnce(ClassStatusNotExposed, a.needed(), s, exposeHeaders, "Access-Control-Expose-Headers is \"*\" beside credentials: scripts that call with credentials cannot read the status of gRPC-Web.")
		}
		return
	}
	perResponse := a.layer // it exposes the fields that a response has
	var missing []string
	for _, name := range statusHeaders() {
		if !slices.Contains(exposed, name) && (!perResponse || len(lines(e.Answer, name)) > 0) {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return
	}
	severity := report.Warning
	if s.call && a.protocol == rpc.GRPCWeb && missing[0] == "grpc-status" && len(lines(e.Answer, "Grpc-Status")) > 0 {
		severity = report.Error
	}
	a.addOnce(ClassStatusNotExposed, severity, s, exposeHeaders, fmt.Sprintf("In the response to %s, scripts cannot read the headers of the status of gRPC-Web: %s.", kindOf(s), strings.Join(missing, ", ")))
}

// forMachines are response fields that scripts have no use for: those of caches, connections and security
// of documents.
var forMachines = []string{
	"accept-encoding", "accept-ranges", "age", "allow", "alt-svc", "connection", "content-encoding", "content-security-policy", "cross-origin-embedder-policy",
	"cross-origin-opener-policy", "cross-origin-resource-policy", "date", "grpc-accept-encoding", "grpc-encoding", "keep-alive", "nel", "permissions-policy", "referrer-policy", "report-to",
	"reporting-endpoints", "server", "strict-transport-security", "timing-allow-origin", "trailer", "transfer-encoding", "upgrade", "vary", "via",
	"x-content-type-options", "x-frame-options", "x-powered-by", "www-authenticate", "x-xss-protection",
}

// metadata looks for header fields of the application that scripts cannot read.
func (a *auditor) metadata(s *sight, literal bool) {
	o := s.plain
	if a.options.Call.Credentials || literal {
		o = s.credentialed
	}
	if o.Result != Readable {
		return
	}
	var trailers, others []string
	for _, name := range o.Hidden {
		switch {
		case slices.Contains(forMachines, name) || fetch.SafelistedResponseHeader(name) || fetch.IsAccessControl(name) || slices.Contains(statusHeaders(), name):
		case strings.HasPrefix(name, rpc.TrailerPrefix):
			trailers = append(trailers, name)
		default:
			others = append(others, name)
		}
	}
	message := func(names []string) string {
		text := fmt.Sprintf("The response to %s has headers that scripts cannot read: %s.", kindOf(s), strings.Join(names, ", "))
		if literal {
			text = fmt.Sprintf("Access-Control-Expose-Headers is \"*\" beside credentials, so scripts that call with credentials cannot read the headers %s.", strings.Join(names, ", "))
		}
		return text
	}
	switch {
	case len(trailers) > 0:
		a.addOnce(ClassMetadataNotExposed, report.Warning, s, exposeHeaders, message(append(trailers, others...)))
	case len(others) > 0 && literal:
		a.addOnce(ClassMetadataNotExposed, a.needed(), s, exposeHeaders, message(others))
	case len(others) > 0:
		a.addOnce(ClassMetadataNotExposed, report.Note, s, exposeHeaders, message(others))
	}
}
