package corsbrowser

import (
	"net/http"
	"net/url"
	"strings"
)

// corsCheck implements https://fetch.spec.whatwg.org/#concept-cors-check. It returns
// nil if the check passes.
func corsCheck(request *request, response http.Header) *BlockedError {
	want := request.serializeOrigin()
	values := lines(response, "access-control-allow-origin")
	value, present := get(response, "access-control-allow-origin")
	fail := func(check Check, reason, console string) *BlockedError {
		return &BlockedError{
			Check: check, Header: "Access-Control-Allow-Origin", Value: value, Reason: reason,
			Fix: "Access-Control-Allow-Origin: " + want, Console: console,
		}
	}
	switch {
	case !present:
		return fail(CheckOriginMissing, "the response has no Access-Control-Allow-Origin", "MissingAllowOriginHeader")
	case request.credentials != Include && value == "*":
		return nil
	case len(values) > 1 || strings.Contains(value, ","):
		return fail(CheckOriginRepeated, "Access-Control-Allow-Origin holds more than one value", "MultipleAllowOriginValues")
	case value == "*":
		return fail(CheckOriginWildcard, `Access-Control-Allow-Origin is "*", which grants nothing with credentials`, "WildcardOriginNotAllowed")
	case value != want && !isSerializedOrigin(value):
		return fail(CheckOriginInvalid, "Access-Control-Allow-Origin is not an origin", "InvalidAllowOriginValue")
	case value != want:
		return fail(CheckOriginMismatch, "Access-Control-Allow-Origin is not "+want, "AllowOriginMismatch")
	case request.credentials != Include:
		return nil
	}
	if value, _ := get(response, "access-control-allow-credentials"); value != "true" {
		return &BlockedError{
			Check: CheckCredentials, Header: "Access-Control-Allow-Credentials", Value: value,
			Reason:  `the call carries credentials, and Access-Control-Allow-Credentials is not "true"`,
			Fix:     "Access-Control-Allow-Credentials: true",
			Console: "InvalidAllowCredentials",
		}
	}
	return nil
}

// taoCheck implements https://fetch.spec.whatwg.org/#tao-check. It reports whether the check
// passes.
func taoCheck(request *request, response http.Header) bool {
	if request.timingAllowFailed {
		return false
	}
	origin := request.serializeOrigin()
	for _, line := range lines(response, "timing-allow-origin") {
		for value := range strings.SplitSeq(line, ",") {
			if value = strings.Trim(value, " \t"); value == "*" || value == origin {
				return true
			}
		}
	}
	return request.tainting == basic
}

// crossOriginResourcePolicyCheck implements https://fetch.spec.whatwg.org/#concept-cross-origin-resource-policy-check,
// for a page without an embedder policy. It returns nil if the check passes.
func (e Engine) crossOriginResourcePolicyCheck(r *request, response http.Header) *BlockedError {
	value, _ := get(response, "cross-origin-resource-policy")
	here, site := originOf(r.currentURL()), r.origin
	if site == opaque && e.embedderCountsForResourcePolicy {
		site = r.embedder
	}
	isSameSite := site != opaque && here.schemelessSite() == site.schemelessSite() && (site.scheme == "https" || here.scheme != "https")
	if value == "same-origin" && !here.sameOrigin(r.origin) || value == "same-site" && !isSameSite {
		return &BlockedError{
			Check: CheckResourcePolicy, Header: "Cross-Origin-Resource-Policy", Value: value,
			Reason: "the answer is for pages of " + value + " only, and the mode is no-cors", Fix: "Cross-Origin-Resource-Policy: cross-origin",
			Console: "ERR_BLOCKED_BY_RESPONSE",
		}
	}
	return nil
}

// isSerializedOrigin reports whether s is "null" or "file://", or has a scheme and a host.
func isSerializedOrigin(s string) bool {
	if s == opaque.String() || s == localFile.String() {
		return true
	}
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && u.Host != ""
}
