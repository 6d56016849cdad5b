package corsbrowser

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// mainFetch implements https://fetch.spec.whatwg.org/#concept-main-fetch.
func (b *Browser) mainFetch(r *request, recursive bool) (*http.Response, *BlockedError) {
	if r.isMixedContent() {
		return nil, &BlockedError{
			Check: CheckMixedContent, Console: "MixedContent",
			Reason: "an https page cannot call an " + r.currentURL().Scheme + " URL", Fix: "the response over https",
		}
	}
	response, blocked := b.routeFetch(r)
	if blocked != nil || recursive {
		return response, blocked
	}
	// The copy hides trailers from the script: net/http adds them to its own response
	// at the end of the body.
	filtered := *response
	filtered.Trailer = nil
	switch r.tainting {
	case basic:
		filtered.Header = basicFilter(response.Header)
	case cors:
		filtered.Header = corsFilter(response.Header, r.credentials)
	case opaqueTainting:
		_ = response.Body.Close()
		return opaqueFilter(response), nil
	}
	return &filtered, nil
}

// opaqueFilter implements https://fetch.spec.whatwg.org/#concept-filtered-response-opaque
// and https://fetch.spec.whatwg.org/#concept-filtered-response-opaque-redirect: the
// script can read neither the status nor the header nor the body.
func opaqueFilter(response *http.Response) *http.Response {
	return &http.Response{Proto: response.Proto, ProtoMajor: response.ProtoMajor, ProtoMinor: response.ProtoMinor, Header: http.Header{}, Body: http.NoBody}
}

// routeFetch implements step 12 of https://fetch.spec.whatwg.org/#concept-main-fetch.
func (b *Browser) routeFetch(r *request) (*http.Response, *BlockedError) {
	here := originOf(r.currentURL())
	if here.sameOrigin(r.origin) && r.tainting == basic {
		return b.httpFetch(r, nil, false)
	}
	switch r.mode {
	case SameOriginOnly:
		return nil, &BlockedError{Check: CheckMode, Reason: "mode same-origin does not allow a URL of another origin", Console: "DisallowedByMode"}
	case NoCORS:
		if r.redirect != RedirectFollow {
			return nil, &BlockedError{Check: CheckRedirectMode, Reason: "mode no-cors allows only redirect mode follow"}
		}
		r.tainting = opaqueTainting
		return b.httpFetch(r, nil, false)
	}
	r.tainting = cors
	requested := r.header
	if b.engine.requestsRemovedHeaders {
		requested = r.firstHeader
	}
	unsafe := b.engine.corsUnsafeRequestHeaderNames(requested)
	r.useCORSPreflight = r.useCORSPreflight || r.preflighted && b.engine.preflightsAfterRedirect
	if !r.useCORSPreflight && fetch.SafelistedMethod(r.method) && len(unsafe) == 0 {
		return b.httpFetch(r, nil, false)
	}
	r.preflighted = true
	response, blocked := b.httpFetch(r, unsafe, true)
	if blocked != nil && b.engine.dropsGrantOnFailedCheck {
		b.cache.clear(r)
	}
	return response, blocked
}

