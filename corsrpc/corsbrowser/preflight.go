package corsbrowser

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// corsPreflightFetch implements https://fetch.spec.whatwg.org/#cors-preflight-fetch.
// It returns nil if the request may be sent.
func (b *Browser) corsPreflightFetch(r *request, unsafe []string) *BlockedError {
	response, err := b.httpNetworkFetch(b.preflightFor(r, unsafe))
	r.response = response
	if err != nil {
		return &BlockedError{Check: CheckNetwork, Reason: err.Error(), Err: err}
	}
	defer response.Body.Close()
	if blocked := b.checkPreflight(r, response); blocked != nil {
		return blocked
	}
	granted, blocked := grantedBy(response.Header)
	if blocked != nil {
		return blocked
	}
	if granted.methods == nil && r.useCORSPreflight && b.engine.grantsMethodIfNoneListed {
		granted.methods = []string{r.method}
	}
	maxAge, cached := b.engine.parseMaxAge(lines(response.Header, "access-control-max-age"))
	if cached && b.engine.cachesBeforeCheck {
		b.cache.store(b.engine, r, granted, maxAge, b.now())
	}
	if blocked := b.engine.checkGrant(r, unsafe, granted, response.Header); blocked != nil {
		return blocked
	}
	if cached {
		b.cache.store(b.engine, r, granted, maxAge, b.now())
	}
	return nil
}

// preflightFor implements steps 1 to 5 of
// https://fetch.spec.whatwg.org/#cors-preflight-fetch. It returns the preflight for
// the request and its unsafe headers.
func (b *Browser) preflightFor(r *request, unsafe []string) *request {
	preflight := &request{
		ctx: r.ctx, method: http.MethodOptions, urlList: slices.Clone(r.urlList), header: http.Header{}, dropped: r.dropped,
		origin: r.origin, mode: CORS, credentials: SameOrigin, redirect: RedirectError, tainting: cors, isPreflight: true,
		keepsPageOrigin: b.engine.preflightKeepsPageOrigin,
	}
	preflight.header.Set("Accept", "*/*")
	preflight.header.Set("Access-Control-Request-Method", r.method)
	if len(unsafe) > 0 {
		preflight.header.Set("Access-Control-Request-Headers", strings.Join(unsafe, ","))
	}
	return preflight
}

// checkPreflight implements the condition of step 7 of
// https://fetch.spec.whatwg.org/#cors-preflight-fetch: the response to a preflight
// needs an ok status and has to pass the CORS check. It returns nil if it does.
func (b *Browser) checkPreflight(r *request, response *http.Response) *BlockedError {
	checked := *r
	checked.keepsPageOrigin = b.engine.preflightKeepsPageOrigin
	skipped := b.engine.skipsCheckOfOwnPreflight && originOf(r.currentURL()).sameOrigin(r.origin)
	if blocked := corsCheck(&checked, response.Header); blocked != nil && !skipped {
		return blocked
	}
	if fetch.RedirectStatus(response.StatusCode) {
		return &BlockedError{
			Check: CheckPreflightRedirect, Reason: fmt.Sprintf("the preflight was answered with a redirect (%d)", response.StatusCode),
			Fix: "status 204", Console: "PreflightDisallowedRedirect",
		}
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return &BlockedError{
			Check: CheckPreflightStatus, Reason: fmt.Sprintf("the preflight was answered with %d", response.StatusCode),
			Fix: "status 204", Console: "PreflightInvalidStatus",
		}
	}
	return nil
}

// grant holds the methods, and the header names in lower case, that the response to
// a preflight allows. methods is nil if the response has no
// Access-Control-Allow-Methods.
type grant struct{ methods, headers []string }

// grantedBy implements steps 7.1 to 7.3 of
// https://fetch.spec.whatwg.org/#cors-preflight-fetch.
func grantedBy(answer http.Header) (g grant, blocked *BlockedError) {
	methods, ok := extractHeaderListValues("access-control-allow-methods", answer)
	if !ok {
		return g, malformedList(CheckMethodsMalformed, "Access-Control-Allow-Methods", answer, "InvalidAllowMethodsPreflightResponse")
	}
	headers, ok := extractHeaderListValues("access-control-allow-headers", answer)
	if !ok {
		return g, malformedList(CheckHeadersMalformed, "Access-Control-Allow-Headers", answer, "InvalidAllowHeadersPreflightResponse")
	}
	for i, name := range headers {
		headers[i] = fetch.Lower(name)
	}
	return grant{methods, headers}, nil
}

func malformedList(check Check, name string, answer http.Header, console string) *BlockedError {
	value, _ := get(answer, fetch.Lower(name))
	return &BlockedError{
		Check: check, Header: name, Value: value, Reason: name + " is not a list of names",
		Fix: name + " with names separated by commas", Console: console,
	}
}

// checkGrant implements steps 7.5 to 7.7 of
// https://fetch.spec.whatwg.org/#cors-preflight-fetch. It returns nil if the grant
// covers the request and its unsafe headers.
func (e Engine) checkGrant(r *request, unsafe []string, granted grant, answer http.Header) *BlockedError {
	wildcard := r.credentials != Include // with credentials, "*" is an ordinary name
	if !slices.Contains(granted.methods, r.method) && !fetch.SafelistedMethod(r.method) && !(wildcard && slices.Contains(granted.methods, "*")) {
		value, _ := get(answer, "access-control-allow-methods")
		return &BlockedError{
			Check: CheckMethods, Header: "Access-Control-Allow-Methods", Value: value, Reason: r.method + " is not granted",
			Fix: "Access-Control-Allow-Methods: " + r.method, Console: "MethodDisallowedByPreflightResponse",
		}
	}
	headers := map[string]bool{}
	for _, name := range granted.headers {
		headers[name] = true
	}
	r.ungranted = nil
	for _, name := range unsafe {
		if !headers[name] && !(wildcard && headers["*"] && (name != "authorization" || e.wildcardGrantsAuthorization)) {
			r.ungranted = append(r.ungranted, name)
		}
	}
	if len(r.ungranted) > 0 {
		value, _ := get(answer, "access-control-allow-headers")
		return &BlockedError{
			Check: CheckHeaders, Header: "Access-Control-Allow-Headers", Value: value, Reason: r.ungranted[0] + " is not granted",
			Fix: "Access-Control-Allow-Headers: " + strings.Join(slices.Compact(slices.Clone(unsafe)), ", "), Console: "HeaderDisallowedByPreflightResponse",
		}
	}
	return nil
}