// httpFetch implements https://fetch.spec.whatwg.org/#concept-http-fetch.
func (b *Browser) httpFetch(r *request, unsafe []string, makeCORSPreflight bool) (*http.Response, *BlockedError) {
	if makeCORSPreflight && !b.cache.covers(b.engine, r, unsafe, b.now()) {
		if blocked := b.corsPreflightFetch(r, unsafe); blocked != nil {
			blocked.Preflight = true
			if blocked.Header == "Access-Control-Allow-Origin" || blocked.Header == "Access-Control-Allow-Credentials" {
				blocked.Console = "Preflight" + blocked.Console
			}
			return nil, blocked
		}
	}
	response, err := b.httpNetworkFetch(r)
	r.response = response
	if err != nil {
		return nil, &BlockedError{Check: CheckNetwork, Reason: err.Error(), Err: err}
	}
	var blocked *BlockedError
	switch r.tainting {
	case cors:
		blocked = corsCheck(r, response.Header)
	case opaqueTainting:
		blocked = b.engine.crossOriginResourcePolicyCheck(r, response.Header)
	}
	if blocked != nil {
		_ = response.Body.Close()
		return nil, blocked
	}
	r.timingAllowFailed = !taoCheck(r, response.Header)
	b.logTiming(r)
	if !fetch.RedirectStatus(response.StatusCode) {
		return response, nil
	}
	switch r.redirect {
	case RedirectError:
		_ = response.Body.Close()
		return nil, &BlockedError{Check: CheckRedirectMode, Header: "Location", Value: response.Header.Get("Location"), Reason: "redirect mode error does not allow a redirect"}
	case RedirectManual:
		filtered := opaqueFilter(response)
		if b.engine.manualNeedsLocation && response.Header.Get("Location") == "" {
			filtered.Body = response.Body
		} else {
			_ = response.Body.Close()
		}
		return filtered, nil
	}
	return b.httpRedirectFetch(r, response)
}

// httpRedirectFetch implements https://fetch.spec.whatwg.org/#concept-http-redirect-fetch.
func (b *Browser) httpRedirectFetch(r *request, response *http.Response) (*http.Response, *BlockedError) {
	location, present := get(response.Header, "location")
	if !present || location == "" && b.engine.emptyLocation == emptyIsNoRedirect {
		return response, nil
	}
	_ = response.Body.Close()
	console := ""
	fail := func(check Check, format string, args ...any) (*http.Response, *BlockedError) {
		return nil, &BlockedError{Check: check, Header: "Location", Value: location, Reason: fmt.Sprintf(format, args...), Console: console}
	}
	next, err := r.currentURL().Parse(location)
	if err != nil || location == "//" || location == "" && b.engine.emptyLocation == emptyIsAnError ||
		(next.Scheme == "http" || next.Scheme == "https") && next.Host == "" {
		return fail(CheckRedirectURL, "the Location of the redirect is not a valid URL")
	}
	if next.Fragment == "" {
		next.Fragment = r.currentURL().Fragment
	}
	if next.Scheme != "http" && next.Scheme != "https" {
		console = redirectToScheme
		return fail(CheckRedirectURL, "the redirect is to a %s URL, not to http or https", next.Scheme)
	}
	if r.redirects == 20 {
		return fail(CheckRedirectLimit, "there were more than 20 redirects")
	}
	r.redirects++
	if includesCredentials(next) && (r.tainting == cors || r.mode == CORS && !originOf(next).sameOrigin(r.origin)) {
		console = redirectWithUser
		return fail(CheckRedirectURL, "the redirect is to a URL with a user name")
	}
	if response.StatusCode != 303 && r.body != nil && r.getBody == nil {
		return fail(CheckStreamedBody, "the redirect needs the request body again, and it can be read only once")
	}
	if (response.StatusCode == 301 || response.StatusCode == 302) && r.method == http.MethodPost ||
		response.StatusCode == 303 && r.method != http.MethodGet && r.method != http.MethodHead {
		r.method, r.body, r.getBody, r.contentLength = http.MethodGet, nil, nil, 0
		for _, name := range []string{"Content-Encoding", "Content-Language", "Content-Location", "Content-Type"} {
			r.drop(name)
		}
	}
	if !originOf(r.currentURL()).sameOrigin(originOf(next)) {
		r.drop("Authorization")
	}
	if r.body != nil {
		if r.body, err = r.getBody(); err != nil {
			return fail(CheckNetwork, "reading the request body again failed: %v", err)
		}
	}
	r.urlList = append(r.urlList, next)
	return b.mainFetch(r, true)
}

// Names of a BlockedError's Console.
const (
	redirectToScheme = "CorsDisabledScheme"
	redirectWithUser = "RedirectContainsCredentials"
)

// includesCredentials implements https://url.spec.whatwg.org/#include-credentials.
func includesCredentials(u *url.URL) bool {
	password, _ := u.User.Password()
	return u.User.Username() != "" || password != ""
}

// basicFilter implements https://fetch.spec.whatwg.org/#concept-filtered-response-basic.
func basicFilter(header http.Header) http.Header {
	return filter(header, func(string) bool { return true })
}

// corsFilter implements https://fetch.spec.whatwg.org/#concept-filtered-response-cors
// for the exposed header names of step 14 of
// https://fetch.spec.whatwg.org/#concept-main-fetch.
func corsFilter(header http.Header, credentials Credentials) http.Header {
	names, _ := extractHeaderListValues("access-control-expose-headers", header)
	exposed := map[string]bool{}
	for _, name := range names {
		exposed[fetch.Lower(name)] = true
	}
	all := credentials != Include && exposed["*"]
	return filter(header, func(lower string) bool { return all || exposed[lower] || fetch.SafelistedResponseHeader(lower) })
}

// filter returns a copy of the visible header fields, without the
// forbidden response-header names.
func filter(header http.Header, visible func(lower string) bool) http.Header {
	seen := http.Header{}
	for name, values := range header {
		if lower := fetch.Lower(name); visible(lower) && !fetch.ForbiddenResponseHeader(lower) {
			seen[http.CanonicalHeaderKey(name)] = append(seen[http.CanonicalHeaderKey(name)], values...)
		}
	}
	return seen
}

// httpNetworkFetch implements https://fetch.spec.whatwg.org/#concept-http-network-or-cache-fetch,
// without an HTTP cache.
func (b *Browser) httpNetworkFetch(r *request) (*http.Response, error) {
	out, err := http.NewRequestWithContext(r.ctx, r.method, withoutFragment(r.currentURL()).String(), nil)
	if err != nil {
		return nil, err
	}
	out.Header = b.engine.combine(r.method, r.header)
	if r.body != nil {
		out.Body, out.ContentLength, out.GetBody = r.body, r.contentLength, r.getBody
	}
	r.appendOriginHeader(b.engine, out.Header)
	r.appendFetchMetadata(b.engine, out.Header)
	if referrer := r.referrer(); referrer != "" {
		out.Header.Set("Referer", referrer)
	}
	if out.Header.Get("Accept") == "" {
		out.Header.Set("Accept", "*/*")
	}
	if out.Header.Get("User-Agent") == "" {
		out.Header.Set("User-Agent", b.engine.userAgent)
	}
	out.Header.Set("Accept-Encoding", "gzip")
	credentialed := r.credentials == Include || r.credentials == SameOrigin && r.tainting == basic
	if credentialed && !r.isPreflight {
		b.cookies.send(b.engine, r, out)
	}
	b.logRequest(r, out)
	response, err := b.transport.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	b.logResponse(r, response)
	if credentialed && !r.isPreflight {
		b.cookies.store(b.engine, r, response)
	}
	return decode(response)
}

// combine returns a copy of the header fields with the values of each name combined into
// one line (https://fetch.spec.whatwg.org/#concept-header-list-get).
func (e Engine) combine(method string, header http.Header) http.Header {
	combined := make(http.Header, len(header))
	for name, values := range header {
		if name == "Content-Type" && e.sendsFirstContentType {
			values = values[:1]
		}
		value := strings.Join(values, ", ")
		if name == "Range" && e.rewritesRange && method == http.MethodGet {
			value = rewrittenRange(value)
		}
		combined[name] = []string{value}
	}
	return combined
}

var looseRange = regexp.MustCompile(`^(?i:bytes)[ \t]*=[ \t,]*(\d*)[ \t]*-[ \t]*(\d*)[ \t,]*$`)

// rewrittenRange returns a single byte range in its shortest form, and other values
// unchanged.
func rewrittenRange(value string) string {
	parts := looseRange.FindStringSubmatch(value)
	if parts == nil || parts[1]+parts[2] == "" {
		return value
	}
	return "bytes=" + parts[1] + "-" + parts[2]
}

func withoutFragment(u *url.URL) *url.URL {
	copied := *u
	copied.Fragment, copied.RawFragment = "", ""
	return &copied
}
